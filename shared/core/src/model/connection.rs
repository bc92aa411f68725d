//! The identity providers of a tenant.

use jsonwebtoken::jwk::JwkSet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vestibule_protocol::oidc::discovery::ProviderMetadata;
use vestibule_protocol::time::{Seconds, Timestamp};

pub use self::claims::ClaimNames;
pub use self::logout::LogoutSettings;
pub use self::oidc::{
    AssertionAudience, Endpoints, OidcSettings, Prompt, RequestSettings, ResponseMode, UpstreamClientAuth,
};
pub use self::saml::{IdpFacts, IdpInitiated, IdpInitiatedMode, SamlRequestSettings, SamlSettings};
use super::probe::StatusProbe;
use super::sign_in::SignIn;
use super::sync::SyncSettings;

mod claims;
mod logout;
mod oidc;
mod saml;

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
    /// What becomes of somebody whom its provider revokes.
    #[serde(default)]
    pub revocation: Revocation,
    /// How sign-outs reach its provider, and come from there.
    #[serde(default)]
    pub logout: LogoutSettings,
    /// How its people are asked about between sign-ins.
    #[serde(default)]
    pub sync: SyncSettings,
    /// Where it can be asked whether somebody is active.
    #[serde(default)]
    pub status_probe: Option<StatusProbe>,
    /// What it speaks, and the settings for that.
    #[serde(flatten)]
    pub upstream: Upstream,
}

/// What becomes of somebody whom a connection's provider revokes (Global Token Revocation).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Revocation {
    /// Whether they are deactivated, too, until somebody activates them again. Otherwise all their sessions end, and they
    /// may sign in anew.
    pub deactivates: bool,
    /// Whether the provider is told 204 of somebody who is not known here, as of anybody else; otherwise 404.
    pub hides_unknown: bool,
}

/// A protocol with its settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "protocol", rename_all = "snake_case")]
pub enum Upstream {
    /// OpenID Connect.
    Oidc(Box<OidcSettings>),
    /// SAML 2.0.
    Saml(Box<SamlSettings>),
}

impl Upstream {
    /// The settings of a connection that speaks OpenID Connect.
    pub const fn oidc(&self) -> Option<&OidcSettings> {
        match self {
            Self::Oidc(settings) => Some(settings),
            Self::Saml(_) => None,
        }
    }

    /// The settings of a connection that speaks SAML.
    pub const fn saml(&self) -> Option<&SamlSettings> {
        match self {
            Self::Saml(settings) => Some(settings),
            Self::Oidc(_) => None,
        }
    }

    /// Whether the provider calls itself so: by its issuer, or its entity id.
    pub fn is(&self, name: &str) -> bool {
        match self {
            Self::Oidc(settings) => settings.issuers().includes(name),
            Self::Saml(settings) => settings.idp_entity_id == name,
        }
    }

    /// Under which names the provider speaks of people.
    pub const fn claims(&self) -> &ClaimNames {
        match self {
            Self::Oidc(settings) => &settings.claims,
            Self::Saml(settings) => &settings.claims,
        }
    }
}

/// How far a provider's clock may be off unless set.
pub const DEFAULT_SKEW: Seconds = Seconds(60);
/// The most that can be set.
pub const MAX_SKEW: Seconds = Seconds(300);

const fn default_skew() -> Seconds {
    DEFAULT_SKEW
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
