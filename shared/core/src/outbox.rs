//! Effects that cross partitions. A commit that owes one writes it down in the same commit; it is done at once where
//! somebody waits for it, soon where the commit wakes its partition, and otherwise, or if the process died in between,
//! by the tick. Effects are idempotent and wait.

use std::collections::BTreeMap;

use crate::Broker;
use crate::error::Error;
use crate::handle::new_id;
use crate::model::audit::AuditEvent;
use crate::model::effect::Effect;
use crate::platform::Task;
use crate::store::record::{self, RecordKey};
use crate::store::{Expect, MAX_COMMIT_BYTES, Partition, StoreError, Write, key};

mod step;

use step::{entry, step};

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

/// What became of some of a partition's effects.
pub(crate) struct Batch {
    /// How many are done.
    pub(crate) done: u32,
    /// How many failed and stay owed.
    pub(crate) failed: u32,
    /// The id after which it goes on, unless that was all.
    pub(crate) rest: Option<String>,
}

/// Effects looked at in one batch: their deletion, and what they write elsewhere, fit a commit each.
const BATCH: usize = 50;

/// Steps of a long effect that are made before an answer.
const AT_ONCE: usize = 20;

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
    broker.platform.store.commit(registration.partition(), vec![write]).await?;
    Ok(())
}

/// Has a partition worked soon, after a commit that owes something which nobody waits for. What goes wrong is no failure
/// of the caller's: the partition's slot comes.
pub(crate) async fn wake(broker: &Broker, partition: &Partition) {
    let task = Task { partition: partition.as_str().to_owned(), after: None };
    if let Err(error) = broker.platform.queue.send(vec![task]).await {
        tracing::warn!(partition = partition.as_str(), error = %error, "outbox.not_woken");
    }
}

/// Does an effect at once, after the commit that owes it. A long one is begun; its rest is done soon.
pub(crate) async fn settle(broker: &Broker, owed: &Owed) -> Result<(), Error> {
    let partition = owed.key.partition();
    let mut steps = AT_ONCE;
    let rest = run(broker, owed.key.id(), owed.effect.clone(), &mut steps).await?;
    let goes_on = rest.is_some();
    broker.platform.store.commit(partition, vec![settled(partition, owed.key.id(), rest)?]).await?;
    if goes_on {
        wake(broker, partition).await;
    }
    Ok(())
}

/// Does some of what a partition owes, oldest first. One effect that fails keeps no other waiting.
pub(crate) async fn work(broker: &Broker, partition: &Partition, after: Option<&str>) -> Result<Batch, Error> {
    let store = &*broker.platform.store;
    let mut steps = broker.platform.queue.steps();
    let page = store.list(partition, key::OUTBOX, after, BATCH).await?;
    let mut batch = Batch { done: 0, failed: 0, rest: page.next };
    let mut events = Events::default();
    let mut writes = Vec::new();
    let mut before = after.unwrap_or(key::OUTBOX).to_owned();
    let mut leaves_more = false;
    for found in page.records {
        let outcome = match record::parse::<Effect>(&found).map(|owed| owed.value) {
            Ok(Effect::Audit { tenant, event }) => {
                if let Err(error) = events.add(broker, &found.id, &tenant, &event).await {
                    batch.fails(partition, &error);
                }
                before = found.id;
                continue;
            }
            // The next batch begins with it.
            Ok(_) if steps == 0 => {
                batch.rest = Some(before);
                break;
            }
            Ok(effect) => run(broker, &found.id, effect, &mut steps).await,
            Err(error) => Err(error.into()),
        };
        match outcome {
            Ok(rest) => {
                let goes_on = rest.is_some();
                writes.push(settled(partition, &found.id, rest)?);
                if goes_on {
                    batch.rest = Some(before);
                    break;
                }
                batch.done += 1;
                leaves_more = true;
            }
            Err(error) => batch.fails(partition, &error),
        }
        before = found.id;
    }
    events.write(broker, partition, &mut batch, &mut writes).await;
    if !writes.is_empty() {
        store.commit(partition, writes).await?;
    }
    if leaves_more && batch.rest.is_none() {
        // What was done may owe something here in its turn: an event, or the next thing to do.
        batch.rest = Some(key::OUTBOX.to_owned());
    }
    Ok(batch)
}

impl Batch {
    fn fails(&mut self, partition: &Partition, error: &Error) {
        self.failed += 1;
        let cause = std::error::Error::source(error).map(ToString::to_string);
        tracing::error!(partition = partition.as_str(), error = %error, cause, "outbox.effect_failed");
    }
}

/// Works a partition off before an answer, at most so many batches; the rest is done soon. Whether nothing is owed any
/// more.
pub(crate) async fn work_off(broker: &Broker, partition: &Partition, most: usize) -> Result<bool, Error> {
    let mut after = None;
    for _ in 0..most {
        let batch = work(broker, partition, after.as_deref()).await?;
        if batch.rest.is_none() {
            return Ok(batch.failed == 0);
        }
        after = batch.rest;
    }
    wake(broker, partition).await;
    Ok(false)
}

/// What becomes of an effect's record: it is gone, or says what is still owed.
fn settled(partition: &Partition, id: &str, rest: Option<Effect>) -> Result<Write, StoreError> {
    match rest {
        None => Ok(Write::Delete { id: id.to_owned(), expect: Expect::Any }),
        Some(rest) => key::owed(partition.clone(), id).put(&rest, Expect::Any),
    }
}

/// Does an effect, of a long one as many steps as there are left: what is still owed of it. When one
/// fails, those before it are made again, which does no harm.
async fn run(broker: &Broker, id: &str, mut effect: Effect, steps: &mut usize) -> Result<Option<Effect>, Error> {
    while *steps > 0 {
        *steps -= 1;
        match Box::pin(step(broker, id, effect)).await? {
            Some(rest) => effect = rest,
            None => return Ok(None),
        }
    }
    Ok(Some(effect))
}

/// Audit events of a batch. Those of one tenant and day go out together.
#[derive(Default)]
struct Events(BTreeMap<Partition, Vec<(String, Write)>>);

impl Events {
    async fn add(&mut self, broker: &Broker, id: &str, tenant: &str, event: &AuditEvent) -> Result<(), Error> {
        let (log, write) = entry(broker, id, tenant, event).await?;
        self.0.entry(log).or_default().push((id.to_owned(), write));
        Ok(())
    }

    /// Writes them, as many at once as a commit holds. Those that are written are owed no more.
    async fn write(self, broker: &Broker, partition: &Partition, batch: &mut Batch, settled: &mut Vec<Write>) {
        for (log, events) in self.0 {
            for events in portions(events) {
                let (ids, writes): (Vec<String>, Vec<Write>) = events.into_iter().unzip();
                match broker.platform.store.commit(&log, writes).await {
                    Ok(_) => {
                        batch.done += u32::try_from(ids.len()).unwrap_or(u32::MAX);
                        settled.extend(ids.into_iter().map(|id| Write::Delete { id, expect: Expect::Any }));
                    }
                    Err(error) => batch.fails(partition, &error.into()),
                }
            }
        }
    }
}

/// Events in portions that a commit holds.
fn portions(events: Vec<(String, Write)>) -> Vec<Vec<(String, Write)>> {
    let mut portions: Vec<Vec<(String, Write)>> = Vec::new();
    let mut bytes = 0;
    for event in events {
        bytes += event.1.bytes();
        match portions.last_mut() {
            Some(portion) if bytes <= MAX_COMMIT_BYTES => portion.push(event),
            Some(_) | None => {
                bytes = event.1.bytes();
                portions.push(vec![event]);
            }
        }
    }
    portions
}
