//! Whether the identity providers of sessions still vouch for their people. Every quarter of an hour each session that can
//! be watched is examined: its provider is asked for new tokens, and what it says of the person is written down.
//!
//! - [`work`] is one bounded step through the sessions of a partition that are due. Steps may overlap, repeat and be missed.
//! - [`lease`]: of several that would examine a session, one does, so that no refresh token is used twice.
//! - [`verdict`]: what ends a session, and what never does.
//! - [`examine`]: asking, and what becomes of the answer.

mod examine;
mod keep;
mod lease;
mod verdict;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::future::try_join_all;
use futures_util::stream;

use self::examine::Examination;
pub(crate) use self::keep::watch;
use self::lease::Leased;
use crate::Broker;
use crate::error::Error;
use crate::model::connection::{Connection, Upstream};
use crate::model::lifetimes::Lifetimes;
use crate::model::watch::Trouble;
use crate::store::Partition;
use crate::store::key::SessionShard;
use crate::upstream::again::trouble_of;
use crate::upstream::{Target, UpstreamCopy, documents};

/// Sessions that one step examines.
pub const STEP: usize = 25;
/// Of these, how many at once: a Worker has six connections.
const AT_ONCE: usize = 6;

/// What a step did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Where the next step goes on; none when it was the last.
    pub next: Option<String>,
    /// Sessions that were examined.
    pub examined: u32,
    /// Of these, whose provider vouched for the person.
    pub vouched: u32,
    /// That ended, and their persons stay.
    pub ended: u32,
    /// Whose persons were decommissioned.
    pub decommissioned: u32,
    /// That told nothing, and are examined again.
    pub deferred: u32,
    /// In which something of ours failed; they are examined again.
    pub failed: u32,
}

/// What came of one examination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Vouched,
    Ended,
    Decommissioned,
    Deferred,
    /// It ended meanwhile, or somebody else examines it.
    Overtaken,
}

impl Progress {
    fn count(&mut self, outcome: Outcome) {
        self.examined += 1;
        match outcome {
            Outcome::Vouched => self.vouched += 1,
            Outcome::Ended => self.ended += 1,
            Outcome::Decommissioned => self.decommissioned += 1,
            Outcome::Deferred => self.deferred += 1,
            Outcome::Overtaken => self.examined -= 1,
        }
    }

    fn add(&mut self, step: Self) {
        self.next = step.next;
        self.examined += step.examined;
        self.vouched += step.vouched;
        self.ended += step.ended;
        self.decommissioned += step.decommissioned;
        self.deferred += step.deferred;
        self.failed += step.failed;
    }
}

/// Examines sessions of a partition that are due, at most [`STEP`], beginning `after` a record. A partition that holds no
/// sessions has none that are due.
pub async fn work(broker: &Broker, partition: &Partition, after: Option<&str>) -> Result<Progress, Error> {
    let mut progress = Progress::default();
    let Some(shard) = SessionShard::of_partition(partition) else { return Ok(progress) };
    let (due, next) = lease::due(broker, &shard, after).await?;
    progress.next = next;
    let leased = lease::take(broker, &shard, due).await?;
    let connections = connections(broker, &shard.tenant, &leased).await?;
    let lifetimes = broker.tenant(&shard.tenant).await?.map_or(Lifetimes::default(), |tenant| tenant.lifetimes);
    let examinations = leased.into_iter().map(|leased| {
        let ready = connections.get(&leased.watch.connection).ok_or(Trouble::Disconnected);
        let ready = ready.and_then(|ready| ready.as_ref().map_err(|trouble| *trouble));
        let examination =
            Examination { broker, shard: &shard, ready, unwatched: lifetimes.session_unwatched(), leased };
        Box::pin(examination.run())
    });
    let mut outcomes = stream::iter(examinations).buffer_unordered(AT_ONCE);
    while let Some(outcome) = outcomes.next().await {
        match outcome {
            Ok(outcome) => progress.count(outcome),
            Err(error) => {
                progress.failed += 1;
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::error!(tenant.id = shard.tenant, error = %error, cause, "sync.failed");
            }
        }
    }
    Ok(progress)
}

/// A connection whose provider can be asked.
struct Ready {
    connection: Arc<Connection>,
    copy: Arc<UpstreamCopy>,
}

/// The connections of these sessions, with the documents of their providers; or why they cannot be asked. Looked at before
/// the sessions, so that a provider that is down costs one request that waits for it.
async fn connections(
    broker: &Broker,
    tenant: &str,
    leased: &[Leased],
) -> Result<BTreeMap<String, Result<Ready, Trouble>>, Error> {
    let ids: BTreeSet<&String> = leased.iter().map(|leased| &leased.watch.connection).collect();
    let ready = try_join_all(ids.iter().map(|id| prepare(broker, tenant, id))).await?;
    Ok(ids.into_iter().cloned().zip(ready).collect())
}

async fn prepare(broker: &Broker, tenant: &str, id: &str) -> Result<Result<Ready, Trouble>, Error> {
    let connection = broker.connection(tenant, id).await?.filter(|connection| connection.enabled);
    let Some(connection) = connection else { return Ok(Err(Trouble::Disconnected)) };
    let Upstream::Oidc(settings) = &connection.upstream;
    match documents(broker, &Target { tenant, connection: id, settings }).await {
        Ok(copy) => Ok(Ok(Ready { connection, copy })),
        Err(error) => trouble_of(error).map(Err),
    }
}
