//! A look at a connection's provider: its metadata and keys are fetched now, and what would keep people from signing in
//! is said in words. Nothing is stored, and no copy is used.

use std::sync::Arc;

use bytes::Bytes;
use chrono::DateTime;
use http::{HeaderMap, StatusCode, header};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use vestibule_protocol::oidc::discovery::ProviderMetadata;
use vestibule_protocol::time::Timestamp;

use crate::Broker;
use crate::admin::check_id;
use crate::error::{AdminError, Error};
use crate::model::connection::{LogoutSettings, OidcSettings, RequestSettings, ResponseMode, UpstreamClientAuth};
use crate::platform::{HTTP_BODY_LIMIT, HTTP_TIMEOUT_SECONDS, HttpClient, HttpError};
use crate::store::key;
use crate::upstream::parse_jwks;
use crate::upstream::reach::Reach;

/// What was found.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CheckReport {
    /// Whether there is no finding of severity `error`.
    pub ok: bool,
    /// What is wrong, in the order in which it was looked at.
    pub findings: Vec<Finding>,
}

/// One thing that is wrong, or may be.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Which thing, for programs.
    pub code: &'static str,
    /// Which thing, and what to do, in words.
    pub message: String,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// People cannot sign in.
    Error,
    /// They perhaps can.
    Warning,
}

/// Looks at a connection's provider.
pub async fn check(broker: &Broker, tenant: &str, id: &str) -> Result<CheckReport, Error> {
    check_id("tenant", tenant)?;
    check_id("connection", id)?;
    let found = key::connection(tenant, id).get(&*broker.platform.store).await?.ok_or(AdminError::NotFound)?;
    let settings = found.value.upstream.oidc().ok_or(AdminError::NotFound)?;
    let owner = key::tenant(tenant).get(&*broker.platform.store).await?.ok_or(AdminError::NotFound)?;
    let reach = Reach::with(broker, Arc::new(owner.value));
    let is_probed = found.value.status_probe.is_some();
    let logout = &found.value.logout;
    let mut look = Look { broker, reach, settings, logout, is_probed, findings: Vec::new() };
    if !found.value.enabled {
        look.find(Severity::Warning, "disabled", "The connection is disabled: nobody can use it.".to_owned());
    }
    if let Some(metadata) = look.metadata().await {
        look.keys(&metadata).await;
    }
    let ok = look.findings.iter().all(|finding| finding.severity != Severity::Error);
    Ok(CheckReport { ok, findings: look.findings })
}

struct Look<'a> {
    broker: &'a Broker,
    reach: Reach,
    settings: &'a OidcSettings,
    logout: &'a LogoutSettings,
    /// Whether there is a status probe.
    is_probed: bool,
    findings: Vec<Finding>,
}

/// Whether a list of the metadata holds a word; `None` when there is no such list.
fn offers(metadata: &Value, list: &str, word: &str) -> Option<bool> {
    metadata.get(list)?.as_array().map(|list| list.iter().any(|it| it == word))
}

