//! The gate of a person's sessions, and whether a session still counts. How sessions end is in [`end`].

use vestibule_protocol::time::Seconds;

use crate::Broker;
use crate::error::{Error, LoginError};
use crate::handle::{Handle, HandleKind};
use crate::model::session::{EndReason, Era, Gate, SeenEra, Session, Subject};
use crate::store::key::{self, SessionShard};
use crate::store::{Expect, StoreError, Version, Write, record};

pub(crate) mod bulk;
pub(crate) mod end;

/// The state of a person's open gate, and the era in which a session of theirs begins. The gate is made at their first
/// login; a closed one refuses.
pub(crate) async fn open_gate(broker: &Broker, shard: &SessionShard, user: &str) -> Result<(Version, SeenEra), Error> {
    let store = &*broker.platform.store;
    let record = shard.gate(user);
    let ids = [record.id().to_owned(), shard.era().id().to_owned()];
    let mut found = store.get_many(record.partition(), &ids).await?.into_iter();
    let mut gate = found.next().flatten().map(|found| record::parse::<Gate>(&found)).transpose()?;
    let era = found.next().flatten().map(|found| record::parse::<Era>(&found)).transpose()?;
    if gate.is_none() {
        let write = record.put(&Gate { open: true }, Expect::Absent)?;
        match store.commit(record.partition(), vec![write]).await {
            Ok(_) | Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
        gate = record.get(store).await?;
    }
    let gate = gate.ok_or(Error::bug("a gate vanished"))?;
    if !gate.value.open {
        return Err(LoginError::Inactive.into());
    }
    let era = era.map(|era| SeenEra { number: era.value.number, version: Some(era.version) });
    Ok((gate.version, era.unwrap_or_default()))
}

/// Where a person's sessions lie; nowhere when the tenant is gone.
pub(crate) async fn shard_of(broker: &Broker, tenant: &str, user: &str) -> Result<Option<SessionShard>, Error> {
    let settings = broker.tenant(tenant).await?;
    Ok(settings.map(|settings| SessionShard::of_user(tenant, user, settings.session_shards)))
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

/// Brings a person's gate in line with whether they are active, then ends the sessions that remember it otherwise. Safe to
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
            Ok(_) => break,
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    end::end_dead(broker, &shard, user, EndReason::Deactivated).await
}
