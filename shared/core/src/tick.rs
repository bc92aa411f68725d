//! The minute's tick, and the work that it asks for.
//!
//! Each minute has one of fifteen slots; every partition that can owe something is registered in one when its tenant is
//! created. The tick plans: it sends a task for each partition of its slot to the queue. Whoever takes a task does one
//! bounded batch of the partition's work, and sends the rest on as another task. So no invocation is long, however much
//! there is to do, and a flow that owes something slow sends a task of its own
//! ([`wake`](crate::outbox::wake)) instead of waiting for the slot.
//!
//! Tasks are hints. What is to be done is in the partition: a task that is lost costs a quarter of an hour, one that
//! comes twice a look.

use std::collections::VecDeque;

use vestibule_protocol::time::Timestamp;

use crate::Broker;
use crate::delivery;
use crate::error::Error;
use crate::outbox;
use crate::platform::Task;
use crate::saml;
use crate::store::key::SessionShard;
use crate::store::{Partition, key};
use crate::sync;
use crate::usage;

/// What a tick planned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct TickReport {
    /// The slot.
    pub slot: u32,
    /// Its tasks: one for each of its partitions, three where sessions lie, and now and then two for a tenant's.
    pub partitions: u32,
    /// Those of them whose task could not be sent. They wait for their slot, and the log says why.
    pub failed: u32,
}

/// What a task did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct WorkReport {
    /// Effects that were owed and are done now.
    pub effects: u32,
    /// Effects and sessions in which something failed. They wait, and the log says why.
    pub failed: u32,
    /// Messages to other people's servers that were tried.
    pub deliveries: u32,
    /// Sessions whose identity providers were asked again.
    pub examined: u32,
    /// Whether another task was sent for the rest.
    pub goes_on: bool,
}

/// How far tasks came that were done where they were sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct HereReport {
    /// Batches done.
    pub tasks: u32,
    /// Effects that were owed and are done now.
    pub effects: u32,
    /// Sessions whose identity providers were asked again.
    pub examined: u32,
    /// Effects, sessions and batches that failed.
    pub failed: u32,
    /// Tasks for which there was no room. Their partitions wait for their slot.
    pub left: u32,
}

/// Sends tasks for the slot of this minute.
pub(crate) async fn tick(broker: &Broker) -> Result<TickReport, Error> {
    let now = broker.platform.clock.now();
    let minute = now.seconds().div_euclid(60);
    let slot = u32::try_from(minute.rem_euclid(i64::from(key::SLOTS))).unwrap_or_default();
    let mut report = TickReport { slot, ..TickReport::default() };
    let mut after = None;
    loop {
        let page = broker.platform.store.list(&key::sync_partition(slot), "", after.as_deref(), 100).await?;
        let tasks: Vec<Task> = page.records.into_iter().flat_map(|registered| tasks_of(registered.id, now)).collect();
        let sent = u32::try_from(tasks.len()).unwrap_or(u32::MAX);
        report.partitions += sent;
        if sent > 0
            && let Err(error) = broker.platform.queue.send(tasks).await
        {
            report.failed += sent;
            tracing::error!(slot, tasks = sent, error = %error, "tick.not_sent");
        }
        after = page.next;
        if after.is_none() {
            return Ok(report);
        }
    }
}

/// What a partition owes is one task, the examination of its sessions another, the counting of their requests a third, and
/// a look at a tenant's connections that speak SAML a fourth: whoever only wakes it asks for the first.
fn tasks_of(name: String, now: Timestamp) -> impl Iterator<Item = Task> {
    let partition = Partition::new(name.clone());
    let has_sessions = SessionShard::of_partition(&partition).is_some();
    let is_watched = key::tenant_of(&partition).is_some_and(|tenant| saml::watch::is_due(tenant, now));
    let begins = [(key::WATCH, has_sessions), (SessionShard::USAGE_MARK, has_sessions), (key::SAML_KEYS, is_watched)];
    let begins = begins.into_iter().filter(|(_, is_wanted)| *is_wanted).map(|(begin, _)| Some(begin.to_owned()));
    std::iter::once(None).chain(begins).map(move |after| Task { partition: name.clone(), after })
}

/// Does one batch of what a partition owes, or of the examination of its sessions, and sends the rest on.
pub(crate) async fn work(broker: &Broker, task: &Task) -> Result<WorkReport, Error> {
    let (report, rest) = batch(broker, task).await?;
    if let Some(rest) = rest {
        broker.platform.queue.send(vec![rest]).await?;
    }
    Ok(report)
}

/// Does tasks one after the other, and what is left of each after all of them, as long as there is room. Which come
/// last is drawn each time, so that none is left out for good.
pub(crate) async fn work_here(broker: &Broker, tasks: Vec<Task>, has_room: impl Fn() -> bool) -> HereReport {
    let mut waiting = VecDeque::from(tasks);
    let mut draw = [0; 2];
    broker.platform.random.fill(&mut draw);
    let first = usize::from(u16::from_be_bytes(draw)).checked_rem(waiting.len()).unwrap_or_default();
    waiting.rotate_left(first);
    let mut sum = HereReport::default();
    while has_room()
        && let Some(task) = waiting.pop_front()
    {
        sum.tasks += 1;
        match batch(broker, &task).await {
            Ok((report, rest)) => {
                sum.effects += report.effects;
                sum.examined += report.examined;
                sum.failed += report.failed;
                waiting.extend(rest);
            }
            Err(error) => {
                sum.failed += 1;
                tracing::error!(partition = task.partition, error = &error as &dyn std::error::Error, "work.failed");
            }
        }
    }
    sum.left = u32::try_from(waiting.len()).unwrap_or(u32::MAX);
    sum
}

/// One batch, and the task for the rest.
async fn batch(broker: &Broker, task: &Task) -> Result<(WorkReport, Option<Task>), Error> {
    let partition = Partition::new(task.partition.clone());
    let (report, after) = if let Some(tenant) = key::tenant_of_deliveries(&partition) {
        let (tried, goes_on) = delivery::work(broker, tenant, &partition).await?;
        (WorkReport { deliveries: tried, goes_on, ..WorkReport::default() }, None)
    } else if task.after.as_ref().is_some_and(|after| after.starts_with(key::WATCH)) {
        let step = sync::work(broker, &partition, task.after.as_deref()).await?;
        let (examined, failed, goes_on) = (step.examined, step.failed, step.next.is_some());
        (WorkReport { failed, examined, goes_on, ..WorkReport::default() }, step.next)
    } else if task.after.as_deref() == Some(SessionShard::USAGE_MARK) {
        let shard = SessionShard::of_partition(&partition).ok_or(Error::bug("marks of requests among no sessions"))?;
        let goes_on = usage::fold(broker, &shard).await?;
        (WorkReport { goes_on, ..WorkReport::default() }, task.after.clone())
    } else if let Some(tenant) = key::tenant_of(&partition)
        && task.after.as_ref().is_some_and(|after| after.starts_with(key::SAML_KEYS))
    {
        let looked = saml::watch::work(broker, &partition, tenant, task.after.as_deref()).await?;
        let (failed, goes_on) = (looked.failed, looked.next.is_some());
        (WorkReport { failed, goes_on, ..WorkReport::default() }, looked.next)
    } else {
        let batch = outbox::work(broker, &partition, task.after.as_deref()).await?;
        let goes_on = batch.rest.is_some();
        (WorkReport { effects: batch.done, failed: batch.failed, goes_on, ..WorkReport::default() }, batch.rest)
    };
    let rest = report.goes_on.then(|| Task { partition: task.partition.clone(), after });
    Ok((report, rest))
}
