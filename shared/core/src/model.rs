//! What is kept, as types. Where each lies is in [`crate::store::key`].

pub mod access;
pub mod admin_token;
pub mod audit;
pub mod checkpoint;
pub mod client;
pub mod connection;
pub mod delivery;
pub mod effect;
pub mod group;
pub mod invitation;
pub mod lifetimes;
pub mod mapping;
pub mod pending;
pub mod probe;
pub mod provisioned;
pub mod provisioning;
pub mod pushed;
pub mod routing;
pub mod saml;
pub mod scim;
pub mod scim_access;
pub mod session;
pub mod sign_in;
pub mod signing;
pub mod sync;
pub mod tenant;
pub mod test_login;
pub mod usage;
pub mod user;
pub mod watch;
pub mod webhook;

/// Whether `text` can name a tenant, client or connection: 1 to 40 of `a-z`, `0-9` and `-`.
pub fn is_id(text: &str) -> bool {
    (1..=40).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
