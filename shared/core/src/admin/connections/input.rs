//! What an administrator sends for a connection, and the rules on it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;
use vestibule_protocol::mapping::attribute::AttributeMapping;
use vestibule_protocol::mapping::path::ClaimPath;
use vestibule_protocol::oidc::issuer::DIRECTORY;
use vestibule_protocol::time::Seconds;

use super::probe::StatusProbeInput;
use super::{claims, logout, sync};
use crate::Broker;
use crate::admin::check_name;
use crate::admin::problems::{Problems, escaped};
use crate::model::connection::{
    AssertionAudience, DEFAULT_SKEW, Endpoints, LogoutSettings, MAX_SKEW, OidcSettings, Prompt, RequestSettings,
    ResponseMode, Revocation, UpstreamClientAuth,
};
use crate::model::sign_in::SignIn;
use crate::model::sync::SyncSettings;
use crate::platform::check_egress;
use crate::seal::Sealed;
use crate::upstream::request::OUR_PARAMETERS;

/// What an administrator sends.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectionInput {
    /// What people read.
    pub name: String,
    /// `oidc`.
    pub protocol: Protocol,
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
    /// The provider's name for itself, exactly as in its tokens. `{tenantid}` in its path is Entra's template.
    pub issuer: String,
    /// The Entra directories that may sign in, by id: with a template, and only with one.
    #[serde(default)]
    pub entra_directories: Vec<String>,
    /// Where the provider is; found by discovery when left out.
    #[serde(default)]
    pub endpoints: Option<Endpoints>,
    /// Our name there.
    pub client_id: String,
    /// Our secret there. Kept as it was when left out of a replacement; must be left out where none is used.
    #[serde(default)]
    pub client_secret: Option<String>,
    /// How we prove who we are.
    pub client_auth: UpstreamClientAuth,
    /// Whom our assertions are for, with `private_key_jwt`; the token endpoint when left out.
    #[serde(default)]
    pub assertion_audience: AssertionAudience,
    /// What we ask for; `openid` and `email` when left out.
    #[serde(default = "default_scopes")]
    pub scopes: Vec<String>,
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
    /// The claim with the e-mail address; `email` when left out. Like all claims: its exact name, a dotted path, or
    /// JSONPath.
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
}

const fn enabled() -> bool {
    true
}

fn default_scopes() -> Vec<String> {
    ["openid", "email"].map(str::to_owned).into()
}

impl ConnectionInput {
    /// Everything but the secret is as it must be.
    pub(super) fn check(&self, broker: &Broker, problems: &mut Problems) {
        check_name(problems, &self.name);
        self.check_issuer(broker, problems);
        if let Some(endpoints) = &self.endpoints {
            let Endpoints { authorization, token, jwks, userinfo, introspection, pushed_authorization_request } =
                endpoints;
            let addresses = [("authorization", Some(authorization)), ("token", Some(token)), ("jwks", Some(jwks))];
            let optional = [
                ("userinfo", userinfo),
                ("introspection", introspection),
                ("pushed_authorization_request", pushed_authorization_request),
            ];
            let optional = optional.map(|(name, address)| (name, address.as_ref()));
            for (name, address) in addresses.into_iter().chain(optional) {
                let checked = address.map_or(Ok(()), |address| check_address(broker, address));
                problems.take(&format!("/endpoints/{name}"), checked);
            }
            if self.push_requests && pushed_authorization_request.is_none() {
                problems.add("/push_requests", "needs endpoints.pushed_authorization_request");
            }
        }
        if self.client_id.starts_with('<') {
            problems.add("/client_id", "is the placeholder of a preset");
        }
        for (path, text) in [("/client_id", Some(&self.client_id)), ("/audience", self.audience.as_ref())] {
            if text.is_some_and(|text| text.is_empty() || text.len() > 255 || text.chars().any(char::is_control)) {
                problems.add(path, "must have 1 to 255 bytes without control characters");
            }
        }
        if self.skew_seconds.is_some_and(|skew| i64::from(skew) > MAX_SKEW.0) {
            problems.add("/skew_seconds", "must be 300 at most");
        }
        if !self.entra_directories.is_empty() && self.assertion_audience == AssertionAudience::Issuer {
            problems.add("/assertion_audience", "cannot be an issuer with {tenantid}");
        }
        if !self.entra_directories.is_empty() && self.sign_requests {
            problems.add("/sign_requests", "cannot be for an issuer with {tenantid}");
        }
        check_scopes(problems, &self.scopes);
        claims::check(problems, &self.attributes);
        sync::check(problems, &self.sync);
        logout::check(broker, problems, self);
        self.check_request(problems);
    }

