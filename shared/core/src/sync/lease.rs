//! Who examines a session. A lease is taken by the version of the record: of several processes that
//! see the same session, one gets it. A lease that has ended without a word was a process that died, perhaps between the
//! provider's answer and our commit; that is remembered.

use vestibule_protocol::time::{Seconds, Timestamp};

use super::due::Due;
use crate::Broker;
use crate::error::Error;
use crate::handle::new_id;
use crate::model::watch::{Lease, Watch};
use crate::store::key::SessionShard;
use crate::store::record;
use crate::store::{Expect, StoreError, Version};

/// How long a lease lasts. A step of [`super::STEP`] sessions takes less, however slow their providers are.
const LEASE: Seconds = Seconds(300);
/// How often a commit that lost a race is tried anew.
const TRIES: usize = 3;

/// A session that is ours to examine.
pub(super) struct Leased {
    pub(super) user: String,
    pub(super) session: String,
    pub(super) ends_at: Timestamp,
    pub(super) watch: Watch,
    /// The record's state; not known after it was written.
    pub(super) version: Option<Version>,
}

/// Whether nobody has it, and it has its turn or something to be carried out.
pub(super) fn is_due(watch: &Watch, now: Timestamp) -> bool {
    let free = watch.lease.as_ref().is_none_or(|lease| lease.ends_at.has_passed(now));
    free && (watch.decided.is_some() || watch.due_at.has_passed(now))
}

/// Takes the leases of these, all in one commit. Those that somebody else has taken meanwhile are left to them.
pub(super) async fn take(broker: &Broker, shard: &SessionShard, mut due: Vec<Due>) -> Result<Vec<Leased>, Error> {
    let (store, now) = (&*broker.platform.store, broker.platform.clock.now());
    let id = new_id(&*broker.platform.random);
    for _ in 0..TRIES {
        if due.is_empty() {
            break;
        }
        let mut writes = Vec::with_capacity(due.len());
        for one in &due {
            let mut watch = one.found.value.clone();
            // Whoever had it said nothing more: what the provider told them may be lost.
            watch.answer_lost |= watch.lease.is_some();
            watch.lease = Some(Lease { id: id.clone(), ends_at: now + LEASE });
            let expect = Expect::Version(one.found.version.clone());
            writes.push(shard.watch(&one.user, &one.session).put_until(&watch, one.ends_at, expect)?);
        }
        let outcome = store.commit(&shard.partition(), writes).await;
        due = reread(broker, shard, due).await?;
        match outcome {
            Ok(_) => {
                due.retain(|one| one.found.value.lease.as_ref().is_some_and(|lease| lease.id == id));
                return Ok(due.into_iter().map(Leased::from).collect());
            }
            Err(StoreError::Conflict) => due.retain(|one| is_due(&one.found.value, now)),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Vec::new())
}

/// The same as they are now, without those that are gone.
async fn reread(broker: &Broker, shard: &SessionShard, due: Vec<Due>) -> Result<Vec<Due>, Error> {
    let ids: Vec<String> = due.iter().map(|one| shard.watch(&one.user, &one.session).id().to_owned()).collect();
    let records = broker.platform.store.get_many(&shard.partition(), &ids).await?;
    let mut there = Vec::with_capacity(due.len());
    for (one, record) in due.into_iter().zip(records) {
        if let Some(record) = record {
            there.push(Due { found: record::parse(&record)?, ..one });
        }
    }
    Ok(there)
}

impl From<Due> for Leased {
    fn from(due: Due) -> Self {
        let Due { user, session, ends_at, found } = due;
        Self { user, session, ends_at, watch: found.value, version: Some(found.version) }
    }
}
