//! The end of a sign-in: the session, or what it says anew, the application's code and the audit event, written in one
//! commit of the person's session partition.

use url::Url;
use vestibule_protocol::oauth;
use vestibule_protocol::time::{Seconds, Timestamp};

use super::ReplyAddress;
use super::code::new_code;
use crate::Broker;
use crate::audit;
use crate::error::Error;
use crate::handle::{Handle, HandleKind, HandleSecret, Locator, SecretHash, new_secret};
use crate::model::audit::AuditKind;
use crate::model::pending::PendingSignIn;
use crate::model::saml::SamlName;
use crate::model::session::{ProviderSession, SeenEra, Session, Subject};
use crate::model::watch::Watch;
use crate::provider_notice;
use crate::sessions;
use crate::sessions::end::{Ending, end};
use crate::store::key::SessionShard;
use crate::store::{Expect, StoreError, Write};
use crate::usage;

/// Where the browser goes, and the cookie of its new session.
#[derive(Debug)]
pub struct Finished {
    /// The application's address, with code, `state` and `iss`.
    pub location: Url,
    /// The session's cookie; none for a session that was there before.
    pub session: Option<SessionCookie>,
}

/// What a browser keeps of its session.
#[derive(Debug)]
pub struct SessionCookie {
    /// The session's handle.
    pub handle: String,
    /// How long the session lives.
    pub life: Seconds,
}

/// A session that is to begin, for a person who was let in.
#[derive(Clone)]
pub(crate) struct Beginning {
    pub(crate) subject: Subject,
    pub(crate) connection: String,
    /// The era in which it begins.
    pub(crate) era: SeenEra,
    /// What its provider calls it.
    pub(crate) provider: Option<ProviderSession>,
    /// The same in SAML's words.
    pub(crate) saml: Option<SamlName>,
    /// What is kept of the provider, if it can be watched.
    pub(crate) watch: Option<Watch>,
}

impl From<&PendingSignIn> for Beginning {
    fn from(pending: &PendingSignIn) -> Self {
        Self {
            subject: pending.code.subject.clone(),
            connection: pending.connection.clone(),
            era: pending.era.clone(),
            provider: pending.provider.clone(),
            saml: pending.saml.clone(),
            watch: pending.watch.clone(),
        }
    }
}

/// Begins or continues the session, under the condition that the person's gate, and a session that was there before,
/// stand as remembered. `None` when they do not. `browser` is the handle of the session that the browser had.
pub(super) async fn complete(
    broker: &Broker,
    pending: PendingSignIn,
    browser: Option<&str>,
) -> Result<Option<Finished>, Error> {
    let subject = &pending.code.subject;
    let Some(shard) = sessions::shard_of(broker, &subject.tenant, &subject.user).await? else { return Ok(None) };
    let secret = (!pending.continues).then(|| new_secret(&*broker.platform.random));
    if secret.is_some() {
        end_older(broker, browser, pending.began_at).await?;
    }
    let code = new_code(broker, &shard, &pending.code)?;
    let justification = pending.justification.clone();
    let kind = if pending.continues {
        AuditKind::SessionContinued { justification }
    } else {
        AuditKind::SignedIn { justification }
    };
    let audit = owe(broker, &shard, kind, (subject, &pending.connection, &pending.code.client))?;
    let usage = usage::mark(broker, &shard, subject)?;
    if !write(broker, &shard, &pending, secret.as_ref(), &[code.write, audit, usage]).await? {
        return Ok(None);
    }
    let PendingSignIn { code: asked, state, relayed, .. } = pending;
    let reply = ReplyAddress { redirect_uri: asked.redirect_uri, state };
    let session = secret.map(|secret| cookie(broker, shard, asked.subject, secret));
    Ok(Some(Finished { location: code_location(broker, &reply, relayed, &code.text)?, session }))
}

