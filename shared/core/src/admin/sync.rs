//! How the examinations of a connection's sessions go, and what an administrator decides when too many people are gone at
//! once.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vestibule_protocol::time::{Seconds, Timestamp};

use super::change::Change;
use super::paging::{Page, Paging, cursor};
use super::{Checked, check_id};
use crate::Broker;
use crate::error::{AdminError, Error};
use crate::model::audit::AuditKind;
use crate::model::connection::{Connection, OidcSettings};
use crate::model::sync::{Held, Quarter, Stopped, SyncState};
use crate::model::watch::{Decided, Decision, Evidence, Watch};
use crate::store::key::{self, SessionShard, WATCH};
use crate::store::record;
use crate::sync::state;

/// How long an administrator's yes holds for further people.
const APPROVAL: Seconds = Seconds(3_600);

/// How it goes.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SyncView {
    /// Whether the connection asks for refresh tokens. Sessions without one, and without a status probe, cannot be watched,
    /// and live as long as the tenant's `session_unwatched`.
    pub asks_for_refresh_tokens: bool,
    /// Whether it has a status probe.
    pub has_status_probe: bool,
    /// Who is asked about its people between sign-ins. Where nobody is, sessions are shorter, and only a directory that pushes by
    /// SCIM says sooner that somebody left.
    pub watched_by: WatchedBy,
    /// Since when is counted. The counts are forgotten 30 days after the last examination.
    pub since: Option<Timestamp>,
    /// When a session was last examined.
    pub last_at: Option<Timestamp>,
    /// Sessions that were examined.
    pub examined: u64,
    /// Whose provider vouched for the person.
    pub vouched: u64,
    /// That ended, and their persons stayed.
    pub ended: u64,
    /// That ended with their persons' decommission.
    pub decommissioned: u64,
    /// That told nothing, and are examined again.
    pub deferred: u64,
    /// Why they told nothing: `unreachable`, `failing`, `busy`, `client_refused`, `unusable`, `disconnected`, `unvouched`.
    pub troubles: BTreeMap<String, u64>,
    /// How many were examined in the last quarter of an hour in which any were.
    pub round: u32,
    /// How late the latest of those that were due in it was, in seconds.
    pub lag_seconds: i64,
    /// Until when the provider is left alone.
    pub paused_until: Option<Timestamp>,
    /// That too many people were gone at once: an administrator has to decide.
    pub stopped: Option<Stopped>,
}

/// Who is asked about people between their sign-ins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WatchedBy {
    /// The token endpoint, with the refresh token of each session, and the status probe where there is one.
    RefreshToken,
    /// The status probe alone.
    StatusProbe,
    /// Nobody.
    Nothing,
}

fn watched_by(connection: &Connection) -> WatchedBy {
    if connection.upstream.oidc().is_some_and(OidcSettings::asks_for_refresh_tokens) {
        WatchedBy::RefreshToken
    } else if connection.status_probe.is_some() {
        WatchedBy::StatusProbe
    } else {
        WatchedBy::Nothing
    }
}

fn view(connection: &Connection, state: Option<SyncState>, now: Timestamp) -> SyncView {
    let since = state.as_ref().map(|state| state.since);
    let state = state.unwrap_or_else(|| SyncState::new(now));
    let round = state.quarters.last().cloned().unwrap_or_else(Quarter::default);
    let troubles = state.totals.troubles.iter().map(|(trouble, count)| (trouble.as_str().to_owned(), *count));
    SyncView {
        asks_for_refresh_tokens: connection.upstream.oidc().is_some_and(OidcSettings::asks_for_refresh_tokens),
        has_status_probe: connection.status_probe.is_some(),
        watched_by: watched_by(connection),
        since,
        last_at: state.last_at,
        examined: state.totals.examined,
        vouched: state.totals.vouched,
        ended: state.totals.ended,
        decommissioned: state.totals.decommissioned,
        deferred: state.totals.deferred,
        troubles: troubles.collect(),
        round: round.examined,
        lag_seconds: round.lag,
        paused_until: state.paused_until.filter(|until| !until.has_passed(now)),
        stopped: state.stopped,
    }
}