    fn check_issuer(&self, broker: &Broker, problems: &mut Problems) {
        // A directory's id stands where the template has its place; only there may a brace be.
        let example = self.issuer.replacen(DIRECTORY, "00000000-0000-0000-0000-000000000000", 1);
        let is_template = example != self.issuer;
        problems.take("/issuer", check_issuer(broker, &example, is_template));
        if problems.is_read("/issuer") && is_template == self.entra_directories.is_empty() {
            problems.add("/entra_directories", "belongs to an issuer with {tenantid}, which cannot do without");
        }
        if self.entra_directories.len() > 100 {
            problems.add("/entra_directories", "has more than 100 entries");
        }
        for (index, id) in self.entra_directories.iter().enumerate() {
            let legal = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-');
            if id.len() != 36 || !id.bytes().all(legal) {
                problems.add(format!("/entra_directories/{index}"), "must be a directory's id, in lower case");
            }
        }
    }

    fn check_request(&self, problems: &mut Problems) {
        if self.prompt.len() > 1 && self.prompt.contains(&Prompt::None) {
            problems.add("/prompt", "has none beside another value");
        }
        let twice = |prompt: &Prompt| self.prompt.iter().filter(|other| *other == prompt).count() > 1;
        if self.prompt.iter().any(twice) {
            problems.add("/prompt", "has a value twice");
        }
        let is_word =
            |text: &str| !text.is_empty() && text.len() <= 255 && text.bytes().all(|byte| byte.is_ascii_graphic());
        if self.acr_values.len() > 20 {
            problems.add("/acr_values", "has more than 20 entries");
        }
        for (index, _) in self.acr_values.iter().enumerate().filter(|(_, text)| !is_word(text)) {
            problems.add(format!("/acr_values/{index}"), "is not a word");
        }
        if self.authorization_parameters.len() > 20 {
            problems.add("/authorization_parameters", "has more than 20 entries");
        }
        for (name, value) in &self.authorization_parameters {
            let path = format!("/authorization_parameters/{}", escaped(name));
            if OUR_PARAMETERS.contains(&name.to_ascii_lowercase().as_str()) {
                problems.add(path, "is a parameter that the broker sets itself");
            } else if !is_word(name) || value.len() > 1024 {
                problems.add(path, "has a name that is not a word, or a value of more than 1024 bytes");
            }
        }
    }

    /// The settings, with this secret.
    pub(super) fn settings(mut self, client_secret: Option<Sealed>) -> OidcSettings {
        let claims = claims::names(&mut self);
        OidcSettings {
            issuer: self.issuer,
            entra_directories: self.entra_directories,
            endpoints: self.endpoints,
            client_id: self.client_id,
            client_secret,
            client_auth: self.client_auth,
            assertion_audience: self.assertion_audience,
            scopes: self.scopes,
            audience: self.audience,
            request: RequestSettings {
                prompt: self.prompt,
                acr_values: self.acr_values,
                max_age: self.max_age.map(|seconds| Seconds(seconds.into())),
                response_mode: self.response_mode,
                signed: self.sign_requests,
                pushed: self.push_requests,
                parameters: self.authorization_parameters,
            },
            claims,
            skew: self.skew_seconds.map_or(DEFAULT_SKEW, |seconds| Seconds(seconds.into())),
        }
    }
}

/// An issuer that can be one, and that we may ask for its documents.
pub(in crate::admin) fn check_issuer(broker: &Broker, example: &str, is_template: bool) -> Result<(), &'static str> {
    let url = Url::parse(example).map_err(|_| "is not a URL")?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must not have a query or a fragment");
    }
    if example.contains(['{', '}']) || (is_template && !url.path().contains("00000000-0000-0000-0000-000000000000")) {
        return Err("may have {tenantid} in its path, once, and no other brace");
    }
    check_address(broker, &url)
}

pub(super) fn check_address(broker: &Broker, url: &Url) -> Result<(), &'static str> {
    let uri: http::Uri = url.as_str().parse().map_err(|_| "is not a URL")?;
    if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err("must not have a fragment or a user name");
    }
    check_egress(&uri, broker.config.egress_loopback)
        .map_err(|_| "must be https, and not on loopback or in a private network")
}

fn check_scopes(problems: &mut Problems, scopes: &[String]) {
    if !scopes.iter().any(|scope| scope == "openid") {
        problems.add("/scopes", "must include openid");
    }
    if scopes.len() > 50 {
        problems.add("/scopes", "has more than 50 entries");
    }
    let legal = |byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    for (index, scope) in scopes.iter().enumerate() {
        if scope.is_empty() || !scope.bytes().all(legal) {
            problems.add(format!("/scopes/{index}"), "is empty, or has a character that no scope may have");
        }
    }
}
