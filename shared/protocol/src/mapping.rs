//! From what is said of a person to what they may do and where they belong: claims are found by [`path`], read as
//! [`value`]s, and become attributes ([`attribute`]) or, by a tenant's [`rule`]s, roles, teams and business units.
//!
//! Where claims come from is no matter of this module: the same rules are asked of a sign-in, of what a directory
//! pushed, and of an example that an administrator tries. `docs/MAPPING.md` says all of this for administrators.

pub mod attribute;
pub mod directory;
pub mod name;
pub mod path;
pub mod pattern;
pub mod rule;
pub mod value;

use std::fmt::{self, Display};
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error as _, Expected, Unexpected};

/// Reads a text that has a form of its own. The error says what is wrong with it, and never the text.
fn read_text<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(deserializer: D) -> Result<T, D::Error> {
    struct Rule<E>(E);
    impl<E: Display> Expected for Rule<E> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.fmt(f)
        }
    }
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|error| D::Error::invalid_value(Unexpected::Other("a text"), &Rule(error)))
}

/// A type with a `text`, which it is written as, read from and shown as.
macro_rules! text_form {
    ($type:ident) => {
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.text)
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.text)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::mapping::read_text(deserializer)
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                String::json_schema(generator)
            }
        }
    };
}
use text_form;

/// A text as it is compared where case does not matter: as [`crate::scim::condition::fold`], but letter by letter, so
/// that the beginning of a text compares as the text does. (The Greek sigma has another form at the end of a word.)
fn fold(text: &str) -> String {
    text.chars().flat_map(fold_char).collect()
}

fn fold_char(letter: char) -> impl DoubleEndedIterator<Item = char> {
    letter.to_lowercase().map(|lower| if lower == 'ς' { 'σ' } else { lower })
}
