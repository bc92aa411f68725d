//! The tenant's checkpoint: between the proof of who somebody is and the session, or its next code, the person says why
//! they sign in, and a webhook agrees.
//!
//! A sign-in that waits for the answer lies in the person's session partition. Its name's secret is in a cookie of the
//! browser, and whoever answers takes the record away: it lets one sign-in through, in one browser, for ten minutes.

use url::Url;
use vestibule_protocol::oauth::{self, ErrorCode};
use vestibule_protocol::oidc::added_claims::AddedClaims;
use vestibule_protocol::params::Params;

pub use super::complete::Finished;
use super::complete::{complete, error_location};
use super::state::LOGIN_LIFE;
use super::webhook::{self, Verdict};
use super::{Look, Refusal, ReplyAddress, Told, look};
use crate::Broker;
use crate::audit;
use crate::error::{Error, LoginError};
use crate::handle::{Handle, HandleKind, Locator, SecretHash, new_id, new_secret};
use crate::model::audit::AuditKind;
use crate::model::checkpoint::{Checkpoint, Justification, Unacceptable, When};
use crate::model::pending::PendingSignIn;
use crate::sessions;
use crate::store::Expect;
use crate::store::key::SessionShard;
use crate::store::record::RecordKey;

/// What becomes of a sign-in whose person is known.
#[derive(Debug)]
pub enum Passage {
    /// It is through.
    Done(Finished),
    /// The person is asked first.
    Waits(Waiting),
}

/// Where the browser goes to be asked, and what it carries.
#[derive(Debug)]
pub struct Waiting {
    /// The checkpoint's page.
    pub location: Url,
    /// The sign-in's id: part of the cookie's name.
    pub id: String,
    /// The cookie's value.
    pub handle: String,
}

/// What the page asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The sign-in's id.
    pub id: String,
    /// The application's name.
    pub application: String,
    /// Whose page it is.
    pub look: Look,
    /// What to say.
    pub asks: Justification,
    /// What was said, and what is wrong with it.
    pub problem: Option<(String, Unacceptable)>,
}

/// What an answer led to.
#[derive(Debug)]
pub enum Answered {
    /// Through.
    Done(Finished),
    /// It will not do: ask again.
    Again(Box<Question>),
}

/// Lets a sign-in through, or keeps it until the person has answered. `browser` is the handle of the session that the
/// browser has had until now; `silent` forbids to show anything. `None` when the session, or the person's gate, is not
/// as remembered any more.
pub(super) async fn pass(
    broker: &Broker,
    mut pending: PendingSignIn,
    browser: Option<&str>,
    silent: bool,
) -> Result<Option<Passage>, Refusal> {
    let tenant = broker.tenant(&pending.code.subject.tenant).await?.ok_or(LoginError::ConnectionUnavailable)?;
    if let Some(checkpoint) = tenant.checkpoint.as_ref().filter(|checkpoint| is_due(checkpoint, &pending)) {
        if checkpoint.justification.is_some() && pending.justification.is_none() {
            if silent {
                let error = oauth::Error::new(ErrorCode::InteractionRequired, "the person has to say why they sign in");
                return Err(Refusal::Reply(reply_address(&pending), error));
            }
            return Ok(Some(Passage::Waits(wait(broker, &pending).await?)));
        }
        let claims = match &checkpoint.webhook {
            Some(webhook) => match webhook::ask(broker, webhook, &pending).await? {
                Verdict::Allow(claims) => claims,
                Verdict::Refuse(message) => return Err(refused(broker, &pending, message.filter(|_| !silent)).await?),
                Verdict::Unavailable => return Err(Refusal::Reply(reply_address(&pending), UNAVAILABLE)),
            },
            None => AddedClaims::default(),
        };
        let subject = &mut pending.code.subject;
        subject.justification.clone_from(&pending.justification);
        subject.claims = claims;
        subject.checkpoint_passed_at = Some(broker.platform.clock.now());
        pending.passed = true;
    }
    Ok(complete(broker, pending, browser).await?.map(Passage::Done))
}

fn is_due(checkpoint: &Checkpoint, pending: &PendingSignIn) -> bool {
    !pending.continues || checkpoint.when == When::EverySignIn || pending.code.subject.checkpoint_passed_at.is_none()
}

fn reply_address(pending: &PendingSignIn) -> ReplyAddress {
    ReplyAddress { redirect_uri: pending.code.redirect_uri.clone(), state: pending.state.clone() }
}

const UNAVAILABLE: oauth::Error =
    oauth::Error::new(ErrorCode::TemporarilyUnavailable, "whoever has to agree to this sign-in cannot be asked");

/// The webhook does not let the person in: the application is told, at once or after they read why.
async fn refused(broker: &Broker, pending: &PendingSignIn, message: Option<String>) -> Result<Refusal, Error> {
    let subject = &pending.code.subject;
    let shard =
        sessions::shard_of(broker, &subject.tenant, &subject.user).await?.ok_or(LoginError::ConnectionUnavailable)?;
    let kind = AuditKind::SignInRefusedByWebhook { justification: pending.justification.clone() };
    let event = audit::event(broker, kind).about(&subject.user).through(Some(&pending.connection));
    let owed = audit::owe(broker, shard.partition(), &subject.tenant, event.in_client(&pending.code.client))?;
    broker.platform.store.commit(&shard.partition(), vec![owed]).await?;
    let denied = oauth::Error::new(ErrorCode::AccessDenied, "the tenant does not let the person in");
    let reply = reply_address(pending);
    let Some(message) = message else { return Ok(Refusal::Reply(reply, denied)) };
    let back = error_location(broker, &reply, &denied)?;
    let client = broker.client(&pending.code.client).await?;
    let application = client.map(|client| client.name.clone()).unwrap_or_default();
    Ok(Refusal::Told(Box::new(Told { application, look: look(broker, &subject.tenant).await?, message, back })))
}

