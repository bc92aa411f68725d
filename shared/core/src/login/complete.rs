//! The end of a sign-in: the session, the application's code and the audit event, written in one commit of the person's
//! session partition.

use url::Url;
use vestibule_protocol::time::{Seconds, Timestamp};

use super::ReplyAddress;
use super::code::new_code;
use crate::Broker;
use crate::error::Error;
use crate::handle::{Handle, HandleKind, Locator, SecretHash, new_secret};
use crate::model::effect::{AuditEvent, AuditKind, Effect};
use crate::model::pending::PendingSignIn;
use crate::model::session::{SESSION_LIFE, Session};
use crate::outbox;
use crate::sessions;
use crate::store::{Expect, StoreError};

/// Where the browser goes, and the cookie of its new session.
#[derive(Debug)]
pub struct Finished {
    /// The application's address, with code, `state` and `iss`.
    pub location: Url,
    /// The session's cookie.
    pub session: SessionCookie,
}

/// What a browser keeps of its session.
#[derive(Debug)]
pub struct SessionCookie {
    /// The session's handle.
    pub handle: String,
    /// How long the session lives.
    pub life: Seconds,
}

/// Begins the session, under the condition that the person's gate stands as remembered. `None` when it does not.
/// `browser` is the handle of the session that the browser had.
pub(super) async fn complete(
    broker: &Broker,
    pending: PendingSignIn,
    browser: Option<&str>,
) -> Result<Option<Finished>, Error> {
    let now = broker.platform.clock.now();
    let PendingSignIn { code, state, connection, relayed, began_at } = pending;
    let subject = code.subject.clone();
    let Some(shard) = sessions::shard_of(broker, &subject).await? else { return Ok(None) };
    end_older(broker, browser, began_at).await?;

    let secret = new_secret(&*broker.platform.random);
    let ends_at = subject.session_ends_at.unwrap_or(now + SESSION_LIFE);
    let event = AuditEvent {
        time: now,
        kind: AuditKind::SignedIn,
        user: Some(subject.user.clone()),
        connection: Some(connection.clone()),
        client: Some(code.client.clone()),
        session: Some(subject.session.clone()),
    };
    let gate_stands = shard.gate(&subject.user).check(Expect::Version(subject.gate.clone()));
    let locator = Locator { shard: shard.clone(), path: vec![subject.user.clone(), subject.session.clone()] };
    let record = shard.session(&subject.user, &subject.session);
    let audit = Effect::Audit { tenant: subject.tenant.clone(), event };
    let session = Session { subject, connection, secret: SecretHash::of(secret.expose()), began_at: Some(now) };
    let new_code = new_code(broker, &shard, &code)?;
    let writes = vec![
        gate_stands,
        record.put_until(&session, ends_at, Expect::Absent)?,
        new_code.write,
        outbox::owe(broker, shard.partition(), &audit)?.write,
    ];
    match broker.platform.store.commit(&shard.partition(), writes).await {
        Ok(()) => {}
        Err(StoreError::Conflict) => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let handle = Handle { kind: HandleKind::Session, locator, secret }.to_text();
    let life = Seconds(ends_at.seconds() - now.seconds());
    let location =
        code_location(broker, &ReplyAddress { redirect_uri: code.redirect_uri, state }, relayed, &new_code.text)?;
    Ok(Some(Finished { location, session: SessionCookie { handle, life } }))
}

/// A browser has one session: a sign-in ends the one that it had, whoever's it was, with all that applications hold in
/// it. One that began while this sign-in was under way is another tab's, and stays: its application may not have
/// redeemed its code yet.
async fn end_older(broker: &Broker, browser: Option<&str>, began_at: Timestamp) -> Result<(), Error> {
    let Some((shard, older)) = sessions::of_cookie(broker, browser).await? else { return Ok(()) };
    if older.began_at.is_some_and(|at| at >= began_at) {
        return Ok(());
    }
    let subject = older.subject;
    let event = AuditEvent {
        time: broker.platform.clock.now(),
        kind: AuditKind::SessionReplaced,
        user: Some(subject.user.clone()),
        connection: Some(older.connection),
        client: None,
        session: Some(subject.session.clone()),
    };
    let audit = outbox::owe(broker, shard.partition(), &Effect::Audit { tenant: subject.tenant, event })?;
    sessions::end(broker, &shard, &subject.user, &subject.session, Some(audit.write)).await
}

/// The application's address with its code. Control planes look for `userState` beside it.
pub(super) fn code_location(broker: &Broker, reply: &ReplyAddress, relayed: bool, code: &str) -> Result<Url, Error> {
    let mut parameters = vec![("code", code)];
    parameters.extend(relayed.then_some(("userState", "Authenticated")));
    reply_location(broker, reply, &parameters)
}

/// The application's address with our answer in its query: `parameters`, its `state`, and our `iss` (RFC 9207).
pub fn reply_location(broker: &Broker, reply: &ReplyAddress, parameters: &[(&str, &str)]) -> Result<Url, Error> {
    let mut location = Url::parse(&reply.redirect_uri).map_err(|_| Error::bug("a registered address is not a URL"))?;
    {
        let mut query = location.query_pairs_mut();
        query.extend_pairs(parameters);
        if let Some(state) = &reply.state {
            query.append_pair("state", state);
        }
        query.append_pair("iss", &broker.config.issuer);
    }
    Ok(location)
}
