//! Removing a person: their record, all that leads to them, their memberships, their sessions.

use super::person;
use crate::Broker;
use crate::error::Error;
use crate::model::effect::{AuditEvent, Effect};
use crate::model::group::Touch;
use crate::model::user::User;
use crate::outbox;
use crate::store::record::Stored;
use crate::store::{Expect, MAX_WRITES, Write, key};

/// What a commit has room for beside the memberships, when these are removed in steps.
const MEMBERSHIPS: usize = 40;

/// Removes a person as they were read, and ends every session of theirs before this returns. `event` says who did it.
/// A conflict when they are not as they were read any more.
///
/// Whoever is in more groups than one commit can hold leaves some first. If this breaks off in between, removing them
/// again completes it.
pub(crate) async fn remove(
    broker: &Broker,
    tenant: &str,
    mut found: Stored<User>,
    event: AuditEvent,
) -> Result<(), Error> {
    let store = &*broker.platform.store;
    let record = key::user(tenant, &found.value.id);
    let partition = record.partition().clone();
    let align = Effect::AlignGate { tenant: tenant.to_owned(), user: found.value.id.clone() };
    let align = outbox::owe(broker, partition.clone(), &align)?;
    let audit = outbox::owe(broker, partition.clone(), &Effect::Audit { tenant: tenant.to_owned(), event })?;
    loop {
        let mut writes = person::remove(broker, tenant, &found).await?;
        writes.extend([align.write.clone(), audit.write.clone()]);
        writes.extend(leave(broker, tenant, &found.value, usize::MAX)?);
        if writes.len() <= MAX_WRITES {
            store.commit(&partition, writes).await?;
            return outbox::settle(broker, &align).await;
        }
        let mut fewer = found.value.clone();
        fewer.member_of = fewer.member_of.into_iter().skip(MEMBERSHIPS).collect();
        let mut writes = person::update(tenant, &found, &fewer)?;
        writes.extend(leave(broker, tenant, &found.value, MEMBERSHIPS)?);
        store.commit(&partition, writes).await?;
        let Some(left) = record.get(store).await? else { return Ok(()) };
        found = left;
    }
}

/// That a person is in the first `most` of their groups no more.
fn leave(broker: &Broker, tenant: &str, user: &User, most: usize) -> Result<Vec<Write>, Error> {
    let at = broker.platform.clock.now();
    let mut writes = Vec::new();
    for group in user.member_of.keys().take(most) {
        writes.push(key::member(tenant, group, &user.id).delete(Expect::Any));
        writes.push(key::group_touch(tenant, group).put(&Touch { at }, Expect::Any)?);
    }
    Ok(writes)
}
