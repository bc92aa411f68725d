//! Sessions, as far as an administrator looks at them and ends them: one, all of a connection, all of a tenant. Those of
//! one person are ended in [`super::users`].
//!
//! A list walks through the shards of the tenant's sessions, a bounded part of them for one answer.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::try_join_all;
use schemars::JsonSchema;
use serde::Serialize;
use vestibule_protocol::time::Timestamp;

use super::change::{self, Change, Tagged};
use super::paging::{self, Page, Paging};
use super::{check_id, users};
use crate::Broker;
use crate::audit;
use crate::error::{AdminError, Error};
use crate::handle::new_id;
use crate::model::audit::AuditKind;
use crate::model::effect::Effect;
use crate::model::session::{Grant, Session};
use crate::outbox;
use crate::sessions::end::{self, Ending};
use crate::store::key::{self, SessionShard};
use crate::store::record::Stored;
use crate::store::{Version, record};

/// Stretches of shards that one answer looks at.
const STRETCHES: usize = 8;
/// Sessions in one stretch.
const STRETCH: usize = 100;
/// Shards whose sessions begin to end before the answer.
const SHARDS: u16 = 32;
/// Batches in each of them before the answer.
const BATCHES: usize = 3;

/// What an administrator sees of a session.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SessionView {
    /// The session; the `sid` of its tokens.
    pub id: String,
    /// Whose it is.
    pub user: String,
    /// Through which connection they came.
    pub connection: String,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub began_at: Option<Timestamp>,
    /// When it was last used, to a tenth of the time that it may go unused, where the tenant limits that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Timestamp>,
    /// When the person proved who they are.
    pub authenticated_at: Timestamp,
    /// When it ends at the latest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// The applications that hold tokens in it; not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clients: Option<Vec<String>>,
}

/// What came of the end of many sessions.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EndedSessions {
    /// Whether all of them have ended. If not, the rest follows within minutes; no session that was there can grow.
    pub finished: bool,
}

pub(super) fn view(session: Session, clients: Option<BTreeMap<String, u32>>) -> SessionView {
    let Session { subject, connection, began_at, used_at, .. } = session;
    SessionView {
        id: subject.session,
        user: subject.user,
        connection,
        began_at,
        used_at,
        authenticated_at: subject.auth_time,
        ends_at: subject.session_ends_at,
        clients: clients.map(|clients| clients.into_keys().collect()),
    }
}

/// The sessions of a tenant; with `connection`, those through one.
pub async fn list(
    broker: &Broker,
    tenant: &str,
    connection: Option<&str>,
    paging: &Paging,
) -> Result<Page<SessionView>, Error> {
    let shards = shards(broker, tenant).await?;
    if let Some(connection) = connection {
        check_id("connection", connection)?;
    }
    let (mut number, mut after) = place(paging)?;
    let mut items = Vec::new();
    for _ in 0..STRETCHES {
        let room = paging.limit() - items.len();
        if number >= shards || room == 0 {
            break;
        }
        let shard = SessionShard { tenant: tenant.to_owned(), number };
        let wanted = if connection.is_some() { STRETCH } else { room };
        let page = stretch(broker, &shard, SessionShard::SESSION, after.as_deref(), wanted).await?;
        let mut live = page.items;
        live.retain(|(_, session)| connection.is_none_or(|connection| connection == session.connection));
        // What does not fit is the next page's.
        after = if live.len() > room { live.get(room - 1).map(|(id, _)| id.clone()) } else { page.next };
        items.extend(live.into_iter().take(room).map(|(_, session)| view(session, None)));
        number += u16::from(after.is_none());
    }
    let next = (number < shards).then(|| paging::cursor(&format!("{number}/{}", after.unwrap_or_default())));
    Ok(Page { items, next })
}

/// The sessions of a person.
pub async fn of_user(broker: &Broker, tenant: &str, user: &str, paging: &Paging) -> Result<Page<SessionView>, Error> {
    users::check(tenant, user)?;
    let shard = SessionShard::of_user(tenant, user, shards(broker, tenant).await?);
    let prefix = SessionShard::sessions_of(user);
    let after = paging.after().map(|after| format!("{prefix}{after}"));
    let page = stretch(broker, &shard, &prefix, after.as_deref(), paging.limit()).await?;
    let next = page.next.as_ref().and_then(|id| id.strip_prefix(&prefix)).map(paging::cursor);
    Ok(Page { items: page.items.into_iter().map(|(_, session)| view(session, None)).collect(), next })
}

/// One session, with the applications that hold tokens in it.
pub async fn get(broker: &Broker, tenant: &str, user: &str, id: &str) -> Result<Tagged<SessionView>, Error> {
    let (shard, found) = find(broker, tenant, user, id).await?;
    let clients = clients_of(broker, &shard, id).await?;
    let tag = change::tag(broker, &found.value)?;
    Ok(Tagged { object: view(found.value, Some(clients)), tag })
}

/// The applications that hold tokens in a session, and in how many refresh families.
pub(super) async fn clients_of(
    broker: &Broker,
    shard: &SessionShard,
    session: &str,
) -> Result<BTreeMap<String, u32>, Error> {
    let mut clients = BTreeMap::new();
    let grants = SessionShard::grants_of(session);
    for grant in broker.platform.store.list(&shard.partition(), &grants, None, STRETCH).await?.records {
        *clients.entry(record::parse::<Grant>(&grant)?.value.client).or_default() += 1;
    }
    Ok(clients)
}

