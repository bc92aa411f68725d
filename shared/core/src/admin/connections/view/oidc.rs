//! How a connection's settings for OpenID Connect are shown.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::Broker;
use crate::logout::return_address;
use crate::model::connection::{AssertionAudience, Endpoints, OidcSettings, Prompt, ResponseMode, UpstreamClientAuth};
use crate::provider_notice;

/// A provider that speaks OpenID Connect.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OidcView {
    /// The provider.
    pub issuer: String,
    /// The Entra directories that may sign in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entra_directories: Vec<String>,
    /// Where the provider is; absent when it is found by discovery.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<Endpoints>,
    /// Our name there.
    pub client_id: String,
    /// How we prove who we are.
    pub client_auth: UpstreamClientAuth,
    /// Whom our assertions are for, with `private_key_jwt`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assertion_audience: Option<AssertionAudience>,
    /// What we ask for.
    pub scopes: Vec<String>,
    /// What stands in `aud` of its ID tokens.
    pub audience: String,
    /// How the provider may behave.
    pub prompt: Vec<Prompt>,
    /// What kinds of sign-in we prefer.
    pub acr_values: Vec<String>,
    /// How many seconds ago the person may have signed in at the provider.
    pub max_age: Option<i64>,
    /// How the provider's answer comes back.
    pub response_mode: ResponseMode,
    /// Whether our key signs the authorization requests.
    pub sign_requests: bool,
    /// Whether they are sent ahead. They are where the provider insists on it, too.
    pub push_requests: bool,
    /// More parameters of the authorization request.
    pub authorization_parameters: BTreeMap<String, String>,
    /// What to register at the provider.
    pub redirect_uri: String,
    /// What to register there for logins that begin at the provider, with an application's id for `<client>`.
    pub initiate_login_uri: String,
    /// What to register there for logout tokens (OpenID Connect Back-Channel Logout 1.0).
    pub backchannel_logout_uri: String,
    /// What to register there for frames of its sign-out page, where `logout.front_channel` is on.
    pub frontchannel_logout_uri: String,
    /// What to register there for the way back from a sign-out, where `logout.at_provider` is on.
    pub post_logout_redirect_uri: String,
    /// What to register there for Global Token Revocation.
    pub global_token_revocation_uri: String,
}

/// What an administrator sees of the settings.
pub(super) fn view(broker: &Broker, (tenant, id): (&str, &str), settings: OidcSettings) -> OidcView {
    let issuer = &broker.config.issuer;
    OidcView {
        redirect_uri: format!("{issuer}/oauth2/callback"),
        global_token_revocation_uri: provider_notice::revocation_uri(broker, tenant, id),
        backchannel_logout_uri: format!("{issuer}/oauth2/backchannel-logout/{tenant}/{id}"),
        frontchannel_logout_uri: format!("{issuer}/oauth2/frontchannel-logout/{tenant}/{id}"),
        post_logout_redirect_uri: return_address(broker),
        initiate_login_uri: format!("{issuer}/oauth2/initiate/{tenant}/{id}/<client>"),
        audience: settings.audience().to_owned(),
        issuer: settings.issuer,
        entra_directories: settings.entra_directories,
        endpoints: settings.endpoints,
        client_id: settings.client_id,
        assertion_audience: (settings.client_auth == UpstreamClientAuth::PrivateKeyJwt)
            .then_some(settings.assertion_audience),
        client_auth: settings.client_auth,
        scopes: settings.scopes,
        prompt: settings.request.prompt,
        acr_values: settings.request.acr_values,
        max_age: settings.request.max_age.map(|seconds| seconds.0),
        response_mode: settings.request.response_mode,
        sign_requests: settings.request.signed,
        push_requests: settings.request.pushed,
        authorization_parameters: settings.request.parameters,
    }
}
