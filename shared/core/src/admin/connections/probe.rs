//! What an administrator sends for a connection's status probe, and the rules on it.

use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;
use vestibule_protocol::mapping::path::ClaimPath;

use super::address::check_address;
use super::sealed_secret;
use crate::Broker;
use crate::admin::problems::Problems;
use crate::error::Error;
use crate::model::connection::UpstreamClientAuth;
use crate::model::probe::{PLACES, ProbeSettings, Reading, StatusProbe};
use crate::upstream::probe::{CLIENT_SECRET, REFRESH_TOKEN, secret_place};

/// What an administrator sends.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatusProbeInput {
    /// The address to get, with `{subject}`, `{email}`, `{user_name}` or `{external_id}` in its path or query.
    pub url: String,
    /// Where access tokens for it come from: by client credentials, or by `refresh_token_secret`.
    pub token_endpoint: Url,
    /// Our name there.
    pub client_id: String,
    /// How we prove who we are there.
    pub client_auth: UpstreamClientAuth,
    /// Our secret there. Kept as it was when left out, as long as the token endpoint is the same.
    #[serde(default)]
    pub client_secret: Option<String>,
    /// A refresh token of an administrator's, where client credentials open nothing. Kept like `client_secret`.
    #[serde(default)]
    pub refresh_token_secret: Option<String>,
    /// The scope to ask for.
    #[serde(default)]
    pub scope: Option<String>,
    /// The audience to ask for, where the token endpoint wants one.
    #[serde(default)]
    pub audience: Option<String>,
    /// Where in the answer the status is: its name, a dotted path, or JSONPath.
    pub path: ClaimPath,
    /// The values that mean that the person is active. Either these or `inactive`.
    #[serde(default)]
    pub active: Vec<String>,
    /// The values that mean that they are not.
    #[serde(default)]
    pub inactive: Vec<String>,
    /// What an answer without a status means; nothing when left out.
    #[serde(default)]
    pub missing: Reading,
    /// What it means that there is nobody at the address (404); nothing when left out.
    #[serde(default)]
    pub not_found: Reading,
}

impl StatusProbeInput {
    /// The probe with its secrets sealed; `kept` is what the connection has.
    pub(super) fn take(
        self,
        broker: &Broker,
        (tenant, connection): (&str, &str),
        kept: Option<&StatusProbe>,
        problems: &mut Problems,
    ) -> Result<StatusProbe, Error> {
        // A secret is sent nowhere else than it was meant for.
        let kept = kept.filter(|kept| kept.settings.token_endpoint == self.token_endpoint);
        let place = |secret| secret_place(tenant, connection, secret);
        let client_secret = kept.and_then(|kept| kept.client_secret.clone());
        let client_secret = client_secret.filter(|_| self.client_auth.needs_secret());
        let client_secret = sealed_secret(broker, &place(CLIENT_SECRET), self.client_secret, client_secret)?;
        let refresh_token = kept.and_then(|kept| kept.refresh_token_secret.clone());
        let refresh_token_secret =
            sealed_secret(broker, &place(REFRESH_TOKEN), self.refresh_token_secret, refresh_token)?;
        if client_secret.is_some() != self.client_auth.needs_secret() {
            let problem = if client_secret.is_none() { "is missing" } else { "is not used with this client_auth" };
            problems.add("/status_probe/client_secret", problem);
        }
        let settings = ProbeSettings {
            url: self.url,
            token_endpoint: self.token_endpoint,
            client_id: self.client_id,
            client_auth: self.client_auth,
            scope: self.scope,
            audience: self.audience,
            path: self.path,
            active: self.active,
            inactive: self.inactive,
            missing: self.missing,
            not_found: self.not_found,
        };
        check(broker, &settings, problems);
        Ok(StatusProbe { settings, client_secret, refresh_token_secret })
    }
}

/// The addresses can be asked, whoever the person is, and the answer can be read in one way.
fn check(broker: &Broker, probe: &ProbeSettings, problems: &mut Problems) {
    problems.take("/status_probe/url", check_template(broker, &probe.url));
    problems.take("/status_probe/token_endpoint", check_address(broker, &probe.token_endpoint));
    let short = |text: &String| (1..=255).contains(&text.len()) && !text.chars().any(char::is_control);
    let texts = [("client_id", Some(&probe.client_id)), ("audience", probe.audience.as_ref())];
    for (name, text) in texts.into_iter().chain([("scope", probe.scope.as_ref())]) {
        if text.is_some_and(|text| !short(text)) || text.is_some_and(|text| text.starts_with('<')) {
            problems
                .add(format!("/status_probe/{name}"), "must have 1 to 255 bytes, and not be a preset's placeholder");
        }
    }
    if probe.active.is_empty() == probe.inactive.is_empty() {
        problems.add("/status_probe/active", "either this or inactive has to be there");
    }
    for (name, values) in [("active", &probe.active), ("inactive", &probe.inactive)] {
        if values.len() > 20 || !values.iter().all(short) {
            problems.add(format!("/status_probe/{name}"), "has more than 20 values, or one that is empty or too long");
        }
    }
}

/// The place of the person is in the path or the query: they never choose the host.
fn check_template(broker: &Broker, template: &str) -> Result<(), &'static str> {
    let filled = PLACES.iter().fold(template.to_owned(), |url, place| url.replace(place, "0"));
    if filled == template {
        return Err("must have {subject}, {email}, {user_name} or {external_id} in it");
    }
    if filled.contains(['{', '}', '<', '>']) || filled.len() > 1024 {
        return Err("has another brace, a placeholder of a preset, or more than 1024 bytes");
    }
    let origin = |url: &str| Url::parse(url).ok().map(|url| url.origin());
    let other = PLACES.iter().fold(template.to_owned(), |url, place| url.replace(place, "1"));
    let url = Url::parse(&filled).map_err(|_| "is not a URL")?;
    if origin(&filled) != origin(&other) {
        return Err("has the person in its host or port");
    }
    check_address(broker, &url)
}
