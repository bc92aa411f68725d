//! The identity providers of a tenant.

use jsonwebtoken::jwk::JwkSet;
use serde::{Deserialize, Serialize};
use vestibule_protocol::oidc::discovery::ProviderMetadata;
use vestibule_protocol::time::Timestamp;

use super::sign_in::SignIn;
use crate::seal::Sealed;

/// A tenant's identity provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// What people read.
    pub name: String,
    /// Whether it can be used.
    pub enabled: bool,
    /// To whom it is offered, and how.
    #[serde(default)]
    pub sign_in: SignIn,
    /// What it speaks, and the settings for that.
    #[serde(flatten)]
    pub upstream: Upstream,
}

/// A protocol with its settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "protocol", rename_all = "snake_case")]
pub enum Upstream {
    /// OpenID Connect.
    Oidc(OidcSettings),
}

/// How to talk to an OpenID provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OidcSettings {
    /// The provider's name for itself, exactly as in its tokens.
    pub issuer: String,
    /// Our name there.
    pub client_id: String,
    /// Our secret there, sealed for this connection.
    pub client_secret: Sealed,
    /// How we prove who we are.
    pub client_auth: UpstreamClientAuth,
    /// What we ask for; always holds `openid`.
    pub scopes: Vec<String>,
}

/// How we prove who we are to a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpstreamClientAuth {
    /// In the `Authorization` header.
    ClientSecretBasic,
    /// In the form.
    ClientSecretPost,
}

/// What was last fetched from a provider. Public documents; a copy may be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpstreamDocuments {
    /// Its metadata.
    pub metadata: ProviderMetadata,
    /// Its keys.
    pub jwks: JwkSet,
    /// When both were fetched.
    pub fetched_at: Timestamp,
    /// When they were last fetched because a token named an unknown key; the next such fetch waits for the cool-down.
    pub refetched_at: Option<Timestamp>,
}
