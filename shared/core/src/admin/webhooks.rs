//! Where a tenant wants to be told of what happens.

use schemars::JsonSchema;
use serde::Serialize;

use super::change::{self, Change, Done, Tagged};
use super::paging::{self, Page, Paging};
use super::{Checked, Put, check_id, check_server_url, tenants};
use crate::Broker;
use crate::delivery;
use crate::error::{AdminError, Error};
use crate::model::audit::ChangeKind;
use crate::model::webhook::Subscription;
use crate::store::key;

/// Most webhooks of a tenant.
const MAX_WEBHOOKS: usize = 20;

/// What an administrator sees.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WebhookView {
    /// The webhook.
    pub id: String,
    /// Its settings.
    #[serde(flatten)]
    pub webhook: Subscription,
}

/// A webhook.
pub async fn get(broker: &Broker, tenant: &str, id: &str) -> Result<Tagged<WebhookView>, Error> {
    check(tenant, id)?;
    let found = key::webhook(tenant, id).get(&*broker.platform.store).await?.ok_or(AdminError::NotFound)?;
    show(broker, id, found.value)
}

/// The webhooks of a tenant that exists.
pub async fn list(broker: &Broker, tenant: &str, paging: &Paging) -> Result<Page<WebhookView>, Error> {
    tenants::exists(broker, tenant).await?;
    let view = |id: &str, webhook| WebhookView { id: id.to_owned(), webhook };
    paging::list(broker, key::tenant_partition(tenant), key::WEBHOOK, paging, view).await
}

fn check(tenant: &str, id: &str) -> Result<(), AdminError> {
    check_id("tenant", tenant)?;
    check_id("webhook", id)
}

fn show(broker: &Broker, id: &str, webhook: Subscription) -> Result<Tagged<WebhookView>, Error> {
    let tag = change::tag(broker, &webhook)?;
    Ok(Tagged { object: WebhookView { id: id.to_owned(), webhook }, tag })
}

fn done<'a>(tenant: &'a str, id: &str, change: ChangeKind) -> Done<'a> {
    Done::new(tenant, format!("/tenants/{tenant}/webhooks/{id}"), change)
}

/// Creates or replaces a webhook. Other processes follow within two minutes.
pub async fn put(
    broker: &Broker,
    change: &Change,
    (tenant, id): (&str, &str),
    Checked { input, mut problems }: Checked<Subscription>,
) -> Result<(Put, Tagged<WebhookView>), Error> {
    check(tenant, id)?;
    tenants::exists(broker, tenant).await?;
    problems.take("/url", check_server_url(broker, &input.url));
    if input.events.is_empty() {
        problems.add("/events", "has no event");
    }
    for (at, event) in input.events.iter().enumerate() {
        if input.events.iter().take(at).any(|other| other == event) {
            problems.add(format!("/events/{at}"), "is there twice");
        }
    }
    let record = key::webhook(tenant, id);
    let found = record.get(&*broker.platform.store).await?;
    if found.is_none() {
        let all = broker.platform.store.list(record.partition(), key::WEBHOOK, None, MAX_WEBHOOKS).await?;
        if all.records.len() >= MAX_WEBHOOKS {
            problems.add("", "is one too many: a tenant has 20 webhooks at most");
        }
    }
    problems.none()?;
    let (outcome, expect) = change.expect(broker, found.as_ref())?;
    let writes = vec![record.put(&input, expect)?];
    let done = done(tenant, id, outcome.kind()).between(found.as_ref().map(|found| &found.value), &input);
    change.commit(broker, record.partition(), writes, done).await?;
    delivery::forget(broker, tenant);
    Ok((outcome, show(broker, id, input)?))
}

/// Removes a webhook. What it was not told yet, it is not told any more.
pub async fn delete(broker: &Broker, change: &Change, tenant: &str, id: &str) -> Result<(), Error> {
    check(tenant, id)?;
    change.remove(broker, &key::webhook(tenant, id), done(tenant, id, ChangeKind::Deleted)).await?;
    delivery::forget(broker, tenant);
    Ok(())
}
