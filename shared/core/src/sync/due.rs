//! Which sessions are due, and which of them are examined now.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use vestibule_protocol::time::Timestamp;

use super::breaker::is_closed;
use super::{STEP, lease};
use crate::Broker;
use crate::broker::connection_name;
use crate::error::Error;
use crate::model::connection::Connection;
use crate::model::session::Session;
use crate::model::sync::SyncState;
use crate::model::watch::Watch;
use crate::store::key::{self, SessionShard, WATCH};
use crate::store::record::{self, Stored};
use crate::store::{Expect, Record, StoreError, Write};

/// Records that one step looks at, at most.
const PAGE: usize = 100;
/// Examinations for each step of long work that a task may make here: one calls the world twice as a rule.
const EXAMINATIONS: usize = 2;
/// Sessions of a connection in one step, for each that may be examined at once: so a step ends before its leases do.
const ROUNDS: usize = 4;

/// A session that is due.
pub(super) struct Due {
    pub(super) user: String,
    pub(super) session: String,
    /// When the session ends, and with it all that is kept of it.
    pub(super) ends_at: Timestamp,
    pub(super) found: Stored<Watch>,
}

/// A connection as a step finds it.
pub(super) struct Line {
    /// None when it is gone or disabled.
    pub(super) connection: Option<Arc<Connection>>,
    pub(super) state: Option<SyncState>,
    /// How late the latest of its sessions is that were looked at, in seconds.
    pub(super) lag: i64,
    /// Sessions of it that may still be taken into the step.
    room: usize,
}

/// A record of a session that is due.
struct Candidate {
    id: String,
    user: String,
    session: String,
    found: Stored<Watch>,
}

/// What a step does.
pub(super) struct Plan {
    pub(super) due: Vec<Due>,
    pub(super) lines: BTreeMap<String, Line>,
    /// Where the next step goes on.
    pub(super) next: Option<String>,
}

/// The next sessions that are due and may be examined, and their connections. After the sign-ins of a morning all are due:
/// no more are read at first than a step takes. Where some are not, [`PAGE`] are looked at.
pub(super) async fn plan(broker: &Broker, shard: &SessionShard, after: Option<&str>) -> Result<Plan, Error> {
    let now = broker.platform.clock.now();
    let most = STEP.min(broker.platform.queue.steps() * EXAMINATIONS);
    let (mut next, mut lines, mut chosen) = (after.map(str::to_owned), BTreeMap::new(), Vec::new());
    for limit in [most, PAGE - most] {
        let page = broker.platform.store.list(&shard.partition(), WATCH, next.as_deref(), limit).await?;
        let candidates = candidates(&page.records, now)?;
        find_lines(broker, &shard.tenant, &candidates, &mut lines).await?;
        next = page.next;
        for candidate in candidates {
            let id = &candidate.found.value.connection;
            let Some(line) = lines.get_mut(id) else { continue };
            let open = line.is_open(now);
            if open && (chosen.len() == most || line.room == 0) {
                // The step is full; the next one begins with this session.
                next = chosen.last().map(|last: &Candidate| last.id.clone());
                return Ok(Plan { due: living(broker, shard, chosen).await?, lines, next });
            }
            line.lag = line.lag.max(now.seconds() - candidate.found.value.due_at.seconds());
            if open && broker.sync_paces.take(&connection_name(&shard.tenant, id), line.per_minute(), now) {
                line.room -= 1;
                chosen.push(candidate);
            }
        }
        if next.is_none() || chosen.len() == most {
            break;
        }
    }
    Ok(Plan { due: living(broker, shard, chosen).await?, lines, next })
}

/// Those of some records whose sessions are due.
fn candidates(records: &[Record], now: Timestamp) -> Result<Vec<Candidate>, Error> {
    let mut candidates = Vec::new();
    for record in records {
        let found = record::parse::<Watch>(record)?;
        if let Some((user, session)) = SessionShard::watched(&record.id)
            && lease::is_due(&found.value, now)
        {
            let (user, session) = (user.to_owned(), session.to_owned());
            candidates.push(Candidate { id: record.id.clone(), user, session, found });
        }
    }
    Ok(candidates)
}

impl Line {
    fn is_open(&self, now: Timestamp) -> bool {
        self.state.as_ref().is_none_or(|state| !is_closed(state, now))
    }

    fn per_minute(&self) -> u32 {
        self.connection.as_ref().map_or(u32::MAX, |connection| connection.sync.per_minute)
    }
}

/// The connections of these sessions, beside those that are known.
async fn find_lines(
    broker: &Broker,
    tenant: &str,
    candidates: &[Candidate],
    lines: &mut BTreeMap<String, Line>,
) -> Result<(), Error> {
    let names = candidates.iter().map(|candidate| &candidate.found.value.connection);
    let names: BTreeSet<&String> = names.filter(|name| !lines.contains_key(*name)).collect();
    if names.is_empty() {
        return Ok(());
    }
    let ids: Vec<String> = names.iter().map(|name| key::sync_state(tenant, name).id().to_owned()).collect();
    let states = broker.platform.store.get_many(&key::tenant_partition(tenant), &ids).await?;
    for (name, state) in names.into_iter().zip(states) {
        let connection = broker.connection(tenant, name).await?.filter(|connection| connection.enabled);
        let state = state.map(|state| record::parse::<SyncState>(&state)).transpose()?.map(|stored| stored.value);
        let at_once = connection.as_ref().map_or(1, |connection| usize::from(connection.sync.at_once));
        lines.insert(name.clone(), Line { connection, state, lag: 0, room: at_once * ROUNDS });
    }
    Ok(())
}

/// Those whose sessions are there. What is left of others is removed.
async fn living(broker: &Broker, shard: &SessionShard, chosen: Vec<Candidate>) -> Result<Vec<Due>, Error> {
    if chosen.is_empty() {
        return Ok(Vec::new());
    }
    let (store, now) = (&*broker.platform.store, broker.platform.clock.now());
    let id = |one: &Candidate| shard.session(&one.user, &one.session).id().to_owned();
    let ids: Vec<String> = chosen.iter().map(id).collect();
    let sessions = store.get_many(&shard.partition(), &ids).await?;
    let mut due = Vec::with_capacity(chosen.len());
    for (Candidate { id, user, session, found }, live) in chosen.into_iter().zip(sessions) {
        if let Some(live) = live {
            let ends_at = record::parse::<Session>(&live)?.value.subject.session_end(now);
            due.push(Due { user, session, ends_at, found });
            continue;
        }
        let gone = Write::Delete { id, expect: Expect::Version(found.version) };
        match store.commit(&shard.partition(), vec![gone]).await {
            Ok(_) | Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(due)
}
