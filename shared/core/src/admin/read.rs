//! Reading a body so that everything wrong with it is known at once.
//!
//! `serde` stops at the first thing that it cannot read. This deserializer does not let it: a value that does not fit is
//! noted with its place, and something that fits is given in its stead; an unknown field is noted and passed over; a
//! field that is missing is noted, and the body read again with something in its place. What comes of a body with
//! problems is never stored: it only lets the rules on the other fields be looked at too.

mod document;
mod fault;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::marker::PhantomData;

use serde::Deserializer;
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{
    Deserialize, DeserializeOwned, DeserializeSeed, Error as _, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};
use serde_json::Value;

use self::fault::Fault;
use super::problems::{Checked, Problem, Problems, escaped};
use crate::error::AdminError;

/// More passes than a body of ours has fields that can be missing.
const PASSES: usize = 100;
/// What stands in for a text: it is an address as well.
const TEXT: &str = "https://unread.invalid/";

/// Reads a body. Fails when there is nothing to look at, or nothing can stand in for what is wrong.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<Checked<T>, AdminError> {
    let mut input = None;
    let problems = in_passes(body, &mut |reader| {
        input = Some(T::deserialize(reader)?);
        Ok(())
    })?;
    let input = input.ok_or_else(|| AdminError::problems(Vec::new()))?;
    Ok(Checked { input, problems: Problems::of_reading(problems) })
}

/// Reads a body until it is read, and says what was wrong. What depends on the type is `pass` alone.
fn in_passes(body: &[u8], pass: &mut dyn FnMut(Reader<'_>) -> Result<(), Fault>) -> Result<Vec<Problem>, AdminError> {
    let (body, twice) = document::parse(body)?;
    let mut missing = BTreeSet::new();
    let mut notes = Vec::new();
    for _ in 0..PASSES {
        let this = Pass { missing: &missing, notes: RefCell::default() };
        let outcome = pass(Reader { value: Some(&body), path: String::new(), pass: &this });
        notes = this.notes.into_inner();
        match outcome {
            Ok(()) => return Ok(all(twice, &missing, notes)),
            Err(Fault::Missing(path)) => {
                if !missing.insert(path) {
                    break;
                }
            }
            Err(fault) => {
                notes.extend(fault.problem(""));
                break;
            }
        }
    }
    Err(AdminError::problems(all(twice, &missing, notes)))
}

fn all(mut twice: Vec<Problem>, missing: &BTreeSet<String>, notes: Vec<Problem>) -> Vec<Problem> {
    twice.extend(notes);
    twice.extend(missing.iter().map(|path| Problem { path: path.clone(), problem: "is missing".to_owned() }));
    twice
}

/// One reading of the body.
struct Pass<'a> {
    /// The fields that were found missing, by their paths.
    missing: &'a BTreeSet<String>,
    notes: RefCell<Vec<Problem>>,
}

impl Pass<'_> {
    fn note(&self, fault: Fault, path: &str) {
        self.notes.borrow_mut().extend(fault.problem(path));
    }
}

/// A value of the body at its place; no value where one has to stand in.
#[derive(Clone)]
struct Reader<'a> {
    value: Option<&'a Value>,
    path: String,
    pass: &'a Pass<'a>,
}

impl<'a> Reader<'a> {
    fn child(&self, name: &str, value: Option<&'a Value>) -> Self {
        Self { value, path: format!("{}/{}", self.path, escaped(name)), pass: self.pass }
    }

    /// The value, or what stands in for one that does not fit. A missing field is for whoever reads again.
    fn fit<'de, T: Deserialize<'de>>(mut self) -> Result<T, Fault> {
        loop {
            let filled = self.value.is_none();
            let stand_in = Self { value: None, ..self.clone() };
            match T::deserialize(self) {
                Err(_) if filled => return Err(Fault::Silent),
                Err(Fault::Missing(path)) => return Err(Fault::Missing(path)),
                Err(fault) => stand_in.pass.note(fault, &stand_in.path),
                fits => return fits,
            }
            self = stand_in;
        }
    }

