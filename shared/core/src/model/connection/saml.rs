//! How to talk to an identity provider that speaks SAML 2.0.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;
use vestibule_protocol::saml::Endpoint;
use vestibule_protocol::time::{Seconds, Timestamp};

use super::{ClaimNames, default_skew};

/// The settings of a connection that speaks SAML.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SamlSettings {
    /// The provider's entity id, exactly as in its messages. No metadata changes it.
    pub idp_entity_id: String,
    /// Where its metadata is fetched from, again and again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata_url: Option<Url>,
    /// What is known of it, where nothing is fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idp: Option<IdpFacts>,
    /// Our entity id there, where it is not the usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sp_entity_id: Option<String>,
    /// What our requests hold.
    pub request: SamlRequestSettings,
    /// Whether our metadata says what to encrypt for. What comes encrypted is opened in any case.
    pub wants_encryption: bool,
    /// Whether an address that it sends counts as verified, for SAML has no word for it.
    #[serde(default)]
    pub trusts_email: bool,
    /// What becomes of a response that nobody asked for; refused when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idp_initiated: Option<IdpInitiated>,
    /// Under which names it speaks of people.
    #[serde(default)]
    pub claims: ClaimNames,
    /// How far its clock may be off, in either direction.
    #[serde(default = "default_skew")]
    pub skew: Seconds,
}

/// What is known of an identity provider beside its entity id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdpFacts {
    /// Where it takes requests to sign somebody in, its favourite first; at least one.
    pub single_sign_on: Vec<Endpoint>,
    /// Where it takes logout messages, its favourite first.
    #[serde(default)]
    pub single_logout: Vec<Endpoint>,
    /// What it signs with: certificates in base64 of DER; at least one.
    pub certificates: Vec<String>,
    /// Whether it wants requests signed.
    #[serde(default)]
    pub wants_signed_requests: bool,
    /// Until when its metadata says that all of this counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
}

impl IdpFacts {
    /// Whether the metadata that said this says that it counts no more.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.valid_until.is_some_and(|end| end.has_passed(now))
    }
}

/// What our authentication requests hold. What is not set is not sent: providers refuse what they do not expect.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SamlRequestSettings {
    /// Whether they are signed, even where the provider's metadata does not ask for it.
    pub signed: bool,
    /// Whether the person must sign in again each time.
    pub force_authn: bool,
    /// The format of the name that we ask for: a URI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_id_format: Option<String>,
    /// How the person should sign in: class URIs, any of which will do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authn_contexts: Vec<String>,
}

/// What becomes of a response that the provider sends of its own accord, from a tile of its portal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdpInitiated {
    /// The application to which it leads, by its `initiate_login_uri`, unless the `RelayState` names another of the tenant's.
    pub client: String,
    /// What it is good for.
    #[serde(default)]
    pub mode: IdpInitiatedMode,
}

/// What a response that nobody asked for is good for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IdpInitiatedMode {
    /// It is not believed: the application starts a login of its own, and the provider, where the person is signed in
    /// already, answers that. Nobody can sign a browser in as somebody else.
    #[default]
    Restart,
    /// It begins a session, for providers that answer no requests. Whoever has an account at the provider can then make
    /// another's browser sign in as themselves.
    Accept,
}
