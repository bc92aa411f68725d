//! A tenant's secrets sealed anew, after a change of the sealing key: when all are, the key before can go.

use schemars::JsonSchema;
use serde::Serialize;

use super::change::{Change, Done};
use super::{check_id, tenants};
use crate::Broker;
use crate::error::Error;
use crate::model::audit::ChangeKind;
use crate::model::connection::{Connection, Upstream};
use crate::saml::keys;
use crate::seal::{Purpose, Sealed};
use crate::store::record::{self, Stored};
use crate::store::{Expect, Write, key};
use crate::upstream::{oidc, probe};
use crate::webhook_signature;

/// What was done.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Resealed {
    /// How many records are sealed with the first sealing key now, and were not before.
    pub resealed: usize,
    /// What does not open with any sealing key: its secret has to be sent again.
    pub unreadable: Vec<String>,
}

/// Connections that are written in one commit, each with its SAML keys.
const BATCH: usize = 40;

/// Seals the client secrets of a tenant's connections, their SAML keys, and its webhook's secrets, with the first sealing key. Safe to
/// repeat; of a change by somebody else at the same time nothing is lost. Copies may hold what was sealed before for two
/// minutes more.
pub async fn reseal(broker: &Broker, change: &Change, tenant: &str) -> Result<Resealed, Error> {
    check_id("tenant", tenant)?;
    tenants::exists(broker, tenant).await?;
    let mut done = Resealed::default();
    let mut after = None;
    loop {
        let partition = key::tenant_partition(tenant);
        let page = broker.platform.store.list(&partition, key::CONNECTION, after.as_deref(), BATCH).await?;
        let mut writes = Vec::new();
        for found in page.records {
            let id = found.id.strip_prefix(key::CONNECTION).unwrap_or_default();
            let found: Stored<Connection> = record::parse(&found)?;
            if found.value.upstream.saml().is_some() {
                writes.extend(saml_keys(broker, tenant, id, &mut done).await?);
            }
            writes.extend(connection(broker, tenant, id, found, &mut done)?);
        }
        if after.is_none() {
            writes.extend(webhook_secrets(broker, tenant, &mut done).await?);
        }
        if !writes.is_empty() {
            done.resealed += writes.len();
            let event = Done::new(tenant, format!("/tenants/{tenant}/reseal"), ChangeKind::Replaced);
            change.commit(broker, &partition, writes, event).await?;
        }
        after = page.next;
        if after.is_none() {
            return Ok(done);
        }
    }
}

fn connection(
    broker: &Broker,
    tenant: &str,
    id: &str,
    Stored { value: mut connection, version }: Stored<Connection>,
    done: &mut Resealed,
) -> Result<Option<Write>, Error> {
    let mut secrets = Vec::new();
    if let Upstream::Oidc(settings) = &mut connection.upstream {
        secrets.push((oidc::secret_place(tenant, id), settings.client_secret.as_mut()));
    }
    if let Some(probe) = &mut connection.status_probe {
        secrets.push((probe::secret_place(tenant, id, probe::CLIENT_SECRET), probe.client_secret.as_mut()));
        secrets.push((probe::secret_place(tenant, id, probe::REFRESH_TOKEN), probe.refresh_token_secret.as_mut()));
    }
    let path = format!("/tenants/{tenant}/connections/{id}");
    let mut renewed = false;
    for (place, secret) in secrets {
        renewed |= secret.is_some_and(|secret| renew(broker, &place, secret, &path, done));
    }
    if !renewed {
        return Ok(None);
    }
    Ok(Some(key::connection(tenant, id).put(&connection, Expect::Version(version))?))
}

async fn saml_keys(broker: &Broker, tenant: &str, id: &str, done: &mut Resealed) -> Result<Option<Write>, Error> {
    let record = key::saml_keys(tenant, id);
    let Some(Stored { value: mut kept, version }) = record.get(&*broker.platform.store).await? else { return Ok(None) };
    let mut renewed = false;
    for key in &mut kept.keys {
        let path = format!("/tenants/{tenant}/connections/{id}/saml-keys/{}", key.id);
        renewed |= renew(broker, &keys::sealed_place(tenant, id, &key.id), &mut key.private, &path, done);
    }
    Ok(if renewed { Some(record.put(&kept, Expect::Version(version))?) } else { None })
}

async fn webhook_secrets(broker: &Broker, tenant: &str, done: &mut Resealed) -> Result<Option<Write>, Error> {
    let record = key::webhook_secrets(tenant);
    let Some(Stored { value: mut secrets, version }) = record.get(&*broker.platform.store).await? else {
        return Ok(None);
    };
    let (place, path) = (webhook_signature::secret_place(tenant), format!("/tenants/{tenant}/webhook-secret"));
    let now = broker.platform.clock.now();
    secrets.previous = secrets.previous.filter(|previous| !previous.until.has_passed(now));
    let mut renewed = renew(broker, &place, &mut secrets.current, &path, done);
    if let Some(previous) = &mut secrets.previous {
        renewed |= renew(broker, &place, &mut previous.secret, &path, done);
    }
    Ok(if renewed { Some(record.put(&secrets, Expect::Version(version))?) } else { None })
}

/// Whether a secret was sealed with another key than the first, and is with the first now.
fn renew(broker: &Broker, place: &str, secret: &mut Sealed, path: &str, done: &mut Resealed) -> bool {
    match broker.sealer.renew(&*broker.platform.random, Purpose::Record, place, secret) {
        Ok(Some(renewed)) => {
            *secret = renewed;
            true
        }
        Ok(None) => false,
        Err(_) => {
            done.unreadable.push(path.to_owned());
            false
        }
    }
}
