//! How a connection's examinations go, in one record of its tenant. Every step brings it up to date in one commit, so that
//! of all processes one stops the decommissions.

use vestibule_protocol::time::Seconds;

use super::breaker::{Count, admit};
use crate::Broker;
use crate::audit;
use crate::error::Error;
use crate::model::audit::AuditKind;
use crate::model::sync::{Breaker, SyncState};
use crate::outbox;
use crate::store::{Expect, StoreError, key};

/// How long the record outlives the last step.
const KEPT: Seconds = Seconds(30 * 86_400);
/// How often a commit that lost a race is tried anew. Each time, another step's succeeded.
const TRIES: usize = 20;

/// Takes a step into account; whether its decommissions may be carried out.
pub(super) async fn report(
    broker: &Broker,
    tenant: &str,
    connection: &str,
    limits: Breaker,
    count: &Count,
) -> Result<bool, Error> {
    let now = broker.platform.clock.now();
    let mut admitted = false;
    change(broker, tenant, connection, |state| {
        let before = state.stopped;
        admitted = admit(state, limits, count, now);
        let stopped = state.stopped.filter(|_| before.is_none());
        stopped.map(|stopped| AuditKind::SyncStopped { people: stopped.people, sessions: stopped.sessions })
    })
    .await?;
    Ok(admitted)
}

/// Changes the state, and owes the event that the change is.
pub(crate) async fn change(
    broker: &Broker,
    tenant: &str,
    connection: &str,
    mut make: impl FnMut(&mut SyncState) -> Option<AuditKind> + Send,
) -> Result<SyncState, Error> {
    let (store, now) = (&*broker.platform.store, broker.platform.clock.now());
    let record = key::sync_state(tenant, connection);
    for _ in 0..TRIES {
        let found = record.get(store).await?;
        let (mut state, expect) = match found {
            Some(found) => (found.value, Expect::Version(found.version)),
            None => (SyncState::new(now), Expect::Absent),
        };
        let kind = make(&mut state);
        let mut writes = vec![record.put_until(&state, now + KEPT, expect)?];
        if let Some(kind) = kind {
            outbox::register(broker, record.partition()).await?;
            let event = audit::event(broker, kind).through(Some(connection));
            writes.push(audit::owe(broker, record.partition().clone(), tenant, event)?);
        }
        match store.commit(record.partition(), writes).await {
            Ok(_) => return Ok(state),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::Busy("the state of a connection keeps changing".to_owned()).into())
}
