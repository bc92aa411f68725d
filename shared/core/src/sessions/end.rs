//! How sessions end. One commit removes the session's record, which ends it with everything in it, and owes the event and
//! what follows: the grants that applications hold go one after the other, after the session, because no new one can come
//! then.

use std::collections::BTreeSet;

use crate::Broker;
use crate::audit;
use crate::error::Error;
use crate::model::audit::AuditKind;
use crate::model::effect::Effect;
use crate::model::session::{EndReason, Grant, Session};
use crate::outbox;
use crate::status_list;
use crate::store::key::{self, SessionShard};
use crate::store::{Expect, MAX_WRITES, StoreError, Write, record};
use crate::token::family::Family;
use crate::userinfo;

/// Most grants that one commit lets go: each may owe something.
const GRANTS: usize = MAX_WRITES / 4;

/// Which session ends, and what the audit log says of it.
pub(crate) struct Ending<'a> {
    pub(crate) shard: &'a SessionShard,
    pub(crate) user: &'a str,
    pub(crate) session: &'a str,
    pub(crate) connection: Option<String>,
    pub(crate) kind: AuditKind,
}

impl<'a> Ending<'a> {
    /// The end of a session as it was read.
    pub(crate) fn of(shard: &'a SessionShard, session: &'a Session, kind: AuditKind) -> Self {
        let Session { subject, connection, .. } = session;
        Self { shard, user: &subject.user, session: &subject.session, connection: Some(connection.clone()), kind }
    }
}

/// Ends one session for somebody who asked for it. What follows for applications and the log is done soon. The
/// applications that held something in it; none when it was over already.
pub(crate) async fn end_now(broker: &Broker, ending: Ending<'_>) -> Result<BTreeSet<String>, Error> {
    let partition = ending.shard.partition();
    let ended = end(broker, ending).await?;
    if ended.is_some() {
        outbox::wake(broker, &partition).await;
    }
    Ok(ended.unwrap_or_default())
}

/// Ends one session: the applications that held something in it. `None` when it was over already: of several who end it,
/// one does, and writes the event.
pub(crate) async fn end(broker: &Broker, ending: Ending<'_>) -> Result<Option<BTreeSet<String>>, Error> {
    let Ending { shard, user, session, connection, kind } = ending;
    let event = audit::event(broker, kind).about(user).through(connection.as_deref()).in_session(session);
    let audit = audit::owe(broker, shard.partition(), &shard.tenant, event)?;
    let grants = Effect::EndGrants { tenant: shard.tenant.clone(), shard: shard.number, session: session.to_owned() };
    let grants = outbox::owe(broker, shard.partition(), &grants)?;
    let writes = vec![
        shard.session(user, session).delete(Expect::Present),
        shard.watch(user, session).delete(Expect::Any),
        audit,
        grants.write.clone(),
    ];
    match broker.platform.store.commit(&shard.partition(), writes).await {
        Ok(_) => {}
        Err(StoreError::Conflict) => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let mut held = BTreeSet::new();
    while end_grants(broker, shard, session, Some(grants.done()), &mut held).await? {}
    Ok(Some(held))
}

/// Removes grants of a session that is over, as many as fit a commit. True when there are more; `last` is written with
/// the last of them. Whose they were is added to `held`.
pub(crate) async fn end_grants(
    broker: &Broker,
    shard: &SessionShard,
    session: &str,
    last: Option<Write>,
    held: &mut BTreeSet<String>,
) -> Result<bool, Error> {
    let store = &*broker.platform.store;
    let partition = shard.partition();
    let page = store.list(&partition, &SessionShard::grants_of(session), None, GRANTS).await?;
    let more = page.next.is_some();
    let now = broker.platform.clock.now();
    let mut clients = BTreeSet::new();
    let mut user = String::new();
    let mut writes = Vec::with_capacity(3 * page.records.len() + 2);
    for found in page.records {
        if let Some(id) = found.id.strip_prefix(&SessionShard::grants_of(session)) {
            userinfo::forget(broker, &Family { shard: shard.clone(), session: session.to_owned(), id: id.to_owned() });
        }
        let grant = record::parse::<Grant>(&found)?.value;
        // Nothing can use it any more, so it is as it was read.
        writes.extend(status_list::revoke(shard, &grant, now)?);
        clients.insert(grant.client);
        user = grant.subject.user;
        writes.push(Write::Delete { id: found.id, expect: Expect::Any });
    }
    held.extend(clients.iter().cloned());
    if !clients.is_empty() {
        let (tenant, clients) = (shard.tenant.clone(), clients.into_iter().collect());
        let tell = Effect::TellLogout { tenant, user, session: session.to_owned(), clients };
        writes.push(outbox::owe(broker, partition.clone(), &tell)?.write);
    }
    writes.extend(last.filter(|_| !more));
    if !writes.is_empty() {
        store.commit(&partition, writes).await?;
    }
    Ok(more)
}

/// Ends every session of a person who stays: their gate is written anew as it is, so that whatever remembers it as it was
/// is over. `kind` says who did it. Nothing when the tenant is not there.
pub(crate) async fn end_all(
    broker: &Broker,
    tenant: &str,
    user: &str,
    kind: AuditKind,
    reason: EndReason,
) -> Result<(), Error> {
    let store = &*broker.platform.store;
    let Some(settings) = key::tenant(tenant).get(store).await? else { return Ok(()) };
    let shard = SessionShard::of_user(tenant, user, settings.value.session_shards);
    let audit = audit::owe(broker, shard.partition(), tenant, audit::event(broker, kind).about(user))?;
    let dead = Effect::EndDead { tenant: tenant.to_owned(), user: user.to_owned(), reason };
    let dead = outbox::owe(broker, shard.partition(), &dead)?;
    let record = shard.gate(user);
    loop {
        let mut writes = vec![audit.clone(), dead.write.clone()];
        // Whoever never signed in has no gate, and no session.
        if let Some(gate) = record.get(store).await? {
            writes.push(record.put(&gate.value, Expect::Version(gate.version))?);
        }
        match store.commit(record.partition(), writes).await {
            Ok(_) => return outbox::settle(broker, &dead).await,
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Ends the sessions of a person that remember another state of the gate than it has: they are over, and what follows
/// from that follows now.
pub(crate) async fn end_dead(
    broker: &Broker,
    shard: &SessionShard,
    user: &str,
    reason: EndReason,
) -> Result<(), Error> {
    let store = &*broker.platform.store;
    let gate = shard.gate(user).get(store).await?.map(|gate| gate.version);
    let (mut after, mut ended) = (None, false);
    loop {
        let page = store.list(&shard.partition(), &SessionShard::sessions_of(user), after.as_deref(), 100).await?;
        for found in &page.records {
            let session = record::parse::<Session>(found)?.value;
            if Some(&session.subject.gate) != gate.as_ref() {
                let ending = Ending::of(shard, &session, AuditKind::SessionEnded { reason });
                ended |= end(broker, ending).await?.is_some();
            }
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    if ended {
        outbox::wake(broker, &shard.partition()).await;
    }
    Ok(())
}
