//! How to talk to an OpenID provider.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;
use vestibule_protocol::oidc::discovery::ProviderMetadata;
use vestibule_protocol::oidc::issuer::Issuers;
use vestibule_protocol::time::Seconds;

use super::{ClaimNames, default_skew};
use crate::seal::Sealed;

/// How to talk to an OpenID provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OidcSettings {
    /// The provider's name for itself, exactly as in its tokens; perhaps Entra's template ([`Issuers`]).
    pub issuer: String,
    /// The Entra directories that a template stands for.
    #[serde(default)]
    pub entra_directories: Vec<String>,
    /// Where the provider is, when it publishes no metadata.
    #[serde(default)]
    pub endpoints: Option<Endpoints>,
    /// Our name there.
    pub client_id: String,
    /// Our secret there, sealed for this connection. Absent where [`UpstreamClientAuth::needs_secret`] says no.
    #[serde(default)]
    pub client_secret: Option<Sealed>,
    /// How we prove who we are.
    pub client_auth: UpstreamClientAuth,
    /// Whom our assertions are for, where we prove ourselves by one.
    #[serde(default)]
    pub assertion_audience: AssertionAudience,
    /// What we ask for; always holds `openid`.
    pub scopes: Vec<String>,
    /// What stands in `aud` of its ID tokens, when it is not our client id.
    #[serde(default)]
    pub audience: Option<String>,
    /// What we ask of the sign-in itself.
    #[serde(default)]
    pub request: RequestSettings,
    /// Under which names it speaks of people.
    #[serde(default)]
    pub claims: ClaimNames,
    /// How far its clock may be off, in either direction; at most [`super::MAX_SKEW`].
    #[serde(default = "default_skew")]
    pub skew: Seconds,
}

impl OidcSettings {
    /// The issuers that are believed.
    pub fn issuers(&self) -> Issuers<'_> {
        Issuers { configured: &self.issuer, directories: &self.entra_directories }
    }

    /// Whether a refresh token is asked for in one of the usual ways. A provider may give one anyway.
    pub fn asks_for_refresh_tokens(&self) -> bool {
        let by_parameter = self.request.parameters.get("access_type").is_some_and(|value| value == "offline");
        by_parameter || self.scopes.iter().any(|scope| scope == "offline_access")
    }

    /// What stands in `aud`.
    pub fn audience(&self) -> &str {
        self.audience.as_deref().unwrap_or(&self.client_id)
    }

    /// Metadata from settings, when the endpoints are set by hand. Such a provider promises nothing of RFC 9207.
    pub fn manual_metadata(&self) -> Option<ProviderMetadata> {
        let endpoints = self.endpoints.clone()?;
        Some(ProviderMetadata {
            issuer: self.issuer.clone(),
            authorization_endpoint: endpoints.authorization,
            token_endpoint: endpoints.token,
            jwks_uri: endpoints.jwks,
            userinfo_endpoint: endpoints.userinfo,
            introspection_endpoint: endpoints.introspection,
            end_session_endpoint: None,
            pushed_authorization_request_endpoint: endpoints.pushed_authorization_request,
            require_pushed_authorization_requests: false,
            authorization_response_iss_parameter_supported: false,
        })
    }
}

/// Where a provider is, set by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Endpoints {
    /// Where people sign in.
    pub authorization: Url,
    /// Where codes are exchanged.
    pub token: Url,
    /// Its public keys.
    pub jwks: Url,
    /// Where claims can be asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub userinfo: Option<Url>,
    /// Where it can be asked whether an access token is good (RFC 7662).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introspection: Option<Url>,
    /// Where authorization requests can be sent ahead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pushed_authorization_request: Option<Url>,
}

/// What every authorization request to a provider holds beside what the protocol needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestSettings {
    /// How it may behave (OpenID Connect Core §3.1.2.1); empty leaves it to the provider.
    #[serde(default)]
    pub prompt: Vec<Prompt>,
    /// What kinds of sign-in we prefer, best first.
    #[serde(default)]
    pub acr_values: Vec<String>,
    /// How long ago the person may have signed in there. Then `auth_time` must come and is checked.
    #[serde(default)]
    pub max_age: Option<Seconds>,
    /// How its answer comes back.
    #[serde(default)]
    pub response_mode: ResponseMode,
    /// Whether our key signs them (RFC 9101).
    #[serde(default)]
    pub signed: bool,
    /// Whether they are sent ahead (RFC 9126), even where the provider takes others.
    #[serde(default)]
    pub pushed: bool,
    /// More parameters, as they are. None of them is one that we send.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
}

/// How a provider's answer comes back. An answer that comes the other way does not count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// In the query of a redirect, which every provider does.
    #[default]
    Query,
    /// In a form that the browser posts (OAuth 2.0 Form Post Response Mode): the code is in no address and no log.
    FormPost,
}

/// What the provider should ask of the person (OpenID Connect Core §3.1.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Prompt {
    /// Nothing. Never together with another.
    None,
    /// To sign in, even if they have.
    Login,
    /// To consent, even if they have.
    Consent,
    /// Which account they mean.
    SelectAccount,
}

impl Prompt {
    /// The word in a request.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Login => "login",
            Self::Consent => "consent",
            Self::SelectAccount => "select_account",
        }
    }
}

/// How we prove who we are to a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpstreamClientAuth {
    /// In the `Authorization` header.
    ClientSecretBasic,
    /// In the form.
    ClientSecretPost,
    /// By a signed assertion (RFC 7523 §2.2), with the key that we publish.
    PrivateKeyJwt,
    /// Not at all: a public client, whose code only PKCE protects.
    None,
}

/// Whom a client assertion is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AssertionAudience {
    /// The address of the token endpoint, as OpenID Connect Core §9 says.
    #[default]
    TokenEndpoint,
    /// The provider's issuer, as newer profiles want it: no other provider's endpoint can be mistaken for it.
    Issuer,
}

impl UpstreamClientAuth {
    /// Whether there is a secret between the provider and us.
    pub const fn needs_secret(self) -> bool {
        match self {
            Self::ClientSecretBasic | Self::ClientSecretPost => true,
            Self::PrivateKeyJwt | Self::None => false,
        }
    }
}
