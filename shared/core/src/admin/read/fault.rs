//! Why a value does not fit, in our words: `serde`'s own would quote what was sent.

use std::fmt;

use serde::de::{Expected, Unexpected};

use crate::admin::problems::Problem;

/// Why reading stopped.
#[derive(Debug)]
pub(super) enum Fault {
    /// A field is missing; its path is known.
    Missing(String),
    /// A field of this name is missing, somewhere.
    Field(&'static str),
    /// A value does not fit.
    Text(String),
    /// Nothing that is not noted already.
    Silent,
}

impl Fault {
    /// Says where the missing field is: in the object at `path`.
    pub(super) fn below(self, path: &str) -> Self {
        match self {
            Self::Field(name) => Self::Missing(format!("{path}/{name}")),
            fault => fault,
        }
    }

    /// What to tell, of a value at `path`.
    pub(super) fn problem(self, path: &str) -> Option<Problem> {
        match self.below(path) {
            Self::Missing(path) => Some(Problem { path, problem: "is missing".to_owned() }),
            Self::Text(problem) => Some(Problem { path: path.to_owned(), problem }),
            Self::Field(_) | Self::Silent => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body does not fit")
    }
}

impl std::error::Error for Fault {}

impl serde::de::Error for Fault {
    /// The text is not told: addresses, for one, come back in it as they were sent.
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Text("has not the form that is expected here".to_owned())
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Text(format!("must be {}", words(&expected.to_string())))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        match words(&expected.to_string()) {
            words if words.starts_with("a ") => Self::Text(format!("must be {words}")),
            words => Self::Text(format!("is wrong: {words}")),
        }
    }

    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Self::Text(format!("must be {}", words(&expected.to_string())))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::Text(format!("must be one of {}", expected.join(", ")))
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Self::Text("is not a field that exists here".to_owned())
    }

    fn missing_field(name: &'static str) -> Self {
        Self::Field(name)
    }
}

/// What Rust calls a type, as people call it.
fn words(expected: &str) -> String {
    match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "i64" | "u64" | "i32" | "usize" => "a whole number",
        "a sequence" => "an array",
        "a map" => "an object",
        "a boolean" => "true or false",
        text if text.starts_with("struct ") => "an object",
        text => text,
    }
    .to_owned()
}
