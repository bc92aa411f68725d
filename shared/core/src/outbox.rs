//! Effects that cross partitions. A commit that owes one writes it down in the same commit; it is done at once where
//! somebody waits for it, and otherwise, or if the process died in between, by the tick.
//!
//! Each minute the tick works one of fifteen slots; every partition that can owe something is registered in one when
//! its tenant is created. Ticks may overlap, repeat and be missed: effects are idempotent and wait.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use vestibule_protocol::time::Seconds;

use crate::Broker;
use crate::delivery;
use crate::directory::import::Import;
use crate::error::Error;
use crate::handle::new_id;
use crate::model::audit::{AuditEvent, DEPLOYMENT};
use crate::model::effect::Effect;
use crate::scim::regroup::{self, Regroup};
use crate::sessions::{self, bulk::Bulk};
use crate::store::key::SessionShard;
use crate::store::record::RecordKey;
use crate::store::{Expect, MAX_COMMIT_BYTES, Partition, StoreError, Write, key, record};

/// What a tick did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct TickReport {
    /// The slot that was worked.
    pub slot: u32,
    /// Partitions looked at.
    pub partitions: u32,
    /// Effects that were owed and are done now.
    pub effects: u32,
    /// Partitions in which something failed; it stays owed, and the log says what.
    pub failed: u32,
}

/// An effect with the record that owes it.
pub(crate) struct Owed {
    /// To be part of the commit that owes the effect.
    pub(crate) write: Write,
    key: RecordKey<Effect>,
    effect: Effect,
}

impl Owed {
    /// To be part of the commit with which the effect is done, where that lies in the partition that owes it.
    pub(crate) fn done(&self) -> Write {
        self.key.delete(Expect::Any)
    }
}

/// Effects worked off in one step: their deletion, and what they write elsewhere, fit a commit each.
const BATCH: usize = 50;

/// Steps that a long effect makes in a row, before an answer or in a tick. What is left is the next tick's.
const STEPS: usize = 100;

/// An effect's id, and what is still owed of it.
type Outcome = (String, Option<Effect>);

/// Writes an effect down.
pub(crate) fn owe(broker: &Broker, partition: Partition, effect: &Effect) -> Result<Owed, Error> {
    let key = key::outbox(partition, broker.platform.clock.now(), &new_id(&*broker.platform.random));
    let write = key.put(effect, Expect::Any)?;
    Ok(Owed { write, key, effect: effect.clone() })
}

/// Enters a partition that may owe something into its minute slot.
pub(crate) async fn register(broker: &Broker, partition: &Partition) -> Result<(), Error> {
    let registration = key::registration(partition);
    let write = registration.put(&(), Expect::Any)?;
    Ok(broker.platform.store.commit(registration.partition(), vec![write]).await?)
}

/// Does an effect at once, after the commit that owes it. A long one is begun: its rest is the tick's.
pub(crate) async fn settle(broker: &Broker, owed: &Owed) -> Result<(), Error> {
    let mut effect = owed.effect.clone();
    for _ in 0..STEPS {
        let outcomes = perform(broker, vec![(owed.key.id().to_owned(), effect)]).await?;
        broker.platform.store.commit(owed.key.partition(), settled(owed.key.partition(), &outcomes)?).await?;
        match outcomes.into_iter().next() {
            Some((_, Some(rest))) => effect = rest,
            Some((_, None)) | None => break,
        }
    }
    Ok(())
}

/// What becomes of the records of effects: gone, or what is still owed of them.
fn settled(partition: &Partition, outcomes: &[Outcome]) -> Result<Vec<Write>, StoreError> {
    let settle = |(id, rest): &Outcome| match rest {
        None => Ok(Write::Delete { id: id.clone(), expect: Expect::Any }),
        Some(rest) => key::owed(partition.clone(), id).put(rest, Expect::Any),
    };
    outcomes.iter().map(settle).collect()
}

/// Works the slot of this minute.
pub(crate) async fn tick(broker: &Broker) -> Result<TickReport, Error> {
    let minute = broker.platform.clock.now().seconds().div_euclid(60);
    let slot = u32::try_from(minute.rem_euclid(i64::from(key::SLOTS))).unwrap_or_default();
    let mut report = TickReport { slot, ..TickReport::default() };
    let mut after = None;
    loop {
        let page = broker.platform.store.list(&key::sync_partition(slot), "", after.as_deref(), 100).await?;
        for registered in page.records {
            report.partitions += 1;
            let partition = Partition::new(registered.id);
            match work_off(broker, &partition, STEPS).await {
                Ok(worked) => report.effects += worked.effects,
                Err(error) => {
                    // One sick partition must not keep the others waiting.
                    report.failed += 1;
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::error!(partition = partition.as_str(), error = %error, cause, "tick.partition_failed");
                }
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(report);
        }
    }
}

/// What became of what a partition owed.
pub(crate) struct Worked {
    /// Effects that are done now.
    pub(crate) effects: u32,
    /// Whether nothing is owed any more.
    pub(crate) finished: bool,
}

/// Does everything that a partition owes, oldest first; of long effects, about as many steps.
pub(crate) async fn work_off(broker: &Broker, partition: &Partition, most: usize) -> Result<Worked, Error> {
    let mut effects = 0;
    let mut steps = 0;
    loop {
        let page = broker.platform.store.list(partition, key::OUTBOX, None, BATCH).await?;
        let mut owed = Vec::with_capacity(page.records.len());
        for found in page.records {
            let effect = record::parse::<Effect>(&found)?.value;
            owed.push((found.id, effect));
        }
        // A long effect must not keep other partitions waiting.
        if owed.is_empty() || steps >= most {
            let (tried, more) = delivery::work(broker, partition).await?;
            return Ok(Worked { effects: effects + tried, finished: owed.is_empty() && !more });
        }
        let outcomes = perform(broker, owed).await?;
        let finished = outcomes.iter().filter(|(_, rest)| rest.is_none()).count();
        effects += u32::try_from(finished).unwrap_or(u32::MAX);
        steps += usize::from(finished < outcomes.len());
        broker.platform.store.commit(partition, settled(partition, &outcomes)?).await?;
    }
}

/// Does at most [`BATCH`] effects, of a long one a step. In a box: every effect's code is in it, which both callers would
/// otherwise hold a copy of.
fn perform(broker: &Broker, owed: Vec<(String, Effect)>) -> BoxFuture<'_, Result<Vec<Outcome>, Error>> {
    Box::pin(perform_all(broker, owed))
}

