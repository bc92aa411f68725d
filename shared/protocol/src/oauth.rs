//! OAuth 2.0 toward the applications: what they may ask, and how we answer when they may not.

pub mod acr;
pub mod assertion;
pub mod authorize;
pub mod client_auth;
mod error;
pub mod pkce;
pub mod prompt;
pub mod pushed;
pub mod relay;
pub mod scope;
pub mod token;

pub use error::{Error, ErrorCode};
