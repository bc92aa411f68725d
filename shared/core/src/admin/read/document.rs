//! The body as a JSON value. A member that is there twice is a problem (RFC 8259 §4 leaves its meaning open).

use std::cell::RefCell;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::admin::problems::{Problem, escaped};
use crate::error::AdminError;

/// The value, and what is there twice.
pub(super) fn parse(body: &[u8]) -> Result<(Value, Vec<Problem>), AdminError> {
    let twice = RefCell::default();
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = Place { path: String::new(), twice: &twice }.deserialize(&mut json);
    let whole = value.and_then(|value| json.end().map(|()| value));
    let value = whole.map_err(|error| {
        AdminError::problem("", format!("is not JSON at line {} column {}", error.line(), error.column()))
    })?;
    Ok((value, twice.into_inner()))
}

/// Where the next value is.
struct Place<'a> {
    path: String,
    twice: &'a RefCell<Vec<Problem>>,
}

impl<'a> Place<'a> {
    fn child(&self, name: &str) -> Place<'a> {
        Place { path: format!("{}/{}", self.path, escaped(name)), twice: self.twice }
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(value) = elements.next_element_seed(self.child(&array.len().to_string()))? {
            array.push(value);
        }
        Ok(array.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let place = self.child(&name);
            if object.contains_key(&name) {
                let problem = Problem { path: place.path.clone(), problem: "is there twice".to_owned() };
                self.twice.borrow_mut().push(problem);
            }
            object.insert(name, members.next_value_seed(place)?);
        }
        Ok(object.into())
    }
}
