//! The administrator's side: tenants with their domains and hosts, applications, connections, people. One file an object, each with what may be
//! sent ([`serde`] input), what is shown (never a secret), and get, put and delete.
//!
//! A `put` creates or replaces. A secret that is left out of a replacement stays as it was.

pub mod audit;
mod checkpoint;
pub mod clients;
pub mod connections;
pub mod domains;
pub mod hosts;
mod look;
pub mod presets;
pub mod relay;
pub mod signing_keys;
pub mod tenants;
pub mod users;

use serde::Deserialize;
use subtle::ConstantTimeEq;
use url::Url;

use crate::Broker;
use crate::error::{AdminError, Error};
use crate::model::is_id;

/// Whether a `put` made something new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It was not there before.
    Created,
    /// It was, and is replaced.
    Replaced,
}

/// The bearer is an administrator: their token is the deployment's.
pub fn check_token(broker: &Broker, bearer: Option<&str>) -> Result<(), AdminError> {
    let expected = broker.config.admin_token.expose().as_bytes();
    match bearer {
        Some(bearer) if bool::from(bearer.as_bytes().ct_eq(expected)) => Ok(()),
        _ => Err(AdminError::Unauthorized),
    }
}

/// Reads the body of a `put`.
pub fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, AdminError> {
    serde_json::from_slice(body).map_err(|error| {
        // The parser's text names fields and positions; any other that it has may quote a value.
        let text = error.to_string();
        let names_a_field = ["missing field", "unknown field", "duplicate field"].iter().any(|it| text.starts_with(it));
        let safe = match error.classify() {
            serde_json::error::Category::Data if !names_a_field => {
                format!(
                    "a field has the wrong type or an unknown value at line {} column {}",
                    error.line(),
                    error.column()
                )
            }
            _ => text,
        };
        AdminError::Body(safe)
    })
}

fn check_id(field: &'static str, id: &str) -> Result<(), AdminError> {
    if is_id(id) { Ok(()) } else { Err(AdminError::Invalid { field, problem: "must be 1 to 40 of a-z, 0-9 and -" }) }
}

fn check_name(name: &str) -> Result<(), AdminError> {
    let fine = !name.trim().is_empty() && name.chars().count() <= 100;
    if fine { Ok(()) } else { Err(AdminError::Invalid { field: "name", problem: "must have 1 to 100 characters" }) }
}

/// Where a browser may be sent: https, http on loopback, or an application's own scheme with a dot in it (RFC 8252
/// §7.1). No fragment (RFC 6749 §3.1.2), no userinfo, nothing that a browser would run.
fn check_redirect_uris(field: &'static str, uris: &[String]) -> Result<(), AdminError> {
    let invalid = |problem| Err(AdminError::Invalid { field, problem });
    if uris.len() > 50 {
        return invalid("has more than 50 addresses");
    }
    for text in uris {
        let Ok(uri) = Url::parse(text) else { return invalid("has an address that is not an absolute URL") };
        if text.contains('*') {
            return invalid("has a wildcard: addresses are compared character by character");
        }
        if text.len() > 1024 || uri.fragment().is_some() || !uri.username().is_empty() || uri.password().is_some() {
            return invalid("has an address with a fragment, a user name or more than 1024 bytes");
        }
        let loopback = matches!(uri.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        let allowed = match uri.scheme() {
            "https" => true,
            "http" => loopback,
            private_use => private_use.contains('.'),
        };
        if !allowed {
            return invalid("must be https, http on loopback, or a private scheme such as com.example.app");
        }
    }
    Ok(())
}

/// A change that lost a race is the administrator's to repeat.
fn conflict_is_theirs(error: Error) -> Error {
    use crate::error::Internal;
    use crate::store::StoreError;
    match error {
        Error::Internal(Internal::Store(StoreError::Conflict)) => AdminError::Conflict.into(),
        error => error,
    }
}
