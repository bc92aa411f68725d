//! What was sent for an attribute becomes what we keep: names in our case, values of the attribute's type, nothing that
//! is empty (RFC 7643 §2.3 to §2.5). Where a directory writes a type in its own way, that is forgiven and noted.

use serde_json::{Map, Value};

use super::Error;
use super::instant::Instant;
use super::note::{Forgiven, Notes};
use super::schema::{Attribute, DataType, Mutability, Returned};

/// Most values of one attribute. Members of groups are counted elsewhere.
const MAX_VALUES: usize = 200;

/// The value of an attribute as we keep it; `None` where there is none. `name` is the attribute's, for errors.
pub(super) fn normalise(
    name: &str,
    attribute: &Attribute,
    value: &Value,
    notes: &mut Notes,
) -> Result<Option<Value>, Error> {
    if attribute.returned == Returned::Never {
        notes.add(name, Forgiven::Password);
        return Ok(None);
    }
    if attribute.multi_valued {
        let values = list(name, attribute, value, notes)?;
        if values.iter().filter(|value| is_primary(value)).count() > 1 {
            return Err(Error::invalid_value(format!("{name}: only one value can be primary")));
        }
        return Ok(if values.is_empty() { None } else { Some(Value::Array(values)) });
    }
    match value {
        Value::Array(values) => match values.as_slice() {
            [] => Ok(None),
            [only] => {
                notes.add(name, Forgiven::Unwrapped);
                one(name, attribute, only, notes)
            }
            _ => Err(Error::invalid_value(format!("{name} has one value, not a list"))),
        },
        only => one(name, attribute, only, notes),
    }
}

/// The values of a multi-valued attribute, each only once.
pub(super) fn list(name: &str, attribute: &Attribute, value: &Value, notes: &mut Notes) -> Result<Vec<Value>, Error> {
    let sent = match value {
        Value::Array(values) => values.as_slice(),
        Value::Null => &[],
        only => {
            notes.add(name, Forgiven::Wrapped);
            std::slice::from_ref(only)
        }
    };
    let mut values = Vec::new();
    for value in sent {
        if let Some(value) = one(name, attribute, value, notes)?
            && !values.contains(&value)
        {
            values.push(value);
        }
        check_count(name, &values)?;
    }
    Ok(values)
}

/// Refuses more values than are kept.
pub(super) fn check_count(name: &str, values: &[Value]) -> Result<(), Error> {
    if values.len() > MAX_VALUES {
        return Err(Error::invalid_value(format!("{name} must have at most {MAX_VALUES} values")));
    }
    Ok(())
}

/// One value of an attribute.
pub(super) fn one(name: &str, attribute: &Attribute, value: &Value, notes: &mut Notes) -> Result<Option<Value>, Error> {
    match value {
        Value::Null => return Ok(None),
        Value::String(text) if text.is_empty() => {
            notes.add(name, Forgiven::Empty);
            return Ok(None);
        }
        Value::Array(_) => return Err(Error::invalid_value(format!("{name}: a list stands where one value belongs"))),
        Value::String(_) | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {}
    }
    let wrong = |what: &str| Error::invalid_value(format!("{name} must be {what}"));
    match attribute.data_type {
        DataType::Complex => object(name, attribute, value, notes),
        DataType::Boolean => boolean(name, value, notes).map(Some).ok_or_else(|| wrong("true or false")),
        DataType::Integer | DataType::Decimal => {
            let number = number(name, attribute, value, notes);
            number.map(Some).ok_or_else(|| wrong("a number, whole if its type is integer"))
        }
        DataType::String => text(name, value, notes).map(Some).ok_or_else(|| wrong("a text")),
        DataType::DateTime => match value.as_str() {
            Some(text) if Instant::parse(text).is_some() => Ok(Some(value.clone())),
            _ => Err(wrong("an instant as 2011-05-13T04:42:34Z")),
        },
        DataType::Binary => match value.as_str() {
            Some(text) if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/-_=\r\n".contains(&byte)) => {
                Ok(Some(value.clone()))
            }
            _ => Err(wrong("bytes in base64")),
        },
        DataType::Reference => value.as_str().map(|_| Some(value.clone())).ok_or_else(|| wrong("a URI as text")),
    }
}

