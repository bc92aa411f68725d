//! A look at a connection's provider: its metadata and keys are fetched now, and what would keep people from signing in
//! is said in words. Nothing is stored, and no copy is used.

mod oidc;
mod pasted;
mod saml;

use std::sync::Arc;

use bytes::Bytes;
use chrono::DateTime;
use http::{HeaderMap, StatusCode, header};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vestibule_protocol::time::{Seconds, Timestamp};

pub use self::pasted::ResponseView;
use crate::Broker;
use crate::admin::{Checked, check_id};
use crate::error::{AdminError, Error};
use crate::model::connection::Upstream;
use crate::platform::{HTTP_BODY_LIMIT, HTTP_TIMEOUT_SECONDS, HttpClient, HttpError};
use crate::saml::Target;
use crate::store::key;
use crate::upstream::reach::Reach;

const JSON: &str = "application/json";

/// What an administrator sends along, if anything.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CheckInput {
    /// With protocol `saml`: a response of the provider that is to be explained, as the form field `SAMLResponse` had it, or as
    /// XML. It is not kept.
    pub response: Option<String>,
}

/// What was found.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CheckReport {
    /// Whether there is no finding of severity `error`.
    pub ok: bool,
    /// What is wrong, in the order in which it was looked at.
    pub findings: Vec<Finding>,
    /// What the response holds that was sent along.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<ResponseView>,
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

/// Looks at a connection's provider, and at a response of it.
pub async fn check(
    broker: &Broker,
    tenant: &str,
    id: &str,
    Checked { input, mut problems }: Checked<CheckInput>,
) -> Result<CheckReport, Error> {
    check_id("tenant", tenant)?;
    check_id("connection", id)?;
    let found = key::connection(tenant, id).get(&*broker.platform.store).await?.ok_or(AdminError::NotFound)?;
    let connection = found.value;
    if input.response.is_some() && connection.upstream.saml().is_none() {
        problems.add("/response", "belongs to protocol saml");
    }
    problems.none()?;
    let owner = key::tenant(tenant).get(&*broker.platform.store).await?.ok_or(AdminError::NotFound)?;
    let reach = Reach::with(broker, Arc::new(owner.value));
    let skew = match &connection.upstream {
        Upstream::Oidc(settings) => settings.skew,
        Upstream::Saml(settings) => settings.skew,
    };
    let mut look = Look { broker, reach, skew, findings: Vec::new() };
    if !connection.enabled {
        look.find(Severity::Warning, "disabled", "The connection is disabled: nobody can use it.".to_owned());
    }
    let mut response = None;
    match &connection.upstream {
        Upstream::Oidc(settings) => oidc::check(&mut look, &connection, settings).await,
        Upstream::Saml(settings) => {
            let target = Target { tenant, connection: id, settings };
            let facts = saml::check(&mut look, &connection, &target).await?;
            if let Some(sent) = &input.response {
                response = pasted::check(&mut look, &target, facts.as_ref(), sent).await?;
            }
        }
    }
    let ok = look.findings.iter().all(|finding| finding.severity != Severity::Error);
    Ok(CheckReport { ok, findings: look.findings, response })
}

/// A look, and what was found so far.
struct Look<'a> {
    broker: &'a Broker,
    reach: Reach,
    /// How far the provider's clock may be off.
    skew: Seconds,
    findings: Vec<Finding>,
}

impl Look<'_> {
    /// Notes something, once for each code.
    fn find(&mut self, severity: Severity, code: &'static str, message: String) {
        if !self.has(code) {
            self.findings.push(Finding { severity, code, message });
        }
    }

    fn has(&self, code: &str) -> bool {
        self.findings.iter().any(|finding| finding.code == code)
    }

    /// A document of the provider, or a finding why there is none.
    async fn fetch(&mut self, what: &str, address: &str, accept: &'static str) -> Option<Bytes> {
        let request = http::Request::get(address).header(header::ACCEPT, accept).body(Bytes::new());
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
        if off.abs() > self.skew.0 {
            let (way, skew) = (if off > 0 { "ahead of" } else { "behind" }, self.skew.0);
            let message = format!(
                "The provider's clock is {} s {way} ours; {skew} s are tolerated. What it signs will be refused.",
                off.abs()
            );
            self.find(Severity::Error, "clock_off", message);
        }
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
