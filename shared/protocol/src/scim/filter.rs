//! Filters (RFC 7644 §3.4.2.2): `userName eq "x" and not (emails[type eq "work"])` as a tree.
//!
//! A filter comes from outside and can be built to hurt: its length, depth and number of terms have bounds, and
//! nothing recurses deeper than the bound.

mod parse;
#[cfg(test)]
mod tests;
mod token;

use std::fmt;

pub use self::parse::{Parser, SyntaxError};
use super::path::AttributePath;

/// Longest filter, in bytes.
pub const MAX_LENGTH: usize = 4_096;
/// Most groups, negations and value paths inside each other.
pub const MAX_DEPTH: usize = 16;
/// Most comparisons in one filter.
pub const MAX_TERMS: usize = 100;

/// A filter.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// Every one must hold. At least two, none of them `And`.
    And(Vec<Filter>),
    /// One must hold. At least two, none of them `Or`.
    Or(Vec<Filter>),
    /// It must not hold.
    Not(Box<Filter>),
    /// The attribute has a value.
    Present(AttributePath),
    /// The attribute compares so to a value.
    Compare {
        /// Which attribute.
        path: AttributePath,
        /// How.
        operator: Operator,
        /// With what.
        value: Literal,
    },
    /// One value of a multi-valued attribute fulfils the whole filter, whose names are sub-attributes.
    Element {
        /// The multi-valued attribute.
        path: AttributePath,
        /// What one of its values must fulfil.
        filter: Box<Filter>,
    },
}

impl Filter {
    /// Reads a filter.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let mut parser = Parser::new(text)?;
        let filter = parser.filter()?;
        parser.end()?;
        Ok(filter)
    }

    /// All of them, in one level.
    fn and(filters: Vec<Self>) -> Self {
        Self::joined(filters, Self::And, |filter| match filter {
            Self::And(inner) => Ok(inner),
            other => Err(other),
        })
    }

    /// One of them, in one level.
    fn or(filters: Vec<Self>) -> Self {
        Self::joined(filters, Self::Or, |filter| match filter {
            Self::Or(inner) => Ok(inner),
            other => Err(other),
        })
    }

    fn joined(filters: Vec<Self>, join: fn(Vec<Self>) -> Self, open: fn(Self) -> Result<Vec<Self>, Self>) -> Self {
        let mut flat = Vec::with_capacity(filters.len());
        for filter in filters {
            match open(filter) {
                Ok(inner) => flat.extend(inner),
                Err(other) => flat.push(other),
            }
        }
        if flat.len() > 1 {
            return join(flat);
        }
        flat.pop().unwrap_or_else(|| join(Vec::new()))
    }
}

/// How an attribute is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Contains.
    Co,
    /// Starts with.
    Sw,
    /// Ends with.
    Ew,
    /// Greater than, or later.
    Gt,
    /// Greater than or equal.
    Ge,
    /// Less than, or earlier.
    Lt,
    /// Less than or equal.
    Le,
}

impl Operator {
    const ALL: [Self; 9] = [Self::Eq, Self::Ne, Self::Co, Self::Sw, Self::Ew, Self::Gt, Self::Ge, Self::Lt, Self::Le];

    /// Reads an operator in any case.
    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operator| operator.as_str().eq_ignore_ascii_case(text))
    }

    /// The operator as the RFC writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Co => "co",
            Self::Sw => "sw",
            Self::Ew => "ew",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
        }
    }
}

/// What an attribute is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `null`: no value at all.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number of 64 bits.
    Integer(i64),
    /// Any other number.
    Decimal(f64),
    /// A text, without its quotes and escapes.
    Text(String),
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Decimal(value) => write!(f, "{value:?}"),
            Self::Text(value) => write!(f, "{}", serde_json::Value::from(value.as_str())),
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let join = |f: &mut fmt::Formatter<'_>, filters: &[Self], word: &str| {
            for (index, filter) in filters.iter().enumerate() {
                if index > 0 {
                    write!(f, " {word} ")?;
                }
                // `and` binds closer, so only an `or` inside an `and` needs to be held together.
                match filter {
                    Self::Or(_) => write!(f, "({filter})")?,
                    other => write!(f, "{other}")?,
                }
            }
            Ok(())
        };
        match self {
            Self::And(filters) => join(f, filters, "and"),
            Self::Or(filters) => join(f, filters, "or"),
            Self::Not(filter) => write!(f, "not ({filter})"),
            Self::Present(path) => write!(f, "{path} pr"),
            Self::Compare { path, operator, value } => write!(f, "{path} {} {value}", operator.as_str()),
            Self::Element { path, filter } => write!(f, "{path}[{filter}]"),
        }
    }
}
