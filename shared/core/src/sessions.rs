//! The gate of a person's sessions, and how sessions end.

use vestibule_protocol::time::Seconds;

use crate::Broker;
use crate::error::{Error, LoginError};
use crate::handle::{Handle, HandleKind};
use crate::model::effect::{AuditEvent, AuditKind, Effect};
use crate::model::session::{Gate, Session, Subject};
use crate::outbox;
use crate::store::key::{self, SessionShard};
use crate::store::{Expect, MAX_WRITES, Store, StoreError, Version, Write, record};

/// The state of a person's open gate. Made at their first login; a closed one refuses.
pub(crate) async fn open_gate(broker: &Broker, shard: &SessionShard, user: &str) -> Result<Version, Error> {
    let store = &*broker.platform.store;
    let record = shard.gate(user);
    let mut gate = record.get(store).await?;
    if gate.is_none() {
        let write = record.put(&Gate { open: true }, Expect::Absent)?;
        match store.commit(record.partition(), vec![write]).await {
            Ok(()) | Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
        gate = record.get(store).await?;
    }
    let gate = gate.ok_or(Error::bug("a gate vanished"))?;
    if gate.value.open { Ok(gate.version) } else { Err(LoginError::Inactive.into()) }
}

/// Where a person's sessions lie; nowhere when the tenant is gone.
pub(crate) async fn shard_of(broker: &Broker, subject: &Subject) -> Result<Option<SessionShard>, Error> {
    let tenant = broker.tenant(&subject.tenant).await?;
    Ok(tenant.map(|tenant| SessionShard::of_user(&subject.tenant, &subject.user, tenant.session_shards)))
}

/// The session behind a browser's cookie, if it is still there. Whether it still counts is for a commit to say.
pub(crate) async fn of_cookie(broker: &Broker, cookie: Option<&str>) -> Result<Option<(SessionShard, Session)>, Error> {
    let Some(handle) = cookie.and_then(|cookie| Handle::parse(HandleKind::Session, 2, cookie)) else { return Ok(None) };
    let [user, session] = handle.locator.path.as_slice() else { return Ok(None) };
    let shard = handle.locator.shard;
    let found = shard.session(user, session).get(&*broker.platform.store).await?;
    let proved = found.filter(|found| found.value.secret.matches(handle.secret.expose()));
    Ok(proved.map(|found| (shard, found.value)))
}

/// The conditions under which a session still counts: it was not ended, and its person's gate did not change.
/// Every commit that creates or refreshes something in a session carries both.
pub(crate) fn still_live(shard: &SessionShard, subject: &Subject) -> [Write; 2] {
    [
        shard.gate(&subject.user).check(Expect::Version(subject.gate.clone())),
        shard.session(&subject.user, &subject.session).check(Expect::Present),
    ]
}

/// The same, and that the session is used now: the record of one that may not go unused ends later by that. `None` when
/// it is over. To spare writes, a use is written down once in a tenth of the time that may pass.
pub(crate) async fn used(
    broker: &Broker,
    shard: &SessionShard,
    subject: &Subject,
) -> Result<Option<Vec<Write>>, Error> {
    let Some(idle) = subject.idle_life else { return Ok(Some(still_live(shard, subject).into())) };
    let record = shard.session(&subject.user, &subject.session);
    let Some(found) = record.get(&*broker.platform.store).await? else { return Ok(None) };
    let now = broker.platform.clock.now();
    let written = found.value.used_at.or(found.value.began_at);
    if written.is_some_and(|at| !(at + Seconds(idle.0 / 10)).has_passed(now)) {
        return Ok(Some(still_live(shard, subject).into()));
    }
    let session = Session { used_at: Some(now), ..found.value };
    let [gate_stands, _] = still_live(shard, subject);
    Ok(Some(vec![gate_stands, record.put_until(&session, subject.record_end(now), Expect::Version(found.version))?]))
}

/// Ends one session. Removing its record is what ends it; its grants are removed with it, or expire.
pub(crate) async fn end(
    broker: &Broker,
    shard: &SessionShard,
    user: &str,
    session: &str,
    also: Option<Write>,
) -> Result<(), Error> {
    let store = &*broker.platform.store;
    let partition = shard.partition();
    let grants = store.list(&partition, &SessionShard::grants_of(session), None, MAX_WRITES - 2).await?;
    let mut writes = vec![shard.session(user, session).delete(Expect::Any)];
    writes.extend(also);
    writes.extend(grants.records.into_iter().map(|grant| Write::Delete { id: grant.id, expect: Expect::Any }));
    Ok(store.commit(&partition, writes).await?)
}

/// Ends every session of a person who stays: their gate is written anew as it is, so that whatever remembers it as it was
/// is over. `kind` says who did it. Nothing when the tenant is not there.
pub(crate) async fn end_all(broker: &Broker, tenant: &str, user: &str, kind: AuditKind) -> Result<(), Error> {
    let store = &*broker.platform.store;
    let Some(settings) = key::tenant(tenant).get(store).await? else { return Ok(()) };
    let shard = SessionShard::of_user(tenant, user, settings.value.session_shards);
    let time = broker.platform.clock.now();
    let event = AuditEvent { time, kind, user: Some(user.to_owned()), connection: None, client: None, session: None };
    let audit = outbox::owe(broker, shard.partition(), &Effect::Audit { tenant: tenant.to_owned(), event })?.write;
    let record = shard.gate(user);
    loop {
        let mut writes = vec![audit.clone()];
        // Whoever never signed in has no gate, and no session.
        if let Some(gate) = record.get(store).await? {
            writes.push(record.put(&gate.value, Expect::Version(gate.version))?);
        }
        match store.commit(record.partition(), writes).await {
            Ok(()) => break,
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let gate = record.get(store).await?.map(|gate| gate.version);
    remove_dead(broker, store, &shard, user, gate.as_ref()).await
}

/// Brings a person's gate in line with whether they are active, then removes the sessions that this ended. Safe to
/// repeat and to run twice at once: each try reads the person after the gate, and writes the gate as it was read.
pub(crate) async fn align_gate(broker: &Broker, tenant: &str, user: &str) -> Result<(), Error> {
    let store = &*broker.platform.store;
    let Some(settings) = key::tenant(tenant).get(store).await? else { return Ok(()) };
    let shard = SessionShard::of_user(tenant, user, settings.value.session_shards);
    let record = shard.gate(user);
    loop {
        let gate = record.get(store).await?;
        let open = key::user(tenant, user).get(store).await?.is_some_and(|found| found.value.active);
        if gate.as_ref().is_some_and(|gate| gate.value.open == open) {
            break;
        }
        let expect = gate.map_or(Expect::Absent, |gate| Expect::Version(gate.version));
        match store.commit(record.partition(), vec![record.put(&Gate { open }, expect)?]).await {
            Ok(()) => break,
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let gate = record.get(store).await?.map(|gate| gate.version);
    remove_dead(broker, store, &shard, user, gate.as_ref()).await
}

/// Removes the sessions of a person that remember another state of the gate.
async fn remove_dead(
    broker: &Broker,
    store: &dyn Store,
    shard: &SessionShard,
    user: &str,
    gate: Option<&Version>,
) -> Result<(), Error> {
    let mut after = None;
    loop {
        let page = store.list(&shard.partition(), &SessionShard::sessions_of(user), after.as_deref(), 100).await?;
        for found in &page.records {
            let session = record::parse::<Session>(found)?.value.subject;
            if Some(&session.gate) != gate {
                end(broker, shard, user, &session.session, None).await?;
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}