/// The first sessions of a person, with where they lie, and whether there are more.
pub(super) async fn live_of_user(
    broker: &Broker,
    tenant: &str,
    user: &str,
) -> Result<(SessionShard, Vec<Session>, bool), Error> {
    let shard = SessionShard::of_user(tenant, user, shards(broker, tenant).await?);
    let page = stretch(broker, &shard, &SessionShard::sessions_of(user), None, STRETCH).await?;
    Ok((shard, page.items.into_iter().map(|(_, session)| session).collect(), page.next.is_some()))
}

/// Ends one session.
pub async fn end(broker: &Broker, change: &Change, tenant: &str, user: &str, id: &str) -> Result<(), Error> {
    let (shard, found) = find(broker, tenant, user, id).await?;
    change.expect(broker, Some(&found))?;
    let kind = AuditKind::SessionsEnded { administrator: change.by.administrator.clone() };
    // Whoever ended it meanwhile did what was asked for.
    end::end_now(broker, Ending::of(&shard, &found.value, kind)).await?;
    Ok(())
}

/// Ends all sessions of a tenant, or of one of its connections, that are there now. It is owed from the first commit on:
/// the answer comes when the first of each shard are ended, and tasks end the others.
pub async fn end_all(
    broker: &Broker,
    change: &Change,
    tenant: &str,
    connection: Option<&str>,
) -> Result<EndedSessions, Error> {
    let shards = shards(broker, tenant).await?;
    if let Some(connection) = connection {
        check_id("connection", connection)?;
    }
    let partition = key::tenant_partition(tenant);
    outbox::register(broker, &partition).await?;
    let administrator = change.by.administrator.clone();
    let (tenant_id, connection) = (tenant.to_owned(), connection.map(str::to_owned));
    let end = Effect::EndSessions {
        tenant: tenant_id.clone(),
        connection: connection.clone(),
        name: new_id(&*broker.platform.random),
        shard: 0,
    };
    let end = outbox::owe(broker, partition.clone(), &end)?;
    let kind = AuditKind::SessionsEnded { administrator };
    let event = audit::event(broker, kind).through(connection.as_deref());
    let audit = audit::owe(broker, partition.clone(), tenant, event)?;
    broker.platform.store.commit(&partition, vec![end.write.clone(), audit]).await?;
    outbox::settle(broker, &end).await?;
    let shard = |number| SessionShard { tenant: tenant_id.clone(), number }.partition();
    let begun = (0..shards.min(SHARDS)).map(async |number| outbox::work_off(broker, &shard(number), BATCHES).await);
    let begun = try_join_all(begun).await?;
    Ok(EndedSessions { finished: shards <= SHARDS && begun.into_iter().all(|is_done| is_done) })
}

/// Over how many shards the sessions of a tenant that exists are spread.
async fn shards(broker: &Broker, tenant: &str) -> Result<u16, Error> {
    check_id("tenant", tenant)?;
    let found = key::tenant(tenant).get(&*broker.platform.store).await?;
    Ok(found.ok_or(AdminError::NotFound)?.value.session_shards)
}

/// In which shard, and after which of its records, a page begins.
fn place(paging: &Paging) -> Result<(u16, Option<String>), AdminError> {
    let Some(cursor) = paging.after() else { return Ok((0, None)) };
    let read = || {
        let (number, after) = cursor.split_once('/')?;
        let after = (!after.is_empty()).then(|| after.to_owned());
        let ours = after.as_ref().is_none_or(|after| after.starts_with(SessionShard::SESSION));
        number.parse().ok().filter(|_| ours).map(|number| (number, after))
    };
    read().ok_or(AdminError::Invalid { field: "cursor", problem: "must be the next of the page before" })
}

/// Live sessions of a shard, under the ids of their records.
async fn stretch(
    broker: &Broker,
    shard: &SessionShard,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<Page<(String, Session)>, Error> {
    let store = &*broker.platform.store;
    let partition = shard.partition();
    let page = store.list(&partition, prefix, after, limit).await?;
    let mut items = Vec::with_capacity(page.records.len());
    for found in page.records {
        let session = record::parse::<Session>(&found)?.value;
        items.push((found.id, session));
    }
    let gates: BTreeSet<String> =
        items.iter().map(|(_, session)| shard.gate(&session.subject.user).id().to_owned()).collect();
    let gates: Vec<String> = gates.into_iter().collect();
    if !gates.is_empty() {
        let found = store.get_many(&partition, &gates).await?;
        let stands: BTreeMap<String, Version> =
            found.into_iter().flatten().map(|gate| (gate.id, gate.version)).collect();
        // One whose gate was closed or written anew is over, and waits for its removal.
        items.retain(|(_, session)| stands.get(shard.gate(&session.subject.user).id()) == Some(&session.subject.gate));
    }
    Ok(Page { items, next: page.next })
}

/// A session that is there and counts.
async fn find(broker: &Broker, tenant: &str, user: &str, id: &str) -> Result<(SessionShard, Stored<Session>), Error> {
    users::check(tenant, user)?;
    users::check(tenant, id)?;
    let shard = SessionShard::of_user(tenant, user, shards(broker, tenant).await?);
    let store = &*broker.platform.store;
    let found = shard.session(user, id).get(store).await?.ok_or(AdminError::NotFound)?;
    let gate = shard.gate(user).get(store).await?;
    let counts = gate.is_some_and(|gate| gate.version == found.value.subject.gate);
    if counts { Ok((shard, found)) } else { Err(AdminError::NotFound.into()) }
}
