//! What is on its way to a tenant's webhooks and to the applications that its people use, and what could not be
//! delivered.

use schemars::JsonSchema;
use serde::Serialize;
use vestibule_protocol::time::Timestamp;

use super::change::{self, Change, Done, Tagged};
use super::paging::{self, Page, Paging};
use super::{check_id, tenants};
use crate::Broker;
use crate::delivery;
use crate::error::{AdminError, Error};
use crate::model::audit::ChangeKind;
use crate::model::delivery::Delivery;
use crate::store::key;
use crate::store::record::RecordKey;
use crate::store::{Expect, MAX_ID_BYTES};

/// What an administrator sees.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeliveryView {
    /// What it is called.
    pub id: String,
    /// When it is tried next; not at all when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_try_at: Option<Timestamp>,
    /// What it is.
    #[serde(flatten)]
    pub delivery: Delivery,
}

/// What came of sending something again.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Replayed {
    /// Whether it is delivered, or wanted no more. If not, it is tried anew, as it was at first.
    pub delivered: bool,
}

/// `id` is a record's without its first part; `#` has no place in an address.
fn shown(id: &str, delivery: Delivery, due: bool) -> DeliveryView {
    let time = id.split_once('#').and_then(|(time, _)| time.parse().ok()).map(Timestamp::from_seconds);
    DeliveryView { id: id.replacen('#', "-", 1), next_try_at: time.filter(|_| due), delivery }
}

/// What is to be sent, soonest first.
pub async fn due(broker: &Broker, tenant: &str, paging: &Paging) -> Result<Page<DeliveryView>, Error> {
    tenants::exists(broker, tenant).await?;
    paging::list(broker, key::deliveries(tenant), key::DUE, paging, |id, found| shown(id, found, true)).await
}

/// What could not be delivered, oldest first.
pub async fn dead(broker: &Broker, tenant: &str, paging: &Paging) -> Result<Page<DeliveryView>, Error> {
    tenants::exists(broker, tenant).await?;
    paging::list(broker, key::deliveries(tenant), key::DEAD, paging, |id, found| shown(id, found, false)).await
}

/// Something that could not be delivered.
pub async fn get(broker: &Broker, tenant: &str, id: &str) -> Result<Tagged<DeliveryView>, Error> {
    let record = record(tenant, id)?;
    let found = record.get(&*broker.platform.store).await?.ok_or(AdminError::NotFound)?.value;
    let tag = change::tag(broker, &found)?;
    Ok(Tagged { object: shown(&id.replacen('-', "#", 1), found, false), tag })
}

fn record(tenant: &str, id: &str) -> Result<RecordKey<Delivery>, AdminError> {
    check_id("tenant", tenant)?;
    if id.is_empty() || id.len() > MAX_ID_BYTES / 4 {
        return Err(AdminError::NotFound);
    }
    Ok(key::delivery_at(tenant, &format!("{}{}", key::DEAD, id.replacen('-', "#", 1))))
}

fn done<'a>(tenant: &'a str, id: &str, change: ChangeKind) -> Done<'a> {
    Done::new(tenant, format!("/tenants/{tenant}/dead-letters/{id}"), change)
}

/// Sends something again that could not be delivered: now, and if that fails as often as at first.
pub async fn replay(broker: &Broker, change: &Change, tenant: &str, id: &str) -> Result<Replayed, Error> {
    let (store, now) = (&*broker.platform.store, broker.platform.clock.now());
    let dead = record(tenant, id)?;
    let found = dead.get(store).await?.ok_or(AdminError::NotFound)?;
    let (_, name) = key::time_and_name(dead.id()).ok_or(AdminError::NotFound)?;
    let due = key::delivery(tenant, key::DUE, now, name);
    let again = Delivery { tries: 0, ..found.value };
    let writes = vec![dead.delete(Expect::Version(found.version)), due.put(&again, Expect::Any)?];
    change.commit(broker, dead.partition(), writes, done(tenant, id, ChangeKind::Replaced)).await?;
    let delivered = match due.get(store).await? {
        Some(found) => delivery::attempt(broker, tenant, due.id(), found).await?,
        // The tick was faster: what came of it is in the lists.
        None => false,
    };
    Ok(Replayed { delivered })
}

/// Removes something that could not be delivered.
pub async fn delete(broker: &Broker, change: &Change, tenant: &str, id: &str) -> Result<(), Error> {
    change.remove(broker, &record(tenant, id)?, done(tenant, id, ChangeKind::Deleted)).await?;
    Ok(())
}
