//! The errors of SCIM (RFC 7644 §3.12, RFC 9865 §2.1): a status, mostly a keyword, and what to mend.

use std::fmt;

use serde_json::{Value, json};

/// The schema of an error.
pub const ERROR_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// A registered `scimType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScimType {
    /// The filter is malformed, or compares what can't be compared.
    InvalidFilter,
    /// More results than we are willing to give.
    TooMany,
    /// A value that must be unique is taken.
    Uniqueness,
    /// The attribute can't be changed like that.
    Mutability,
    /// The body is not what this kind of request has.
    InvalidSyntax,
    /// The path of a PATCH operation is malformed, or names what we don't know.
    InvalidPath,
    /// The path of a PATCH operation finds nothing.
    NoTarget,
    /// A value is missing, or of another type.
    InvalidValue,
    /// The protocol version is not one that we speak.
    InvalidVers,
    /// What was asked for must not be in a URL.
    Sensitive,
    /// The cursor is not one of ours.
    InvalidCursor,
    /// The cursor was ours and is over.
    ExpiredCursor,
    /// The count can't be had with a cursor.
    InvalidCount,
}

impl ScimType {
    /// The keyword as the specifications write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidFilter => "invalidFilter",
            Self::TooMany => "tooMany",
            Self::Uniqueness => "uniqueness",
            Self::Mutability => "mutability",
            Self::InvalidSyntax => "invalidSyntax",
            Self::InvalidPath => "invalidPath",
            Self::NoTarget => "noTarget",
            Self::InvalidValue => "invalidValue",
            Self::InvalidVers => "invalidVers",
            Self::Sensitive => "sensitive",
            Self::InvalidCursor => "invalidCursor",
            Self::ExpiredCursor => "expiredCursor",
            Self::InvalidCount => "invalidCount",
        }
    }

    /// The status that goes with it.
    const fn status(self) -> u16 {
        match self {
            Self::Uniqueness => 409,
            Self::Sensitive => 403,
            Self::InvalidFilter
            | Self::TooMany
            | Self::Mutability
            | Self::InvalidSyntax
            | Self::InvalidPath
            | Self::NoTarget
            | Self::InvalidValue
            | Self::InvalidVers
            | Self::InvalidCursor
            | Self::ExpiredCursor
            | Self::InvalidCount => 400,
        }
    }
}

/// An error that the directory is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The HTTP status.
    pub status: u16,
    /// The keyword, where one is registered for the case.
    pub scim_type: Option<ScimType>,
    /// What to mend, in our words: positions and the names of our schemas, never a value that was sent.
    pub detail: String,
}

impl Error {
    /// An error with a keyword; the status follows from it.
    pub fn new(scim_type: ScimType, detail: impl Into<String>) -> Self {
        Self { status: scim_type.status(), scim_type: Some(scim_type), detail: detail.into() }
    }

    /// An error that has no keyword, such as 404 or 413.
    pub fn status(status: u16, detail: impl Into<String>) -> Self {
        Self { status, scim_type: None, detail: detail.into() }
    }

    /// `invalidValue`, the most common one.
    pub fn invalid_value(detail: impl Into<String>) -> Self {
        Self::new(ScimType::InvalidValue, detail)
    }

    /// The same error, saying which operation of the request has it, counted from 0.
    pub(super) fn at(self, index: usize) -> Self {
        Self { detail: format!("Operations[{index}]: {}", self.detail), ..self }
    }

    /// The body of the answer. The status is text there (RFC 7644 §3.12).
    pub fn body(&self) -> Value {
        let mut body = json!({ "schemas": [ERROR_SCHEMA], "status": self.status.to_string(), "detail": self.detail });
        if let (Some(scim_type), Some(body)) = (self.scim_type, body.as_object_mut()) {
            body.insert("scimType".to_owned(), scim_type.as_str().into());
        }
        body
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keyword = self.scim_type.map_or("error", ScimType::as_str);
        write!(f, "{} {keyword}: {}", self.status, self.detail)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    /// SC-3
    #[test]
    fn the_status_is_text_and_the_keyword_is_left_out_where_there_is_none() {
        let error = Error::new(ScimType::Uniqueness, "userName is taken");
        assert_eq!(
            error.body(),
            json!({ "schemas": [ERROR_SCHEMA], "status": "409", "scimType": "uniqueness", "detail": "userName is taken" })
        );
        let gone = Error::status(404, "there is no such user");
        assert_eq!(
            gone.body(),
            json!({ "schemas": [ERROR_SCHEMA], "status": "404", "detail": "there is no such user" })
        );
        assert_eq!(error.to_string(), "409 uniqueness: userName is taken");
    }
}
