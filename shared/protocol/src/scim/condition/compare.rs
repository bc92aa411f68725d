//! One attribute against one value, by the attribute's type and its rule for upper and lower case.

use std::cmp::Ordering;

use serde_json::Value;

use super::{Operator, fold, invalid};
use crate::scim::Error;
use crate::scim::filter::Literal;
use crate::scim::instant::Instant;
use crate::scim::schema::{Attribute, DataType};

/// What is asked of a value.
#[derive(Debug, Clone)]
pub struct Comparison {
    operator: Operator,
    operand: Operand,
}

#[derive(Debug, Clone)]
enum Operand {
    Null,
    Boolean(bool),
    Number(Literal),
    Instant(Instant),
    Exact(String),
    /// In lower case.
    Folded(String),
}

impl Comparison {
    /// Checks that the operator and the value fit the attribute.
    pub(super) fn new(attribute: &Attribute, operator: Operator, value: &Literal) -> Result<Self, Error> {
        let is_order = matches!(operator, Operator::Gt | Operator::Ge | Operator::Lt | Operator::Le);
        let is_equality = matches!(operator, Operator::Eq | Operator::Ne);
        let name = &attribute.name;
        let wrong = |what: &str| invalid(format!("{name} {}: {what}", operator.as_str()));
        let text = |text: &String| {
            if attribute.case_exact { Operand::Exact(text.clone()) } else { Operand::Folded(fold(text)) }
        };
        let operand = match (attribute.data_type, value) {
            (DataType::Complex, _) => return Err(wrong("it has parts: name the one that is compared")),
            (_, Literal::Null) if is_equality => Operand::Null,
            (_, Literal::Null) => return Err(wrong("null is only equal or not")),
            (DataType::Boolean, _) if !is_equality => return Err(wrong("true and false are only equal or not")),
            (DataType::Boolean, Literal::Boolean(value)) => Operand::Boolean(*value),
            // Entra: `primary eq "True"`.
            (DataType::Boolean, Literal::Text(text)) if text.eq_ignore_ascii_case("true") => Operand::Boolean(true),
            (DataType::Boolean, Literal::Text(text)) if text.eq_ignore_ascii_case("false") => Operand::Boolean(false),
            (DataType::Boolean, _) => return Err(wrong("the value must be true or false")),
            (DataType::Decimal | DataType::Integer, Literal::Integer(_) | Literal::Decimal(_))
                if is_order || is_equality =>
            {
                Operand::Number(value.clone())
            }
            (DataType::Decimal | DataType::Integer, _) => {
                return Err(wrong("it takes eq, ne, gt, ge, lt, le and a number"));
            }
            (DataType::DateTime, Literal::Text(text)) if is_order || is_equality => {
                let instant = Instant::parse(text);
                Operand::Instant(instant.ok_or_else(|| wrong("the value must be an instant as 2011-05-13T04:42:34Z"))?)
            }
            (DataType::DateTime, Literal::Text(text)) => Operand::Exact(text.clone()),
            (DataType::Binary, _) if is_order => return Err(wrong("binary values have no order")),
            (DataType::String | DataType::Reference | DataType::Binary, Literal::Text(value)) => text(value),
            (DataType::String | DataType::Reference | DataType::Binary | DataType::DateTime, _) => {
                return Err(wrong("the value must be a text in double quotes"));
            }
        };
        Ok(Self { operator, operand })
    }

    /// The text that this asks to be equal to.
    pub(super) fn equal_text(&self) -> Option<&str> {
        match (&self.operand, self.operator) {
            (Operand::Exact(text) | Operand::Folded(text), Operator::Eq) => Some(text),
            _ => None,
        }
    }

    /// What holds for an attribute that has no value: it is equal to null, and to nothing else (RFC 7643 §2.5).
    pub(super) fn holds_for_nothing(&self) -> bool {
        matches!((&self.operand, self.operator), (Operand::Null, Operator::Eq))
            || !matches!(self.operand, Operand::Null) && self.operator == Operator::Ne
    }

    /// Whether a value is as asked. It is not null.
    pub(super) fn holds_for(&self, value: &Value) -> bool {
        let ordering = match (&self.operand, value) {
            (Operand::Boolean(wanted), Value::Bool(value)) => Some(value.cmp(wanted)),
            (Operand::Number(wanted), Value::Number(value)) => compare_numbers(value, wanted),
            (Operand::Instant(wanted), Value::String(value)) => Instant::parse(value).map(|value| value.cmp(wanted)),
            (Operand::Exact(wanted), Value::String(value)) => return self.holds_for_text(value, wanted),
            (Operand::Folded(wanted), Value::String(value)) => {
                return self.holds_for_text(&fold(value), wanted);
            }
            // Nothing that has a value is null, and values of another type are only not equal.
            _ => None,
        };
        match self.operator {
            Operator::Eq => ordering == Some(Ordering::Equal),
            Operator::Ne => ordering != Some(Ordering::Equal),
            Operator::Gt => ordering == Some(Ordering::Greater),
            Operator::Ge => ordering.is_some_and(Ordering::is_ge),
            Operator::Lt => ordering == Some(Ordering::Less),
            Operator::Le => ordering.is_some_and(Ordering::is_le),
            Operator::Co | Operator::Sw | Operator::Ew => false,
        }
    }

    fn holds_for_text(&self, value: &str, wanted: &str) -> bool {
        match self.operator {
            Operator::Eq => value == wanted,
            Operator::Ne => value != wanted,
            Operator::Co => value.contains(wanted),
            Operator::Sw => value.starts_with(wanted),
            Operator::Ew => value.ends_with(wanted),
            Operator::Gt => value > wanted,
            Operator::Ge => value >= wanted,
            Operator::Lt => value < wanted,
            Operator::Le => value <= wanted,
        }
    }
}

/// Whole numbers exactly, anything else as far as 64 bits of floating point reach.
fn compare_numbers(value: &serde_json::Number, wanted: &Literal) -> Option<Ordering> {
    match (value.as_i64(), wanted) {
        (Some(value), Literal::Integer(wanted)) => Some(value.cmp(wanted)),
        (_, Literal::Integer(wanted)) => value.as_f64()?.partial_cmp(&serde_json::Number::from(*wanted).as_f64()?),
        (_, Literal::Decimal(wanted)) => value.as_f64()?.partial_cmp(wanted),
        _ => None,
    }
}