/// Begins a session that no application asked for, so that none gets a code. `client` is where the person is taken, `browser`
/// the handle of the session that the browser had. `None` when the person's gate does not stand as remembered.
pub(super) async fn begin_unasked(
    broker: &Broker,
    beginning: Beginning,
    client: &str,
    browser: Option<&str>,
) -> Result<Option<SessionCookie>, Error> {
    let subject = beginning.subject.clone();
    let Some(shard) = sessions::shard_of(broker, &subject.tenant, &subject.user).await? else { return Ok(None) };
    end_older(broker, browser, broker.platform.clock.now()).await?;
    let kind = AuditKind::SignedIn { justification: None };
    let audit = owe(broker, &shard, kind, (&subject, &beginning.connection, client))?;
    let secret = new_secret(&*broker.platform.random);
    let mut writes = begin(broker, &shard, beginning, &secret)?;
    writes.extend([audit, usage::mark(broker, &shard, &subject)?]);
    match broker.platform.store.commit(&shard.partition(), writes).await {
        Ok(_) => Ok(Some(cookie(broker, shard, subject, secret))),
        Err(StoreError::Conflict) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn cookie(broker: &Broker, shard: SessionShard, subject: Subject, secret: HandleSecret) -> SessionCookie {
    let now = broker.platform.clock.now();
    let life = Seconds(subject.session_end(now).seconds() - now.seconds());
    let locator = Locator { shard, path: vec![subject.user, subject.session] };
    SessionCookie { handle: Handle { kind: HandleKind::Session, locator, secret }.to_text(), life }
}

/// Writes a sign-in down, with what else comes of it; false when what it rests on does not stand any more. Looks twice:
/// a session that another tab used at the same moment is not over.
async fn write(
    broker: &Broker,
    shard: &SessionShard,
    pending: &PendingSignIn,
    secret: Option<&HandleSecret>,
    also: &[Write],
) -> Result<bool, Error> {
    for _ in 0..2 {
        let session = match secret {
            Some(secret) => Some(begin(broker, shard, pending.into(), secret)?),
            None => proceed(broker, shard, pending).await?,
        };
        let Some(session) = session else { return Ok(false) };
        match broker.platform.store.commit(&shard.partition(), [session, also.to_vec()].concat()).await {
            Ok(_) => return Ok(true),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(false)
}

/// A new session.
fn begin(
    broker: &Broker,
    shard: &SessionShard,
    beginning: Beginning,
    secret: &HandleSecret,
) -> Result<Vec<Write>, Error> {
    let now = broker.platform.clock.now();
    let index = provider_notice::index(shard, &beginning, now)?;
    let Beginning { subject, connection, era, saml, watch, .. } = beginning;
    let gate_stands = shard.gate(&subject.user).check(Expect::Version(subject.gate.clone()));
    let record = shard.session(&subject.user, &subject.session);
    let end = subject.record_end(now);
    let session = Session {
        subject,
        connection,
        secret: SecretHash::of(secret.expose()),
        began_at: Some(now),
        used_at: None,
        era: era.number,
        saml,
    };
    // Sessions that are ended in bulk meanwhile include those that are just about to be written.
    let era_stands = shard.era().check(era.version.map_or(Expect::Absent, Expect::Version));
    let mut writes = vec![gate_stands, era_stands, record.put_until(&session, end, Expect::Absent)?];
    if let Some(watch) = &watch {
        let subject = &session.subject;
        let record = shard.watch(&subject.user, &subject.session);
        writes.push(record.put_until(watch, subject.session_end(now), Expect::Absent)?);
    }
    writes.extend(index);
    Ok(writes)
}

/// A session that was there before. What was said at a checkpoint becomes part of it.
async fn proceed(broker: &Broker, shard: &SessionShard, pending: &PendingSignIn) -> Result<Option<Vec<Write>>, Error> {
    let subject = &pending.code.subject;
    if !pending.passed {
        return sessions::used(broker, shard, subject).await;
    }
    let record = shard.session(&subject.user, &subject.session);
    let Some(found) = record.get(&*broker.platform.store).await? else { return Ok(None) };
    let gate_stands = shard.gate(&subject.user).check(Expect::Version(subject.gate.clone()));
    let now = broker.platform.clock.now();
    let session = Session { subject: subject.clone(), used_at: Some(now), ..found.value };
    let end = subject.record_end(now);
    Ok(Some(vec![gate_stands, record.put_until(&session, end, Expect::Version(found.version))?]))
}

fn owe(
    broker: &Broker,
    shard: &SessionShard,
    kind: AuditKind,
    (subject, connection, client): (&Subject, &str, &str),
) -> Result<Write, Error> {
    let event = audit::event(broker, kind).about(&subject.user).through(Some(connection));
    let event = event.in_client(client).in_session(&subject.session);
    audit::owe(broker, shard.partition(), &subject.tenant, event)
}

/// A browser has one session: a sign-in ends the one that it had, whoever's it was, with all that applications hold in
/// it. One that began while this sign-in was under way is another tab's, and stays: its application may not have
/// redeemed its code yet.
async fn end_older(broker: &Broker, browser: Option<&str>, began_at: Timestamp) -> Result<(), Error> {
    let Some((shard, older)) = sessions::of_cookie(broker, browser).await? else { return Ok(()) };
    if older.began_at.is_some_and(|at| at >= began_at) {
        return Ok(());
    }
    let Session { subject, connection, .. } = older;
    let (user, session) = (&subject.user, &subject.session);
    let ending =
        Ending { shard: &shard, user, session, connection: Some(connection), kind: AuditKind::SessionReplaced };
    end(broker, ending).await?;
    Ok(())
}

/// The application's address with its code. Control planes look for `userState` beside it.
pub(super) fn code_location(broker: &Broker, reply: &ReplyAddress, relayed: bool, code: &str) -> Result<Url, Error> {
    let mut parameters = vec![("code", code)];
    parameters.extend(relayed.then_some(("userState", "Authenticated")));
    reply_location(broker, reply, &parameters)
}

/// The application's address with an error.
pub fn error_location(broker: &Broker, reply: &ReplyAddress, error: &oauth::Error) -> Result<Url, Error> {
    reply_location(broker, reply, &[("error", error.code.as_str()), ("error_description", error.description)])
}

/// The application's address with our answer in its query: `parameters`, its `state`, and our `iss` (RFC 9207).
fn reply_location(broker: &Broker, reply: &ReplyAddress, parameters: &[(&str, &str)]) -> Result<Url, Error> {
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
