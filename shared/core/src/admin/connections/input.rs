//! What an administrator sends for a connection, and the rules on it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vestibule_protocol::mapping::attribute::AttributeMapping;
use vestibule_protocol::mapping::path::ClaimPath;
use vestibule_protocol::time::Seconds;

use super::probe::StatusProbeInput;
use super::saml::SamlInput;
use super::{claims, oidc, saml, sync};
use crate::Broker;
use crate::admin::check_name;
use crate::admin::problems::Problems;
use crate::model::connection::{
    AssertionAudience, DEFAULT_SKEW, Endpoints, LogoutSettings, MAX_SKEW, Prompt, ResponseMode, Revocation,
    UpstreamClientAuth,
};
use crate::model::sign_in::SignIn;
use crate::model::sync::SyncSettings;

/// What an administrator sends.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectionInput {
    /// What people read.
    pub name: String,
    /// What the provider speaks. What says nothing else below is for OpenID Connect.
    pub protocol: Protocol,
    /// The provider and how to talk to it, with protocol `saml`.
    #[serde(default)]
    pub saml: Option<SamlInput>,
    /// Whether it can be used; `true` when left out.
    #[serde(default = "enabled")]
    pub enabled: bool,
    /// To whom it is offered, and how.
    #[serde(default)]
    pub sign_in: SignIn,
    /// What becomes of somebody whom the provider revokes.
    #[serde(default)]
    pub revocation: Revocation,
    /// How sign-outs reach the provider, and come from there.
    #[serde(default)]
    pub logout: LogoutSettings,
    /// How its people are asked about between sign-ins.
    #[serde(default)]
    pub sync: SyncSettings,
    /// Where it can be asked whether somebody is active.
    #[serde(default)]
    pub status_probe: Option<StatusProbeInput>,
    /// The provider's name for itself, exactly as in its tokens. `{tenantid}` in its path is Entra's template. Needed.
    #[serde(default)]
    pub issuer: Option<String>,
    /// The Entra directories that may sign in, by id: with a template, and only with one.
    #[serde(default)]
    pub entra_directories: Vec<String>,
    /// Where the provider is; found by discovery when left out.
    #[serde(default)]
    pub endpoints: Option<Endpoints>,
    /// Our name there. Needed.
    #[serde(default)]
    pub client_id: Option<String>,
    /// Our secret there. Kept as it was when left out of a replacement; must be left out where none is used.
    #[serde(default)]
    pub client_secret: Option<String>,
    /// How we prove who we are. Needed.
    #[serde(default)]
    pub client_auth: Option<UpstreamClientAuth>,
    /// Whom our assertions are for, with `private_key_jwt`; the token endpoint when left out.
    #[serde(default)]
    pub assertion_audience: AssertionAudience,
    /// What we ask for; `openid` and `email` when left out.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
    /// What stands in `aud` of its ID tokens; the client id when left out.
    #[serde(default)]
    pub audience: Option<String>,
    /// How the provider may behave.
    #[serde(default)]
    pub prompt: Vec<Prompt>,
    /// What kinds of sign-in we prefer, best first.
    #[serde(default)]
    pub acr_values: Vec<String>,
    /// How many seconds ago the person may have signed in at the provider.
    #[serde(default)]
    pub max_age: Option<u32>,
    /// How the provider's answer comes back: `query` when left out, or `form_post`.
    #[serde(default)]
    pub response_mode: ResponseMode,
    /// Whether our key signs the authorization requests (RFC 9101).
    #[serde(default)]
    pub sign_requests: bool,
    /// Whether they are sent ahead (RFC 9126), even where the provider does not insist on it.
    #[serde(default)]
    pub push_requests: bool,
    /// More parameters of the authorization request.
    #[serde(default)]
    pub authorization_parameters: BTreeMap<String, String>,
    /// The claim with the e-mail address; `email` when left out. Like all claims, for both protocols: its exact name, a
    /// dotted path, or JSONPath.
    #[serde(default)]
    pub email_claim: Option<ClaimPath>,
    /// The claim that names the person for good; `sub` when left out.
    #[serde(default)]
    pub unique_id_claim: Option<ClaimPath>,
    /// The claim with the groups; `groups` when left out.
    #[serde(default)]
    pub groups_claim: Option<ClaimPath>,
    /// The claim with the name that the person goes by; `preferred_username` when left out.
    #[serde(default)]
    pub preferred_username_claim: Option<ClaimPath>,
    /// The claim with the full name; `name` when left out.
    #[serde(default)]
    pub name_claim: Option<ClaimPath>,
    /// The claim with the first name; `given_name` when left out.
    #[serde(default)]
    pub given_name_claim: Option<ClaimPath>,
    /// The claim with the last name; `family_name` when left out.
    #[serde(default)]
    pub family_name_claim: Option<ClaimPath>,
    /// More attributes that are kept of the person, by the names that tokens can have them under. At most 50.
    #[serde(default)]
    pub attributes: BTreeMap<String, AttributeMapping>,
    /// How many seconds the provider's clock may be off; 60 when left out, at most 300.
    #[serde(default)]
    pub skew_seconds: Option<u32>,
}

/// What a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// OpenID Connect.
    Oidc,
    /// SAML 2.0.
    Saml,
}

const fn enabled() -> bool {
    true
}

impl ConnectionInput {
    /// Everything but the secrets is as it must be.
    pub(super) fn check(&self, broker: &Broker, problems: &mut Problems) {
        check_name(problems, &self.name);
        if self.skew_seconds.is_some_and(|skew| i64::from(skew) > MAX_SKEW.0) {
            problems.add("/skew_seconds", "must be 300 at most");
        }
        claims::check(problems, &self.attributes);
        sync::check(problems, &self.sync);
        match self.protocol {
            Protocol::Oidc => oidc::check(broker, problems, self),
            Protocol::Saml => saml::check(broker, problems, self),
        }
    }

    /// How far the provider's clock may be off.
    pub(super) fn skew(&self) -> Seconds {
        self.skew_seconds.map_or(DEFAULT_SKEW, |seconds| Seconds(seconds.into()))
    }
}
