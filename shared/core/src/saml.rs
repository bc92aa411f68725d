//! SAML 2.0 toward identity providers: what [`vestibule_protocol::saml`] cannot do without keys, time and storage.
//!
//! - [`claims`]: what an assertion says, in the form of claims.
//! - [`mod@expiry`]: what ends soon, and is told of.
//! - [`facts`]: what a provider's metadata says.
//! - [`mod@fetch`]: fetching it, keeping it, and when it is fetched again.
//! - [`names`]: what we are called toward a connection's provider, and where it reaches us.
//! - [`keys`]: our key pairs, made, sealed and opened.
//! - [`mod@logout`]: signing out, both ways.
//! - [`metadata`]: our own, for the provider's administrator.
//! - [`mod@parties`]: both sides of a connection, ready for use, as a read copy.
//! - [`person`]: who a verified assertion is about.
//! - [`mod@response`]: from a response to its assertion, once.
//! - [`sending`]: messages of ours on their way through the browser.
//! - [`start`]: our request to sign somebody in.
//! - [`mod@verify`]: from a response as it arrived to the bytes that a signature vouches for.
//! - [`watch`]: looks at connections while nobody signs in.

pub(crate) mod claims;
mod expiry;
pub(crate) mod facts;
pub(crate) mod fetch;
pub(crate) mod keys;
pub mod logout;
pub mod metadata;
pub(crate) mod names;
pub(crate) mod parties;
pub(crate) mod person;
pub(crate) mod response;
pub mod sending;
pub(crate) mod start;
pub mod verify;
pub(crate) mod watch;

use crate::model::connection::SamlSettings;

/// A connection whose provider speaks SAML.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) connection: &'a str,
    pub(crate) settings: &'a SamlSettings,
}