impl Look<'_> {
    fn find(&mut self, severity: Severity, code: &'static str, message: String) {
        self.findings.push(Finding { severity, code, message });
    }

    async fn metadata(&mut self) -> Option<ProviderMetadata> {
        if let Some(metadata) = self.settings.manual_metadata() {
            return Some(metadata);
        }
        let address = ProviderMetadata::location(&self.settings.issuers().discovery_base());
        let document = self.fetch("metadata", &address).await?;
        let Ok(members) = serde_json::from_slice::<Value>(&document) else {
            let message = format!("What is at {address} is not JSON. Is this the provider's issuer?");
            self.find(Severity::Error, "metadata_unreadable", message);
            return None;
        };
        let named = members.get("issuer").and_then(Value::as_str).unwrap_or_default();
        if named != self.settings.issuer {
            let (named, ours) = (named.chars().take(200).collect::<String>(), &self.settings.issuer);
            let message = format!(
                "The provider calls itself \"{named}\", the connection says \"{ours}\". They must be equal to the last \
                 slash: set the connection's issuer to what the provider says, if that is the provider you mean."
            );
            self.find(Severity::Error, "issuer_mismatch", message);
        }
        self.supported(&members);
        let Ok(metadata) = serde_json::from_value::<ProviderMetadata>(members) else {
            let message = "The metadata lacks its issuer, authorization_endpoint, token_endpoint or jwks_uri, or one of \
                           them is not a URL. Set the endpoints by hand if the provider cannot mend it.";
            self.find(Severity::Error, "metadata_incomplete", message.to_owned());
            return None;
        };
        Some(metadata)
    }

    /// What the provider says it supports, where it says so.
    fn supported(&mut self, members: &Value) {
        if offers(members, "response_types_supported", "code") == Some(false) {
            let message = "The provider does not offer response_type code, the only one that is used.".to_owned();
            self.find(Severity::Error, "code_unsupported", message);
        }
        match offers(members, "code_challenge_methods_supported", "S256") {
            Some(true) => {}
            Some(false) => {
                let message = "The provider does not offer PKCE with S256, which is always used.".to_owned();
                self.find(Severity::Error, "s256_missing", message);
            }
            None => {
                let message = "The provider does not say whether it checks PKCE. A code of it that is stolen may be of \
                               use to the thief.";
                self.find(Severity::Warning, "s256_unannounced", message.to_owned());
            }
        }
        let ours = auth_method(self.settings.client_auth);
        if offers(members, "token_endpoint_auth_methods_supported", ours) == Some(false) {
            let message = format!("The provider does not offer the connection's client_auth, {ours}.");
            self.find(Severity::Error, "client_auth_unsupported", message);
        }
        // Left out, the list is query and fragment (Discovery §3).
        let by_form = offers(members, "response_modes_supported", "form_post").unwrap_or(false);
        if self.settings.request.response_mode == ResponseMode::FormPost && !by_form {
            let message =
                "The provider does not offer response_mode form_post, which the connection asks for.".to_owned();
            self.find(Severity::Error, "form_post_unsupported", message);
        }
        let says = |member: &str| members.get(member).and_then(Value::as_bool) == Some(true);
        let RequestSettings { signed, pushed, .. } = self.settings.request;
        let takes_signed =
            says("request_parameter_supported") || members.get("request_object_signing_alg_values_supported").is_some();
        if signed && !takes_signed {
            let message = "The provider does not offer signed requests, which the connection sends.".to_owned();
            self.find(Severity::Error, "signed_requests_unsupported", message);
        }
        if !signed && says("require_signed_request_object") {
            let message = "The provider wants signed requests: set sign_requests.".to_owned();
            self.find(Severity::Error, "signed_requests_required", message);
        }
        let ahead = pushed || says("require_pushed_authorization_requests");
        if ahead && members.get("pushed_authorization_request_endpoint").is_none() {
            let message = "Requests are to be sent ahead, and the provider has no endpoint for that.".to_owned();
            self.find(Severity::Error, "pushed_requests_unsupported", message);
        }
        self.watching(members);
        if self.logout.at_provider && self.logout.end_session_endpoint.is_none() {
            self.signing_out(members);
        }
        let unknown = |scope: &&String| offers(members, "scopes_supported", scope) == Some(false);
        let unknown: Vec<&str> = self.settings.scopes.iter().filter(unknown).map(String::as_str).collect();
        if !unknown.is_empty() {
            let message = format!("The provider does not list these scopes: {}.", unknown.join(" "));
            self.find(Severity::Warning, "scope_unknown", message);
        }
    }

    /// Whether the sessions of the connection's people can be watched.
    fn watching(&mut self, members: &Value) {
        let offers_refresh = offers(members, "scopes_supported", "offline_access") == Some(true)
            && offers(members, "grant_types_supported", "refresh_token") != Some(false);
        if !self.is_probed && !self.settings.asks_for_refresh_tokens() && offers_refresh {
            let message = "The connection asks for no refresh token: its sessions cannot be watched, and are shorter. Add the \
                           scope offline_access, or set a status_probe.";
            self.find(Severity::Warning, "sessions_unwatched", message.to_owned());
        }
        if !self.is_probed && offers(members, "grant_types_supported", "refresh_token") == Some(false) {
            let message = "The provider gives no refresh tokens: sessions cannot be watched, and are shorter. Set a \
                           status_probe if it has a program that says who is active.";
            self.find(Severity::Warning, "no_refresh_tokens", message.to_owned());
        }
    }

    /// Whether people can be sent there to sign out.
    fn signing_out(&mut self, members: &Value) {
        if members.get("end_session_endpoint").and_then(Value::as_str).is_none_or(str::is_empty) {
            let message = "Whoever signs out here is to sign out at the provider too, and it does not say where. Set \
                           logout.end_session_endpoint, or switch logout.at_provider off.";
            self.find(Severity::Warning, "end_session_unsupported", message.to_owned());
        }
    }

    async fn keys(&mut self, metadata: &ProviderMetadata) {
        let Some(document) = self.fetch("key set", metadata.jwks_uri.as_str()).await else { return };
        match parse_jwks(&document) {
            Ok(set) if set.keys.is_empty() => {
                let message = "The key set has no key that can check a signature: RSA of 2048 bits or more, P-256, P-384 \
                               or Ed25519, for signatures.";
                self.find(Severity::Error, "no_usable_key", message.to_owned());
            }
            Ok(_) => {}
            Err(_) => {
                let message = format!("What is at {} is not a key set.", metadata.jwks_uri);
                self.find(Severity::Error, "keys_unreadable", message);
            }
        }
    }

    /// A document of the provider, or a finding why there is none.
    async fn fetch(&mut self, what: &str, address: &str) -> Option<Bytes> {
        let request = http::Request::get(address).header(header::ACCEPT, "application/json").body(Bytes::new());
        let sent = match request {
            Ok(request) => self.reach.send(request).await,
            Err(_) => Err(HttpError::Refused("not a URL")),
        };
        let reply = match sent {
            Ok(reply) => reply,
            Err(error) => {
                let message = format!("The {what} at {address} cannot be fetched: {}.", in_words(&error));
                self.find(Severity::Error, "unreachable", message);
                return None;
            }
        };
        self.clock(reply.headers());
        if reply.status() == StatusCode::OK {
            return Some(reply.into_body());
        }
        let moved = if reply.status().is_redirection() { " Redirects are not followed." } else { "" };
        let message = format!("The {what} at {address} answers with status {}.{moved}", reply.status().as_u16());
        self.find(Severity::Error, "status", message);
        None
    }

    /// A clock that is further off than the skew makes every token look expired or not yet valid.
    fn clock(&mut self, headers: &HeaderMap) {
        let date = headers.get(header::DATE).and_then(|date| date.to_str().ok());
        let Some(date) = date.and_then(|date| DateTime::parse_from_rfc2822(date).ok()) else { return };
        let theirs = Timestamp::from_seconds(date.timestamp());
        let off = theirs.seconds() - self.broker.platform.clock.now().seconds();
        let known = self.findings.iter().any(|finding| finding.code == "clock_off");
        if off.abs() > self.settings.skew.0 && !known {
            let (way, skew) = (if off > 0 { "ahead of" } else { "behind" }, self.settings.skew.0);
            let message = format!(
                "The provider's clock is {} s {way} ours; {skew} s are tolerated. Its tokens will be refused.",
                off.abs()
            );
            self.find(Severity::Error, "clock_off", message);
        }
    }
}

const fn auth_method(auth: UpstreamClientAuth) -> &'static str {
    match auth {
        UpstreamClientAuth::ClientSecretBasic => "client_secret_basic",
        UpstreamClientAuth::ClientSecretPost => "client_secret_post",
        UpstreamClientAuth::PrivateKeyJwt => "private_key_jwt",
        UpstreamClientAuth::None => "none",
    }
}

fn in_words(error: &HttpError) -> String {
    match error {
        HttpError::Timeout => format!("no complete answer came within {HTTP_TIMEOUT_SECONDS} seconds"),
        HttpError::TooLarge => format!("the answer is larger than {} KiB", HTTP_BODY_LIMIT / 1024),
        HttpError::Refused(rule) => format!("the broker does not go there, {rule}"),
        HttpError::Network(text) => format!("the host cannot be reached ({text})"),
    }
}
