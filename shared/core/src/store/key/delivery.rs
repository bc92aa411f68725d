//! What a tenant's deliveries and webhooks are kept under.

use vestibule_protocol::time::Timestamp;

use super::tenant_partition;
use crate::model::delivery::Delivery;
use crate::model::webhook::{Subscription, WebhookSecrets};
use crate::store::Partition;
use crate::store::record::RecordKey;

/// What the names of partitions of deliveries start with.
const DELIVERIES: &str = "deliveries:";

/// The partition of what a tenant's servers, and the applications that its people use, are told.
pub fn deliveries(tenant: &str) -> Partition {
    Partition::new(format!("{DELIVERIES}{tenant}"))
}

/// Whose deliveries a partition holds, if it is one.
pub fn tenant_of_deliveries(partition: &Partition) -> Option<&str> {
    partition.as_str().strip_prefix(DELIVERIES)
}

/// What the ids of messages start with that are to be sent.
pub const DUE: &str = "due#";
/// What the ids of messages start with that could not be delivered.
pub const DEAD: &str = "dead#";

/// A message that is to be sent at some time, or that could not be delivered until then: `state` is [`DUE`] or [`DEAD`].
pub fn delivery(tenant: &str, state: &str, time: Timestamp, id: &str) -> RecordKey<Delivery> {
    RecordKey::new(deliveries(tenant), format!("{state}{:012}#{id}", time.seconds()))
}

/// A message by its record's whole id.
pub fn delivery_at(tenant: &str, id: &str) -> RecordKey<Delivery> {
    RecordKey::new(deliveries(tenant), id)
}

/// The time and the name in the id of a message's record.
pub fn time_and_name(id: &str) -> Option<(Timestamp, &str)> {
    let (time, name) = id.split_once('#')?.1.split_once('#')?;
    Some((Timestamp::from_seconds(time.parse().ok()?), name))
}

/// The secrets of a tenant's webhooks.
pub fn webhook_secrets(tenant: &str) -> RecordKey<WebhookSecrets> {
    RecordKey::new(tenant_partition(tenant), "webhook-secrets")
}

/// What the ids of a tenant's webhooks start with.
pub const WEBHOOK: &str = "webhook#";

/// Where a tenant wants to be told of events.
pub fn webhook(tenant: &str, webhook: &str) -> RecordKey<Subscription> {
    RecordKey::new(tenant_partition(tenant), format!("{WEBHOOK}{webhook}"))
}
