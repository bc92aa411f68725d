//! The secret of a tenant's webhook: made here, shown once, replaced with overlap.

use base64::{Engine, engine::general_purpose::STANDARD};
use schemars::JsonSchema;
use serde::Serialize;
use vestibule_protocol::time::Timestamp;

use super::change::{self, Change, Done, Tagged};
use super::{check_id, tenants};
use crate::Broker;
use crate::error::{AdminError, Error};
use crate::handle::new_secret;
use crate::model::webhook::{PreviousSecret, SECRET_OVERLAP, WebhookSecrets};
use crate::seal::Purpose;
use crate::store::key;
use crate::webhook_signature::{SECRET_PREFIX, secret_place};

/// What an administrator sees.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WebhookSecretView {
    /// The secret; only in the answer that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when the one before signs beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_until: Option<Timestamp>,
}

fn view(secrets: &WebhookSecrets, secret: Option<String>) -> WebhookSecretView {
    let previous_until = secrets.previous.as_ref().map(|previous| previous.until);
    WebhookSecretView { secret, created_at: secrets.created_at, previous_until }
}

fn show(broker: &Broker, secrets: &WebhookSecrets, secret: Option<String>) -> Result<Tagged<WebhookSecretView>, Error> {
    Ok(Tagged { object: view(secrets, secret), tag: change::tag(broker, secrets)? })
}

/// What is known of the secret.
pub async fn get(broker: &Broker, tenant: &str) -> Result<Tagged<WebhookSecretView>, Error> {
    check_id("tenant", tenant)?;
    let found = key::webhook_secrets(tenant).get(&*broker.platform.store).await?.ok_or(AdminError::NotFound)?;
    show(broker, &found.value, None)
}

/// Makes the first secret, or the next one. The one before signs for another day, so that the receiver can follow; other
/// processes sign with the new one within two minutes.
pub async fn rotate(broker: &Broker, change: &Change, tenant: &str) -> Result<Tagged<WebhookSecretView>, Error> {
    tenants::exists(broker, tenant).await?;
    let record = key::webhook_secrets(tenant);
    let found = record.get(&*broker.platform.store).await?;
    let (outcome, expect) = change.expect(broker, found.as_ref())?;
    let (random, now) = (&*broker.platform.random, broker.platform.clock.now());
    let secret = new_secret(random);
    let current = broker.sealer.seal(random, Purpose::Record, &secret_place(tenant), secret.expose())?;
    let before = found.map(|found| found.value.current);
    let previous = before.map(|secret| PreviousSecret { secret, until: now + SECRET_OVERLAP });
    let secrets = WebhookSecrets { current, created_at: now, previous };
    let writes = vec![record.put(&secrets, expect)?];
    let object = format!("/tenants/{tenant}/webhook-secret");
    change.commit(broker, record.partition(), writes, Done::new(tenant, object, outcome.kind())).await?;
    broker.copies.webhook_secrets.forget(tenant);
    show(broker, &secrets, Some(format!("{SECRET_PREFIX}{}", STANDARD.encode(secret.expose()))))
}
