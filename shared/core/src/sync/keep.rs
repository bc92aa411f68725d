//! What is kept of a provider from a sign-in on.

use crate::Broker;
use crate::error::Error;
use crate::model::connection::Connection;
use crate::model::watch::{ProviderTokens, Watch};
use crate::seal::{OpenError, Purpose, Sealed};
use crate::upstream::oidc::Identity;

/// What is kept with the session of this person that is about to begin. None when the provider gave no refresh
/// token and there is no status probe: then nobody can be asked later.
pub(crate) fn watch(
    broker: &Broker,
    (tenant, id, connection): (&str, &str, &Connection),
    identity: &Identity,
    (user, session): (&str, &str),
) -> Result<Option<Watch>, Error> {
    let kept = &identity.kept;
    let has_token = kept.tokens.refresh_token.is_some();
    if !has_token && connection.status_probe.is_none() {
        return Ok(None);
    }
    let place = place(tenant, user, session);
    let tokens = has_token.then(|| seal(broker, &place, &kept.tokens)).transpose()?;
    let now = broker.platform.clock.now();
    Ok(Some(Watch {
        connection: id.to_owned(),
        issuer: identity.issuer.clone(),
        subject: identity.subject.clone(),
        sub: kept.sub.clone(),
        outline: kept.outline.clone(),
        tokens,
        vouched_at: now,
        // At the next tick of its slot: a quarter of an hour is the most that passes.
        due_at: now,
        lease: None,
        answer_lost: false,
        failures: 0,
        trouble: None,
        limit: None,
        decided: None,
    }))
}

/// Where the tokens of a session are sealed.
pub(super) fn place(tenant: &str, user: &str, session: &str) -> String {
    format!("tenant/{tenant}/user/{user}/session/{session}/provider_tokens")
}

pub(super) fn seal(broker: &Broker, place: &str, tokens: &ProviderTokens) -> Result<Sealed, Error> {
    let plain = serde_json::to_vec(tokens).map_err(|_| Error::bug("tokens do not serialize"))?;
    Ok(broker.sealer.seal(&*broker.platform.random, Purpose::Record, place, &plain)?)
}

pub(super) fn open(broker: &Broker, place: &str, sealed: &Sealed) -> Result<ProviderTokens, OpenError> {
    let plain = broker.sealer.open(Purpose::Record, place, sealed)?;
    serde_json::from_slice(&plain).map_err(|_| OpenError)
}
