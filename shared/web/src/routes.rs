//! The routes, one file a surface.

pub(crate) mod admin;
pub(crate) mod authorize;
pub(crate) mod callback;
pub(crate) mod checkpoint;
pub(crate) mod documents;
pub(crate) mod home;
pub(crate) mod initiate;
pub(crate) mod introspect;
pub(crate) mod invitation;
pub(crate) mod logout;
pub(crate) mod provider_notice;
pub(crate) mod pushed;
pub(crate) mod relay;
pub(crate) mod revoke;
pub(crate) mod saml;
pub(crate) mod scim;
pub(crate) mod status;
pub(crate) mod test_login;
pub(crate) mod token;
pub(crate) mod userinfo;
pub(crate) mod verify;

use std::sync::Arc;

use axum::extract::State;
use vestibule_core::Broker;

/// The broker, as every handler gets it.
pub(crate) type Shared = State<Arc<Broker>>;