/// Audit events of one tenant and day go out in one commit, under the id that their outbox record has: written twice,
/// they are there once.
async fn perform_all(broker: &Broker, owed: Vec<(String, Effect)>) -> Result<Vec<Outcome>, Error> {
    let mut events: BTreeMap<Partition, Vec<Write>> = BTreeMap::new();
    let mut outcomes = Vec::with_capacity(owed.len());
    for (id, effect) in owed {
        let mut rest = None;
        match effect {
            Effect::AlignGate { tenant, user } => sessions::align_gate(broker, &tenant, &user).await?,
            Effect::EndDead { tenant, user, reason } => {
                if let Some(shard) = sessions::shard_of(broker, &tenant, &user).await? {
                    sessions::end::end_dead(broker, &shard, &user, reason).await?;
                }
            }
            Effect::EndGrants { tenant, shard, session } => {
                let place = SessionShard { tenant, number: shard };
                let more = sessions::end::end_grants(broker, &place, &session, None).await?;
                rest = more.then_some(Effect::EndGrants { tenant: place.tenant, shard, session });
            }
            Effect::TellLogout { tenant, user, session, clients } => {
                let messages = delivery::of_session(broker, &user, &session, clients).await?;
                delivery::owe(broker, &tenant, unique_part(&id), messages).await?;
            }
            Effect::Regroup { tenant, group, by, after } => {
                let regroup = Regroup { tenant: &tenant, group: &group, by: &by };
                let next = regroup.step(broker, after.as_deref()).await?;
                rest = next.map(|after| Effect::Regroup { tenant, group, by, after: Some(after) });
            }
            Effect::Depart { tenant, user, groups } => regroup::depart(broker, &tenant, &user, &groups).await?,
            Effect::ImportGroups { tenant, user, connection } => {
                let import = Import { tenant: &tenant, user: &user, connection: &connection };
                let goes_on = import.step(broker).await?;
                rest = goes_on.then_some(Effect::ImportGroups { tenant, user, connection });
            }
            Effect::EndSessions { tenant, connection, name, shard } => {
                let bulk = Bulk { tenant: &tenant, connection: connection.as_deref() };
                let next = bulk.begin_eras(broker, &name, shard).await?;
                rest = next.map(|shard| Effect::EndSessions { tenant, connection, name, shard });
            }
            Effect::Sweep { tenant, shard, connection, era, after } => {
                let bulk = Bulk { tenant: &tenant, connection: connection.as_deref() };
                let next = bulk.sweep(broker, shard, era, after.as_deref()).await?;
                rest = next.map(|after| Effect::Sweep { tenant, shard, connection, era, after: Some(after) });
            }
            Effect::Audit { tenant, event } => {
                let messages = delivery::of_audit(broker, &tenant, &event).await?;
                delivery::owe(broker, &tenant, unique_part(&id), messages).await?;
                let record: RecordKey<AuditEvent> = key::audit(&tenant, event.time, unique_part(&id));
                let settings = if tenant == DEPLOYMENT { None } else { broker.tenant(&tenant).await? };
                let days = settings.and_then(|settings| settings.audit_days);
                let end = days.map(|days| event.time + Seconds(i64::from(days) * 86_400));
                let write = record.put_for(&event, end, Expect::Any)?;
                events.entry(record.partition().clone()).or_default().push(write);
            }
        }
        outcomes.push((id, rest));
    }
    for (partition, writes) in events {
        log(broker, &partition, writes).await?;
    }
    Ok(outcomes)
}

/// Writes events, as many at once as a commit holds.
async fn log(broker: &Broker, partition: &Partition, events: Vec<Write>) -> Result<(), StoreError> {
    let mut batch: Vec<Write> = Vec::new();
    for event in events {
        let bytes: usize = batch.iter().map(Write::bytes).sum();
        if bytes + event.bytes() > MAX_COMMIT_BYTES {
            broker.platform.store.commit(partition, std::mem::take(&mut batch)).await?;
        }
        batch.push(event);
    }
    broker.platform.store.commit(partition, batch).await
}

/// The random end of an outbox id.
fn unique_part(id: &str) -> &str {
    id.rsplit_once('#').map_or(id, |(_, unique)| unique)
}
