//! SCIM 2.0 as pure functions (RFC 7643, RFC 7644): what directories send becomes typed values or a clear error.
//!
//! Tolerant of what Entra and Okta really send, strict in what we answer. What was forgiven is noted, so that an
//! administrator can see it.

pub mod bulk;
pub mod condition;
mod error;
pub mod filter;
pub mod instant;
pub mod list;
pub mod member;
pub mod note;
pub mod patch;
pub mod path;
pub mod projection;
pub mod query;
pub mod resource;
pub mod schema;
pub mod service_provider;
pub mod sort;
mod value;

pub use error::{ERROR_SCHEMA, Error, ScimType};