/// How the examinations of a connection's sessions go.
pub async fn show(broker: &Broker, tenant: &str, connection: &str) -> Result<SyncView, Error> {
    let settings = existing(broker, tenant, connection).await?;
    let found = key::sync_state(tenant, connection).get(&*broker.platform.store).await?;
    Ok(view(&settings, found.map(|found| found.value), broker.platform.clock.now()))
}

async fn existing(broker: &Broker, tenant: &str, connection: &str) -> Result<Connection, Error> {
    check_id("tenant", tenant)?;
    check_id("connection", connection)?;
    let found = key::connection(tenant, connection).get(&*broker.platform.store).await?;
    found.map(|found| found.value).ok_or_else(|| AdminError::NotFound.into())
}

/// What an administrator sends.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resume {
    /// What becomes of the people whom the provider did not know.
    pub held: Held,
}

/// Goes on after decommissions were stopped. The next ticks do what was decided. A conflict when nothing is stopped.
pub async fn resume(
    broker: &Broker,
    change: &Change,
    tenant: &str,
    connection: &str,
    Checked { input: Resume { held }, problems }: Checked<Resume>,
) -> Result<SyncView, Error> {
    let settings = existing(broker, tenant, connection).await?;
    problems.none()?;
    let now = broker.platform.clock.now();
    let mut was_stopped = false;
    let state = state::change(broker, tenant, connection, |state| {
        was_stopped = state.stopped.take().is_some();
        if !was_stopped {
            return None;
        }
        // The count begins anew.
        state.quarters.iter_mut().for_each(|quarter| (quarter.gone, quarter.people) = (0, 0));
        match held {
            Held::CarryOut => state.approved_until = Some(now + APPROVAL),
            Held::Discard => state.discarded_at = Some(now),
        }
        Some(AuditKind::SyncResumed { held, administrator: change.by.administrator.clone() })
    })
    .await?;
    if was_stopped { Ok(view(&settings, Some(state), now)) } else { Err(AdminError::Conflict.into()) }
}

/// Somebody who would be decommissioned.
#[derive(Debug, Serialize, JsonSchema)]
pub struct HeldBack {
    /// The person.
    pub user: String,
    /// The session that showed it.
    pub session: String,
    /// When it was found.
    pub found_at: Timestamp,
    /// What said it.
    pub evidence: Evidence,
}

/// Whom a connection's stopped decommissions would be of: a page of them, some sessions at a time.
pub async fn held(broker: &Broker, tenant: &str, connection: &str, paging: &Paging) -> Result<Page<HeldBack>, Error> {
    existing(broker, tenant, connection).await?;
    let settings = key::tenant(tenant).get(&*broker.platform.store).await?.ok_or(AdminError::NotFound)?;
    let shards = SessionShard::all(tenant, settings.value.session_shards);
    let (number, after) = paging.after().and_then(|after| after.split_once('/')).unwrap_or(("0", ""));
    let (number, after) = (number.parse::<u16>().unwrap_or_default(), Some(after).filter(|after| !after.is_empty()));
    let mut shards = shards.skip(number.into());
    let Some(shard) = shards.next() else { return Ok(Page { items: Vec::new(), next: None }) };
    let page = broker.platform.store.list(&shard.partition(), WATCH, after, paging.limit()).await?;
    let mut items = Vec::new();
    for found in &page.records {
        let watch = record::parse::<Watch>(found)?.value;
        let Some((user, session)) = SessionShard::watched(&found.id) else { continue };
        if watch.connection == connection
            && let Some(Decided { decision: Decision::Decommission(evidence), at }) = watch.decided
        {
            items.push(HeldBack { user: user.to_owned(), session: session.to_owned(), found_at: at, evidence });
        }
    }
    let next = page.next.map(|id| format!("{}/{id}", shard.number));
    let next = next.or_else(|| shards.next().map(|next| format!("{}/", next.number)));
    Ok(Page { items, next: next.map(|place| cursor(&place)) })
}
