//! Events to a tenant's webhooks. They are made of the audit log's: whatever is written there and a webhook wants to know,
//! it is told.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;
use vestibule_protocol::scim::instant;

use super::Outcome;
use crate::Broker;
use crate::error::Error;
use crate::model::audit::{AuditEvent, AuditKind, ChangeKind};
use crate::model::delivery::Message;
use crate::model::provisioned::{AttributeChange, Provisioned};
use crate::model::webhook::{EventKind, Subscription, WebhookEvent};
use crate::store::{MAX_READS, key, record};
use crate::webhook_signature;

/// What an event of the audit log owes to the tenant's webhooks.
pub(crate) async fn of_audit(broker: &Broker, tenant: &str, event: &AuditEvent) -> Result<Vec<Message>, Error> {
    let Some((kind, user)) = told(event) else { return Ok(Vec::new()) };
    let subscriptions = subscriptions(broker, tenant).await?;
    let wanted = subscriptions.iter().filter(|(_, wanted)| wanted.wants(kind));
    let message = |(webhook, _): &(String, Subscription)| {
        let (connection, session) = (event.connection.clone(), event.session.clone());
        let event = WebhookEvent { kind, time: event.time, user: user.clone(), connection, session };
        Message::Event { webhook: webhook.clone(), event }
    };
    Ok(wanted.map(message).collect())
}

/// As what a webhook is told of an event, if at all, and of whom.
fn told(event: &AuditEvent) -> Option<(EventKind, Option<String>)> {
    let kind = match &event.kind {
        AuditKind::UserCreated => EventKind::UserCreated,
        AuditKind::UserDeactivated { .. } => EventKind::UserDeactivated,
        AuditKind::UserActivated { .. } => EventKind::UserReactivated,
        AuditKind::UserDeleted { .. } => EventKind::UserDeleted,
        AuditKind::SignedOut | AuditKind::SessionReplaced | AuditKind::SessionEnded { .. } => EventKind::SessionEnded,
        AuditKind::SessionsEnded { .. } if event.session.is_some() => EventKind::SessionEnded,
        AuditKind::SamlExpiring { .. } => EventKind::ConnectionExpiring,
        AuditKind::Provisioned(done) => return provisioned(done),
        _ => return None,
    };
    Some((kind, event.user.clone()))
}

/// What a directory did to a person. That it deactivated somebody is an event of its own.
fn provisioned(done: &Provisioned) -> Option<(EventKind, Option<String>)> {
    let user = done.object.strip_prefix("/Users/")?;
    let switched_on = |change: &AttributeChange| {
        (change.name.as_str(), change.before.as_deref(), change.after.as_deref())
            == ("active", Some("false"), Some("true"))
    };
    let kind = match done.change {
        ChangeKind::Created => EventKind::UserCreated,
        ChangeKind::Deleted => EventKind::UserDeleted,
        ChangeKind::Replaced if done.attributes.iter().any(switched_on) => EventKind::UserReactivated,
        ChangeKind::Replaced => return None,
    };
    Some((kind, Some(user.to_owned())))
}

/// A tenant's webhooks, at most a minute old. That there are none is remembered too: most tenants have none.
pub(crate) async fn subscriptions(broker: &Broker, tenant: &str) -> Result<Arc<Vec<(String, Subscription)>>, Error> {
    let now = broker.platform.clock.now();
    if let Some(copy) = broker.copies.webhooks.get(tenant, now) {
        return Ok(copy);
    }
    let page = broker.platform.store.list(&key::tenant_partition(tenant), key::WEBHOOK, None, MAX_READS).await?;
    let mut found = Vec::with_capacity(page.records.len());
    for record in page.records {
        let subscription = record::parse::<Subscription>(&record)?.value;
        found.push((record.id.strip_prefix(key::WEBHOOK).unwrap_or_default().to_owned(), subscription));
    }
    Ok(broker.copies.webhooks.keep(tenant.to_owned(), found, now))
}

/// Drops what this process remembers of a tenant's webhooks.
pub(crate) fn forget(broker: &Broker, tenant: &str) {
    broker.copies.webhooks.forget(tenant);
}

/// The request of one try. Nobody wants it where the webhook is gone or switched off.
pub(super) async fn request(
    broker: &Broker,
    tenant: &str,
    name: &str,
    (webhook, event): (&str, &WebhookEvent),
) -> Result<Result<http::Request<Bytes>, Outcome>, Error> {
    let found = key::webhook(tenant, webhook).get(&*broker.platform.store).await?;
    let webhook = found.map(|found| found.value).filter(|found| found.enabled);
    let Some(webhook) = webhook else { return Ok(Err(Outcome::Unwanted)) };
    let body = json!({
        "type": event.kind,
        "timestamp": instant::write(event.time),
        "data": { "tenant": tenant, "user": event.user, "connection": event.connection, "session": event.session },
    });
    let body = Bytes::from(body.to_string());
    let request = webhook_signature::request(broker, tenant, &webhook.url, &format!("msg_{name}"), body).await?;
    Ok(request.ok_or_else(|| Outcome::Failed("there is no webhook secret to sign with".to_owned())))
}