fn boolean(name: &str, value: &Value, notes: &mut Notes) -> Option<Value> {
    let text = match value {
        Value::Bool(_) => return Some(value.clone()),
        Value::String(text) => text,
        _ => return None,
    };
    // Entra, unless the application asks it not to: "True" and "False".
    let meant = [("true", true), ("false", false)].into_iter().find(|(word, _)| text.eq_ignore_ascii_case(word))?.1;
    notes.add(name, Forgiven::FromText);
    Some(Value::Bool(meant))
}

fn number(name: &str, attribute: &Attribute, value: &Value, notes: &mut Notes) -> Option<Value> {
    let number = match value {
        Value::Number(number) => number.clone(),
        Value::String(text) => {
            let number = serde_json::from_str(text).ok()?;
            notes.add(name, Forgiven::FromText);
            number
        }
        _ => return None,
    };
    (attribute.data_type == DataType::Decimal || number.is_i64()).then_some(Value::Number(number))
}

fn text(name: &str, value: &Value, notes: &mut Notes) -> Option<Value> {
    match value {
        Value::String(_) => Some(value.clone()),
        Value::Number(number) => {
            notes.add(name, Forgiven::FromNumber);
            Some(Value::String(number.to_string()))
        }
        _ => None,
    }
}

fn object(name: &str, attribute: &Attribute, value: &Value, notes: &mut Notes) -> Result<Option<Value>, Error> {
    let mut kept = Map::new();
    for (part, value) in parts(name, attribute, value, notes)? {
        if let Some(value) = normalise(&format!("{name}.{}", part.name), part, &value, notes)? {
            kept.insert(part.name.clone(), value);
        }
    }
    match attribute.sub_attributes.iter().find(|part| part.required && !kept.contains_key(&part.name)) {
        Some(_) if kept.is_empty() => Ok(None),
        Some(part) => Err(Error::invalid_value(format!("{name}.{} is missing", part.name))),
        None => Ok((!kept.is_empty()).then_some(Value::Object(kept))),
    }
}

/// The parts that were sent for a complex attribute, each with what it is. A value that is no object stands for its
/// `value`: Entra sends a manager's id as text.
pub(super) fn parts<'s>(
    name: &str,
    attribute: &'s Attribute,
    value: &Value,
    notes: &mut Notes,
) -> Result<Vec<(&'s Attribute, Value)>, Error> {
    let Value::Object(sent) = value else {
        let part = attribute.sub("value").filter(|_| !value.is_array());
        let part = part.ok_or_else(|| Error::invalid_value(format!("{name} must be an object")))?;
        notes.add(name, Forgiven::Wrapped);
        return Ok(vec![(part, value.clone())]);
    };
    let mut known = Vec::with_capacity(sent.len());
    for (key, value) in sent {
        match attribute.sub(key) {
            None => notes.add(&format!("{name}.{key}"), Forgiven::Unknown),
            Some(part) if part.mutability == Mutability::ReadOnly => {
                notes.add(&format!("{name}.{}", part.name), Forgiven::ReadOnly);
            }
            Some(part) if known.iter().any(|(other, _): &(&Attribute, Value)| other.name == part.name) => {
                return Err(Error::invalid_value(format!("{name}.{} is there twice", part.name)));
            }
            Some(part) => known.push((part, value.clone())),
        }
    }
    Ok(known)
}

/// Whether a value is marked as the preferred one.
pub(super) fn is_primary(value: &Value) -> bool {
    value.get("primary") == Some(&Value::Bool(true))
}