    /// The members of an object, with stand-ins for those that are missing; of a stand-in, all `known` ones.
    fn fields(&self, known: &[&'static str]) -> Fields<'a> {
        let mut entries = Vec::new();
        match self.value {
            Some(Value::Object(object)) => {
                entries.extend(object.iter().map(|(name, value)| (name.clone(), self.child(name, Some(value)))));
                let missing =
                    self.pass.missing.iter().filter_map(|path| path.strip_prefix(&self.path)?.strip_prefix('/'));
                let missing = missing.filter(|name| !name.contains('/'));
                entries.extend(missing.map(|name| (name.to_owned(), self.child(name, None))));
            }
            _ => entries.extend(known.iter().map(|name| ((*name).to_owned(), self.child(name, None)))),
        }
        Fields { entries: entries.into_iter(), value: None }
    }
}

/// The members of an object.
struct Fields<'a> {
    entries: std::vec::IntoIter<(String, Reader<'a>)>,
    value: Option<Reader<'a>>,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let Some((name, value)) = self.entries.next() else { return Ok(None) };
        self.value = Some(value);
        seed.deserialize(IntoDeserializer::<Fault>::into_deserializer(name.as_str())).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        seed.deserialize(self.value.take().ok_or(Fault::Silent)?)
    }

    /// A name that fits no field is noted and passed over.
    fn next_key<K: Deserialize<'de>>(&mut self) -> Result<Option<K>, Fault> {
        loop {
            match (self.next_key_seed(PhantomData), &self.value) {
                (Err(fault), Some(value)) => value.pass.note(fault, &value.path),
                (key, _) => return key,
            }
        }
    }

    fn next_value<V: Deserialize<'de>>(&mut self) -> Result<V, Fault> {
        self.value.take().ok_or(Fault::Silent)?.fit()
    }

    fn next_entry<K: Deserialize<'de>, V: Deserialize<'de>>(&mut self) -> Result<Option<(K, V)>, Fault> {
        let Some(key) = self.next_key()? else { return Ok(None) };
        Ok(Some((key, self.next_value()?)))
    }
}

/// The elements of an array.
struct Elements<'a>(std::vec::IntoIter<Reader<'a>>);

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        self.0.next().map(|element| seed.deserialize(element)).transpose()
    }

    /// One for which nothing can stand in is noted and left out.
    fn next_element<T: Deserialize<'de>>(&mut self) -> Result<Option<T>, Fault> {
        for element in self.0.by_ref() {
            match element.fit() {
                Err(Fault::Silent) => {}
                fits => return fits.map(Some),
            }
        }
        Ok(None)
    }
}

/// A method for each type that the visitor may ask for, and what stands in for it.
macro_rules! stand_ins {
    ($($method:ident => $visit:ident($value:expr)),+ $(,)?) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            if self.value.is_none() { visitor.$visit($value) } else { self.deserialize_any(visitor) }
        })+
    };
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value {
            None | Some(Value::Null) => visitor.visit_unit(),
            Some(Value::Bool(value)) => visitor.visit_bool(*value),
            Some(Value::Number(number)) => match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => visitor.visit_u64(number),
                (None, Some(number)) => visitor.visit_i64(number),
                (None, None) => visitor.visit_f64(number.as_f64().unwrap_or(f64::MAX)),
            },
            Some(Value::String(text)) => visitor.visit_str(text),
            Some(Value::Array(array)) => {
                let elements =
                    array.iter().enumerate().map(|(index, value)| self.child(&index.to_string(), Some(value)));
                visitor.visit_seq(Elements(elements.collect::<Vec<_>>().into_iter()))
            }
            Some(Value::Object(_)) => visitor.visit_map(self.fields(&[])).map_err(|fault| fault.below(&self.path)),
        }
    }

    stand_ins! {
        deserialize_bool => visit_bool(false),
        deserialize_i8 => visit_u64(0),
        deserialize_i16 => visit_u64(0),
        deserialize_i32 => visit_u64(0),
        deserialize_i64 => visit_u64(0),
        deserialize_u8 => visit_u64(0),
        deserialize_u16 => visit_u64(0),
        deserialize_u32 => visit_u64(0),
        deserialize_u64 => visit_u64(0),
        deserialize_f32 => visit_u64(0),
        deserialize_f64 => visit_u64(0),
        deserialize_char => visit_char('-'),
        deserialize_str => visit_str(TEXT),
        deserialize_string => visit_str(TEXT),
        deserialize_bytes => visit_bytes(&[]),
        deserialize_byte_buf => visit_bytes(&[]),
        deserialize_seq => visit_seq(Elements(Vec::new().into_iter())),
        deserialize_map => visit_map(Fields { entries: Vec::new().into_iter(), value: None }),
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value {
            None | Some(Value::Null) => visitor.visit_none(),
            Some(_) => visitor.visit_some(self),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.value {
            None | Some(Value::Object(_)) => {
                visitor.visit_map(self.fields(known)).map_err(|fault| fault.below(&self.path))
            }
            Some(_) => Err(Fault::Text("must be an object".to_owned())),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match (self.value, variants) {
            (Some(Value::String(text)), _) => visitor.visit_enum(StrDeserializer::new(text)),
            (Some(Value::Object(_)), _) => visitor.visit_enum(MapAccessDeserializer::new(self.fields(&[]))),
            (None, [first, ..]) => visitor.visit_enum(StrDeserializer::new(first)),
            _ => Err(Fault::unknown_variant("", variants)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    serde::forward_to_deserialize_any! { unit unit_struct identifier ignored_any }
}

#[cfg(test)]
mod tests;
