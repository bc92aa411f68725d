//! What identity providers tell us of their own accord: that a session of theirs is over, or all of a person.
//!
//! Each of our sessions can be found by what its provider calls it, by records that are written with it. A notice counts
//! once: one commit spends its name and owes the end of the sessions, which is done before the answer; a crash forgets
//! neither.

mod front_channel;
mod received;
mod revocation;

use futures_util::future::try_join_all;
use vestibule_protocol::time::Timestamp;

pub use self::front_channel::{Framed, signed_out_there};
pub use self::received::logout_token;
pub use self::revocation::{Revoked, revoke};
pub(crate) use self::revocation::{revocation_uri, revoke_users};
use crate::Broker;
use crate::error::Error;
use crate::login::complete::Beginning;
use crate::model::audit::AuditKind;
use crate::model::effect::Over;
use crate::model::session::{EndReason, ProviderSession, Session};
use crate::sessions::end::{self, Ending};
use crate::store::key::{self, SessionShard};
use crate::store::{Expect, StoreError, Write, record};
use crate::upstream::oidc::Identity;

/// Shards that one step looks at.
const SHARDS: u16 = 8;
/// Sessions on one page. One provider's session is rarely behind more than one of ours.
const PAGE: usize = 100;
/// Longest name of a session that is remembered, in bytes.
const MAX_SID: usize = 255;
/// What the audit log says of each session that ends.
const KIND: AuditKind = AuditKind::SessionEnded { reason: EndReason::ProviderNotice };

/// What a new session is remembered by.
pub(crate) fn remember(identity: &Identity, user: &str) -> Option<ProviderSession> {
    let subject = identity.claims.text("sub")?.to_owned();
    let sid = identity.claims.text("sid").filter(|sid| sid.len() <= MAX_SID).map(str::to_owned);
    let renamed = subject != identity.subject;
    Some(ProviderSession { user: user.to_owned(), issuer: identity.issuer.clone(), subject, sid, renamed })
}

/// To be part of the commit that begins a session. They end with it by themselves; one whose session was ended leads
/// nowhere.
pub(crate) fn index(shard: &SessionShard, beginning: &Beginning, now: Timestamp) -> Result<Vec<Write>, StoreError> {
    let Beginning { subject, connection, provider: Some(provider), .. } = beginning else { return Ok(Vec::new()) };
    let by_sid = provider.sid.as_deref().map(|sid| SessionShard::of_sid(connection, sid));
    // Otherwise the identity leads to the person.
    let by_subject = SessionShard::of_subject(connection, &provider.issuer, &provider.subject);
    let by_subject = provider.renamed.then_some(by_subject);
    let write = |prefix: String| {
        shard.of_provider(&prefix, &subject.session).put_until(provider, subject.session_end(now), Expect::Any)
    };
    by_sid.into_iter().chain(by_subject).map(write).collect()
}

/// Ends sessions that a connection's provider says are over, in some shards from `first` on. With which shard it goes
/// on, if it does.
pub(crate) async fn end(
    broker: &Broker,
    (tenant, connection): (&str, &str),
    over: &Over,
    first: u16,
) -> Result<Option<u16>, Error> {
    let store = &*broker.platform.store;
    let Some(settings) = key::tenant(tenant).get(store).await? else { return Ok(None) };
    let shards = settings.value.session_shards;
    let prefix = match (over.sid.as_deref(), over.subject.as_deref()) {
        (Some(sid), _) => SessionShard::of_sid(connection, sid),
        (None, Some(subject)) if over.is_identity => {
            if let Some(link) = key::identity(tenant, connection, &over.issuer, subject).get(store).await? {
                let shard = SessionShard::of_user(tenant, &link.value.user, shards);
                end_of_user(broker, &shard, &link.value.user, connection).await?;
            }
            return Ok(None);
        }
        (None, Some(subject)) => SessionShard::of_subject(connection, &over.issuer, subject),
        (None, None) => return Ok(None),
    };
    let next = first.saturating_add(SHARDS).min(shards);
    let looks: Vec<_> = (first..next)
        .map(|number| {
            let prefix = prefix.as_str();
            Box::pin(async move {
                let shard = SessionShard { tenant: tenant.to_owned(), number };
                end_found(broker, &shard, prefix, over).await
            })
        })
        .collect();
    try_join_all(looks).await?;
    Ok((next < shards).then_some(next))
}

/// Ends the sessions of a person through a connection.
async fn end_of_user(broker: &Broker, shard: &SessionShard, user: &str, connection: &str) -> Result<(), Error> {
    let mut after = None;
    loop {
        let prefix = SessionShard::sessions_of(user);
        let page = broker.platform.store.list(&shard.partition(), &prefix, after.as_deref(), PAGE).await?;
        for found in &page.records {
            let session = record::parse::<Session>(found)?.value;
            if session.connection == connection {
                end::end_now(broker, Ending::of(shard, &session, KIND)).await?;
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// Ends the sessions of a shard that are remembered under a prefix. A notice that names a person too is about no other.
async fn end_found(broker: &Broker, shard: &SessionShard, prefix: &str, over: &Over) -> Result<(), Error> {
    let store = &*broker.platform.store;
    let mut after = None;
    loop {
        let page = store.list(&shard.partition(), prefix, after.as_deref(), PAGE).await?;
        for found in &page.records {
            let provider = record::parse::<ProviderSession>(found)?.value;
            let theirs = over.subject.as_ref().is_none_or(|subject| *subject == provider.subject);
            let meant = theirs && provider.issuer == over.issuer;
            let Some(session) = found.id.strip_prefix(prefix).filter(|_| meant) else { continue };
            if let Some(session) = shard.session(&provider.user, session).get(store).await? {
                end::end_now(broker, Ending::of(shard, &session.value, KIND)).await?;
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}