/// Keeps a sign-in for one answer.
async fn wait(broker: &Broker, pending: &PendingSignIn) -> Result<Waiting, Error> {
    let random = &*broker.platform.random;
    let subject = &pending.code.subject;
    let shard = sessions::shard_of(broker, &subject.tenant, &subject.user).await?;
    let shard = shard.ok_or(LoginError::ConnectionUnavailable)?;
    let (id, secret) = (new_id(random), new_secret(random));
    let record = shard.pending(&id, SecretHash::of(secret.expose()).as_str());
    let until = broker.platform.clock.now() + LOGIN_LIFE;
    let write = record.put_until(pending, until, Expect::Absent)?;
    broker.platform.store.commit(record.partition(), vec![write]).await?;
    let handle = Handle { kind: HandleKind::Checkpoint, locator: Locator { shard, path: vec![id.clone()] }, secret };
    let mut location = Url::parse(&broker.config.issuer).map_err(|_| Error::bug("our own issuer is not a URL"))?;
    location.set_path("/oauth2/checkpoint");
    location.query_pairs_mut().append_pair("login", &id);
    Ok(Waiting { location, id, handle: handle.to_text() })
}

/// A sign-in that waits, as a browser names it.
struct Held {
    id: String,
    shard: SessionShard,
    record: RecordKey<PendingSignIn>,
}

impl Held {
    /// `cookie` finds the handle of an id. Whatever does not fit is a sign-in that nobody knows.
    fn open<'a>(params: &Params<'_>, cookie: impl FnOnce(&str) -> Option<&'a str>) -> Result<Self, Error> {
        let unknown = LoginError::UnknownLogin;
        let id = params.get("login").map_err(oauth::Error::from)?.ok_or(unknown.clone())?;
        let handle = cookie(id).and_then(|text| Handle::parse(HandleKind::Checkpoint, 1, text));
        let handle = handle.filter(|handle| handle.locator.path == [id]).ok_or(unknown)?;
        let shard = handle.locator.shard;
        let record = shard.pending(id, SecretHash::of(handle.secret.expose()).as_str());
        Ok(Self { id: id.to_owned(), shard, record })
    }

    /// What the tenant asks for now.
    async fn asks(&self, broker: &Broker) -> Result<Option<Justification>, Error> {
        let tenant = broker.tenant(&self.shard.tenant).await?.ok_or(LoginError::UnknownLogin)?;
        Ok(tenant.checkpoint.as_ref().and_then(|checkpoint| checkpoint.justification.clone()))
    }

    async fn question(
        self,
        broker: &Broker,
        asks: Justification,
        problem: Option<(String, Unacceptable)>,
    ) -> Result<Question, Error> {
        let found = self.record.get(&*broker.platform.store).await?.ok_or(LoginError::UnknownLogin)?;
        let client = broker.client(&found.value.code.client).await?.ok_or(LoginError::UnknownLogin)?;
        let look = look(broker, &self.shard.tenant).await?;
        Ok(Question { id: self.id, application: client.name.clone(), look, asks, problem })
    }
}

/// The question of a sign-in that waits.
pub async fn question<'a>(
    broker: &Broker,
    params: &Params<'_>,
    cookie: impl FnOnce(&str) -> Option<&'a str>,
) -> Result<Question, Error> {
    let held = Held::open(params, cookie)?;
    let asks = held.asks(broker).await?.ok_or(LoginError::UnknownLogin)?;
    held.question(broker, asks, None).await
}

/// Takes the person's answer. Of several for one sign-in, one counts.
pub async fn answer<'a>(
    broker: &Broker,
    params: &Params<'_>,
    cookie: impl FnOnce(&str) -> Option<&'a str>,
    browser: Option<&str>,
) -> Result<Answered, Refusal> {
    let held = Held::open(params, cookie)?;
    let said = params.get("justification").map_err(oauth::Error::from)?.unwrap_or_default();
    let cancelled = params.get("cancel").map_err(oauth::Error::from)?.is_some();
    let justification = match held.asks(broker).await? {
        Some(asks) if !cancelled => match asks.accept(said) {
            Ok(kept) => Some(kept),
            Err(why) => {
                let again = held.question(broker, asks, Some((said.to_owned(), why))).await?;
                return Ok(Answered::Again(Box::new(again)));
            }
        },
        _ => None,
    };
    let taken = held.record.take(&*broker.platform.store).await?.ok_or(LoginError::UnknownLogin)?;
    if cancelled {
        let error = oauth::Error::new(ErrorCode::AccessDenied, "the person did not say why they sign in");
        return Err(Refusal::Reply(reply_address(&taken), error));
    }
    let connection = broker.connection(&taken.code.subject.tenant, &taken.connection).await?;
    if !connection.is_some_and(|connection| connection.enabled) {
        return Err(LoginError::ConnectionUnavailable.into());
    }
    match pass(broker, PendingSignIn { justification, ..taken }, browser, false).await? {
        Some(Passage::Done(finished)) => Ok(Answered::Done(finished)),
        // The person was deactivated, or the session ended, while they were writing.
        _ => Err(LoginError::UnknownLogin.into()),
    }
}
