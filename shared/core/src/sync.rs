//! Whether the identity providers of sessions still vouch for their people. Every quarter of an hour each session that can
//! be watched is examined: its provider is asked for new tokens, and what it says of the person is written down.
//!
//! - [`work`] is one bounded step through the sessions of a partition that are due. Steps may overlap, repeat and be missed.
//! - [`due`]: which sessions have their turn, and which of them the connection's limits admit.
//! - [`lease`]: of several that would examine a session, one does, so that no refresh token is used twice.
//! - [`examine`] and [`probe`]: asking, and what is found; [`verdict`]: what ends a session, and what never does.
//! - [`breaker`]: too many people gone at once wait for an administrator; [`state`] is what a connection's steps share.

mod breaker;
mod due;
mod examine;
mod keep;
mod lease;
pub(crate) mod pace;
mod pool;
mod probe;
pub(crate) mod state;
mod verdict;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::future::try_join_all;

use self::breaker::Count;
use self::due::{Line, plan};
use self::examine::{Examination, Seen, carry_out};
pub(crate) use self::keep::watch;
use self::lease::Leased;
use crate::Broker;
use crate::error::Error;
use crate::model::connection::Connection;
use crate::model::lifetimes::Lifetimes;
use crate::model::sync::SyncSettings;
use crate::model::watch::{Decision, Trouble};
use crate::store::Partition;
use crate::store::key::SessionShard;
use crate::upstream::again::trouble_of;
use crate::upstream::{Target, UpstreamCopy, documents};

/// Most sessions that one step examines.
pub const STEP: usize = 25;

/// What a step did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Where the next step goes on; none when it was the last.
    pub next: Option<String>,
    /// Sessions that were examined.
    pub examined: u32,
    /// In which something of ours failed; they are examined again.
    pub failed: u32,
}

/// Examines sessions of a partition that are due, at most [`STEP`], beginning `after` a record. A partition that holds no
/// sessions has none that are due.
pub async fn work(broker: &Broker, partition: &Partition, after: Option<&str>) -> Result<Progress, Error> {
    let mut progress = Progress::default();
    let Some(shard) = SessionShard::of_partition(partition) else { return Ok(progress) };
    let plan = plan(broker, &shard, after).await?;
    progress.next = plan.next;
    let leased = lease::take(broker, &shard, plan.due).await?;
    let ready = ready(broker, &shard.tenant, &plan.lines, &leased).await?;
    let lifetimes = broker.tenant(&shard.tenant).await?.map_or(Lifetimes::default(), |tenant| tenant.lifetimes);
    let examinations = leased.into_iter().map(|leased| {
        let id = leased.watch.connection.clone();
        let line = plan.lines.get(&id);
        let ready = ready.get(&id).ok_or(Trouble::Disconnected);
        let ready = ready.and_then(|ready| ready.as_ref().map_err(|trouble| *trouble));
        let discarded_at = line.and_then(|line| line.state.as_ref()?.discarded_at);
        let unwatched = lifetimes.session_unwatched();
        let examination = Examination { broker, shard: &shard, ready, unwatched, discarded_at, leased };
        (settings(line).at_once, id, examination)
    });
    let mut seen: BTreeMap<String, Vec<Seen>> = BTreeMap::new();
    for (id, outcome) in pool::run(examinations.collect()).await {
        match outcome {
            Ok(one) => seen.entry(id).or_default().push(one),
            Err(error) => progress.failed += failed(&shard, &error),
        }
    }
    for (id, seen) in seen {
        let line = plan.lines.get(&id);
        progress.examined += u32::try_from(seen.len()).unwrap_or_default();
        let count = count(&seen, line.map_or(0, |line| line.lag));
        let admitted = state::report(broker, &shard.tenant, &id, settings(line).breaker, &count).await?;
        for one in seen {
            let Seen::Decided { leased, decision } = one else { continue };
            if admitted || matches!(decision, Decision::End(_)) {
                let done = carry_out(broker, &shard, &leased, decision).await;
                progress.failed += done.err().map_or(0, |error| failed(&shard, &error));
            }
        }
    }
    Ok(progress)
}

fn settings(line: Option<&Line>) -> SyncSettings {
    line.and_then(|line| Some(line.connection.as_ref()?.sync.clone())).unwrap_or_default()
}

/// Logs a failure of ours; one.
fn failed(shard: &SessionShard, error: &Error) -> u32 {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    tracing::error!(tenant.id = shard.tenant, error = %error, cause, "sync.failed");
    1
}

fn count(seen: &[Seen], lag: i64) -> Count {
    let mut count = Count { lag, examined: u32::try_from(seen.len()).unwrap_or(u32::MAX), ..Count::default() };
    let mut people = BTreeSet::new();
    for one in seen {
        match one {
            Seen::Vouched => count.vouched += 1,
            Seen::Deferred(delay) => count.delays.push(*delay),
            Seen::Overtaken => count.examined -= 1,
            Seen::Decided { decision: Decision::End(_), .. } => count.ended += 1,
            Seen::Decided { leased, .. } => {
                count.gone += 1;
                people.insert(&leased.user);
            }
        }
    }
    count.people = u32::try_from(people.len()).unwrap_or(u32::MAX);
    count
}

/// A connection whose provider can be asked.
struct Ready {
    connection: Arc<Connection>,
    /// Its provider's documents; none of one that speaks SAML, which gives no refresh tokens.
    copy: Option<Arc<UpstreamCopy>>,
}

/// The connections of these sessions, with the documents of their providers; or why they cannot be asked. Looked at before
/// the sessions, so that a provider that is down costs one request that waits for it.
async fn ready(
    broker: &Broker,
    tenant: &str,
    lines: &BTreeMap<String, Line>,
    leased: &[Leased],
) -> Result<BTreeMap<String, Result<Ready, Trouble>>, Error> {
    let ids: BTreeSet<&String> = leased.iter().map(|leased| &leased.watch.connection).collect();
    let connection = |id: &String| lines.get(id).and_then(|line| line.connection.clone());
    let ready = try_join_all(ids.iter().map(|id| prepare(broker, tenant, id, connection(id)))).await?;
    Ok(ids.into_iter().cloned().zip(ready).collect())
}

async fn prepare(
    broker: &Broker,
    tenant: &str,
    id: &str,
    connection: Option<Arc<Connection>>,
) -> Result<Result<Ready, Trouble>, Error> {
    let Some(connection) = connection else { return Ok(Err(Trouble::Disconnected)) };
    let Some(settings) = connection.upstream.oidc() else { return Ok(Ok(Ready { connection, copy: None })) };
    match documents(broker, &Target { tenant, connection: id, settings }).await {
        Ok(copy) => Ok(Ok(Ready { copy: Some(copy), connection })),
        Err(error) => trouble_of(error).map(Err),
    }
}
