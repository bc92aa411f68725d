//! The protocols as pure functions: bytes and values in, values or errors out.
//!
//! No clock, no randomness, no storage, no async. What a rule needs of the world is a parameter.

pub mod jose;
pub mod mapping;
pub mod oauth;
pub mod oidc;
pub mod params;
pub mod saml;
pub mod scim;
pub mod time;
