//! The status probe: whether a person is active, by a program of the provider's that is asked with an access token of our
//! own. The token stays in this process's memory until it ends.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::StatusCode;
use http::header::{ACCEPT, AUTHORIZATION};
use serde_json::Value;
use vestibule_protocol::oidc::claims::Claims;
use vestibule_protocol::time::{Seconds, Timestamp};

use super::again::{Heard, delayed, refused, unreachable};
use super::form::{self, OurName};
use super::reach::Reach;
use crate::Broker;
use crate::error::Error;
use crate::model::probe::{ProbeSettings, Reading, StatusProbe};
use crate::model::watch::Trouble;
use crate::platform::HttpClient;
use crate::seal::{OpenError, Purpose, Sealed};
use crate::secret::Secret;

/// A token is not used in its last minute.
const MARGIN: Seconds = Seconds(60);
/// How long a token is used whose end is not known.
const UNSAID: Seconds = Seconds(300);
/// How many tokens are kept before all are forgotten: a bound on memory.
const MAX_TOKENS: usize = 1024;

/// Access tokens for probes, each with its end.
#[derive(Default)]
pub(crate) struct ProbeTokens(Mutex<HashMap<String, (Secret<String>, Timestamp)>>);

impl ProbeTokens {
    fn get(&self, name: &str, now: Timestamp) -> Option<Secret<String>> {
        let tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.get(name).filter(|(_, end)| !(*end - MARGIN).has_passed(now)).map(|(token, _)| token.clone())
    }

    fn keep(&self, name: String, token: Secret<String>, end: Timestamp) {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= MAX_TOKENS {
            tokens.clear();
        }
        tokens.insert(name, (token, end));
    }

    fn forget(&self, name: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

/// A connection's probe.
pub(crate) struct Probe<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) connection: &'a str,
    pub(crate) stored: &'a StatusProbe,
}

impl Probe<'_> {
    /// What it says of the person behind an address.
    pub(crate) async fn ask(&self, broker: &Broker, address: &str) -> Result<Heard<Reading>, Error> {
        let settings = &self.stored.settings;
        let name = self.token_name();
        let token = match self.token(broker, &name).await? {
            Heard::Said(token) => token,
            Heard::Denied => return Ok(Heard::Untold(Trouble::ClientRefused.into())),
            Heard::Untold(delay) => return Ok(Heard::Untold(delay)),
        };
        let request = http::Request::get(address)
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, format!("Bearer {}", token.expose()))
            .body(Bytes::new());
        let Ok(request) = request else { return Ok(Heard::Untold(Trouble::Unusable.into())) };
        let reply = match Reach::of(broker, self.tenant).await?.send(request).await {
            Ok(reply) => reply,
            Err(error) => return Ok(Heard::Untold(unreachable(&error))),
        };
        let reading = match reply.status() {
            StatusCode::OK => Claims::parse(reply.body()).map(|answer| settings.read(&answer)).unwrap_or_default(),
            StatusCode::NOT_FOUND => settings.not_found,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                broker.probe_tokens.forget(&name);
                return Ok(Heard::Untold(Trouble::ClientRefused.into()));
            }
            _ => return Ok(Heard::Untold(delayed(&reply, broker.platform.clock.now()))),
        };
        Ok(if reading == Reading::Unknown { Heard::Untold(Trouble::Unusable.into()) } else { Heard::Said(reading) })
    }

    /// Whatever changes the token changes its name.
    fn token_name(&self) -> String {
        let ProbeSettings { token_endpoint, client_id, scope, audience, .. } = &self.stored.settings;
        let (tenant, connection) = (self.tenant, self.connection);
        format!("{tenant}/{connection} {token_endpoint} {client_id} {scope:?} {audience:?}")
    }

    async fn token(&self, broker: &Broker, name: &str) -> Result<Heard<Secret<String>>, Error> {
        let now = broker.platform.clock.now();
        if let Some(token) = broker.probe_tokens.get(name, now) {
            return Ok(Heard::Said(token));
        }
        let settings = &self.stored.settings;
        let open = |sealed: &Option<Sealed>, secret| match sealed {
            Some(sealed) => self.open(broker, sealed, secret).map(Some),
            None => Ok(None),
        };
        let ours = OurName {
            client_id: &settings.client_id,
            client_auth: settings.client_auth,
            secret: open(&self.stored.client_secret, CLIENT_SECRET)?,
            audience: settings.token_endpoint.as_str(),
        };
        let mut form = match open(&self.stored.refresh_token_secret, REFRESH_TOKEN)? {
            Some(token) => vec![("grant_type", "refresh_token".to_owned()), ("refresh_token", token)],
            None => vec![("grant_type", "client_credentials".to_owned())],
        };
        form.extend(settings.scope.clone().map(|scope| ("scope", scope)));
        form.extend(settings.audience.clone().map(|audience| ("audience", audience)));
        let form = form.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let reply = match form::post(broker, self.tenant, &ours, &settings.token_endpoint, form).await? {
            Ok(reply) if reply.status() == StatusCode::OK => reply,
            Ok(reply) => return Ok(refused(&reply, now)),
            Err(error) => return Ok(Heard::Untold(unreachable(&error))),
        };
        let said = Claims::parse(reply.body()).unwrap_or_default();
        let Some(token) = said.text("access_token") else { return Ok(Heard::Untold(Trouble::Unusable.into())) };
        let token = Secret::new(token.to_owned());
        let life = said.get("expires_in").and_then(Value::as_i64).map_or(UNSAID, Seconds);
        broker.probe_tokens.keep(name.to_owned(), token.clone(), now + life);
        Ok(Heard::Said(token))
    }

    fn open(&self, broker: &Broker, sealed: &Sealed, secret: &str) -> Result<String, Error> {
        let place = secret_place(self.tenant, self.connection, secret);
        let plain = broker.sealer.open(Purpose::Record, &place, sealed)?;
        Ok(String::from_utf8(plain).map_err(|_| OpenError)?)
    }
}

/// The probe's client secret, for [`secret_place`].
pub(crate) const CLIENT_SECRET: &str = "client_secret";
/// Its refresh token, for [`secret_place`].
pub(crate) const REFRESH_TOKEN: &str = "refresh_token_secret";

/// Where a secret of a connection's probe is sealed.
pub(crate) fn secret_place(tenant: &str, connection: &str, secret: &str) -> String {
    format!("tenant/{tenant}/connection/{connection}/status_probe/{secret}")
}
