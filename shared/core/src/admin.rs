//! The administrator's side: tenants with their domains and hosts, applications, connections, people. One file an
//! object, each with what may be sent ([`serde`] input), what is shown (never a secret), and get, put and delete.
//!
//! A `put` creates or replaces. A secret that is left out of a replacement stays as it was. What every change has in
//! common is in [`change`].

pub mod access;
pub mod audit;
pub mod caller;
pub mod change;
mod checkpoint;
mod claims;
pub mod clients;
pub mod connections;
pub mod days;
pub mod decommission;
pub mod deliveries;
pub mod domains;
pub mod hosts;
pub mod invitations;
pub mod keys;
mod lifetimes;
mod look;
pub mod mapping;
pub mod paging;
pub mod presets;
pub mod problems;
pub mod provisioning;
mod read;
pub mod relay;
pub mod reseal;
pub mod saml_keys;
pub mod saml_provider;
mod scim_access;
pub mod scim_clients;
pub mod scim_schemas;
pub mod scim_tokens;
pub mod sessions;
pub mod signing_keys;
pub mod sync;
pub mod tenants;
pub mod test_logins;
pub mod tokens;
pub mod usage;
pub mod users;
pub mod webhook_secret;
pub mod webhooks;

use url::Url;

pub use self::problems::Checked;
use self::problems::Problems;
pub use self::read::read;
use crate::Broker;
use crate::error::AdminError;
use crate::model::is_id;
use crate::platform::check_egress;

/// Whether a `put` made something new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It was not there before.
    Created,
    /// It was, and is replaced.
    Replaced,
}

fn check_id(field: &'static str, id: &str) -> Result<(), AdminError> {
    if is_id(id) { Ok(()) } else { Err(AdminError::Invalid { field, problem: "must be 1 to 40 of a-z, 0-9 and -" }) }
}

fn check_name(problems: &mut Problems, name: &str) {
    if name.trim().is_empty() || name.chars().count() > 100 {
        problems.add("/name", "must have 1 to 100 characters");
    }
}

/// Where a browser may be sent: https, http on loopback, or an application's own scheme with a dot in it (RFC 8252
/// §7.1). No fragment (RFC 6749 §3.1.2), no userinfo, nothing that a browser would run.
fn check_redirect_uris(problems: &mut Problems, path: &str, uris: &[String]) {
    if uris.len() > 50 {
        problems.add(path, "has more than 50 addresses");
    }
    for (index, text) in uris.iter().enumerate() {
        problems.take(&format!("{path}/{index}"), check_redirect_uri(text));
    }
}

fn check_redirect_uri(text: &str) -> Result<(), &'static str> {
    let uri = Url::parse(text).map_err(|_| "is not an absolute URL")?;
    if text.contains('*') {
        return Err("has a wildcard: addresses are compared character by character");
    }
    if text.len() > 1024 || uri.fragment().is_some() || !uri.username().is_empty() || uri.password().is_some() {
        return Err("has a fragment, a user name or more than 1024 bytes");
    }
    let loopback = matches!(uri.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let allowed = match uri.scheme() {
        "https" => true,
        "http" => loopback,
        private_use => private_use.contains('.'),
    };
    if allowed { Ok(()) } else { Err("must be https, http on loopback, or a private scheme such as com.example.app") }
}

/// A server that we send requests to of our own accord.
fn check_server_url(broker: &Broker, text: &str) -> Result<(), &'static str> {
    let url = Url::parse(text).map_err(|_| "is not an absolute URL")?;
    if text.len() > 1024 || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err("has a fragment, a user name or more than 1024 bytes");
    }
    let allowed = url.as_str().parse().is_ok_and(|uri| check_egress(&uri, broker.config.egress_loopback).is_ok());
    if allowed { Ok(()) } else { Err("must be https, and not in a private network") }
}
