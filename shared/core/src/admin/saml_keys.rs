//! Our keys toward a connection's provider that speaks SAML: what there is, a new one beside those, which of them is in use,
//! the end of one. A new key is in our metadata from the start, so that the provider can know it before it is used; what was
//! encrypted for a key opens as long as the key is there.

use base64::{Engine, engine::general_purpose::STANDARD};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vestibule_protocol::jose::Algorithm;
use vestibule_protocol::time::Timestamp;

use super::change::{self, Change, Done, Tagged};
use super::{Checked, check_id};
use crate::Broker;
use crate::broker::connection_name;
use crate::error::{AdminError, Error};
use crate::model::audit::ChangeKind;
use crate::model::saml::{KeyUsage, SamlKey, SamlKeys};
use crate::saml::{facts, keys};
use crate::store::key;
use crate::store::record::Stored;

/// Most keys for one use.
const MOST: usize = 3;

/// A key that is to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SamlKeyInput {
    /// What it is for.
    pub usage: KeyUsage,
    /// What it signs with, `RS256` or `ES256`. A key for encryption is `RS256`: an RSA key.
    #[serde(default = "rsa")]
    pub algorithm: Algorithm,
}

const fn rsa() -> Algorithm {
    Algorithm::RS256
}

/// Our keys toward a connection's provider. Never a private half.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SamlKeysView {
    /// All of them, in the order in which they were made.
    pub keys: Vec<SamlKeyView>,
}

/// One key.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SamlKeyView {
    /// Its name.
    pub id: String,
    /// What it is for.
    pub usage: KeyUsage,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// Whether it is the one in use: signs, or is what our metadata says to encrypt for.
    pub active: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when its certificate says that it is good.
    pub ends_at: Timestamp,
    /// SHA-256 of its certificate, in hexadecimal.
    pub sha256: String,
    /// Its certificate, in PEM.
    pub certificate: String,
}

/// Whose keys: a tenant and its connection.
type Place<'a> = (&'a str, &'a str);

/// The keys as they are now.
pub async fn get(broker: &Broker, place: Place<'_>) -> Result<Tagged<SamlKeysView>, Error> {
    show(broker, &find(broker, place).await?.value)
}

/// Makes a key and publishes it beside those that are there.
pub async fn add(
    broker: &Broker,
    change: &Change,
    place: Place<'_>,
    Checked { input, mut problems }: Checked<SamlKeyInput>,
) -> Result<Tagged<SamlKeysView>, Error> {
    let SamlKeyInput { usage, algorithm } = input;
    let fits = match usage {
        KeyUsage::Signing => matches!(algorithm, Algorithm::RS256 | Algorithm::ES256),
        KeyUsage::Encryption => algorithm == Algorithm::RS256,
    };
    if !fits {
        problems.add("/algorithm", "must be RS256 or ES256, for encryption RS256");
    }
    let found = find(broker, place).await?;
    if found.value.of(usage).count() >= MOST {
        problems.add("/usage", "has three keys already: remove one");
    }
    problems.none()?;
    let new = keys::new_key(broker, place, usage, algorithm).await?;
    let active = usage == KeyUsage::Encryption && found.value.of(usage).next().is_none();
    let new = SamlKey { active, ..new };
    let done = Done::new(place.0, path(place, &new.id), ChangeKind::Created).between(None, &view(&new)?);
    let mut after = found.value.clone();
    after.keys.push(new);
    write(broker, change, place, (found, after), done).await
}

/// Brings a key into use in place of the one that is. Both stay published.
pub async fn activate(
    broker: &Broker,
    change: &Change,
    place: Place<'_>,
    id: &str,
) -> Result<Tagged<SamlKeysView>, Error> {
    let found = find(broker, place).await?;
    let before = found.value.keys.iter().find(|key| key.id == id).ok_or(AdminError::NotFound)?.clone();
    let mut after = found.value.clone();
    for key in after.keys.iter_mut().filter(|key| key.usage == before.usage) {
        key.active = key.id == id;
    }
    let active = SamlKey { active: true, ..before.clone() };
    let done =
        Done::new(place.0, path(place, id), ChangeKind::Replaced).between(Some(&view(&before)?), &view(&active)?);
    write(broker, change, place, (found, after), done).await
}

/// Removes a key that is not in use. What is encrypted for it opens no more.
pub async fn delete(broker: &Broker, change: &Change, place: Place<'_>, id: &str) -> Result<(), Error> {
    let found = find(broker, place).await?;
    let key = found.value.keys.iter().find(|key| key.id == id).ok_or(AdminError::NotFound)?;
    if key.active {
        return Err(AdminError::Invalid { field: "key", problem: "is in use: activate another one first" }.into());
    }
    let mut after = found.value.clone();
    after.keys.retain(|key| key.id != id);
    let done = Done::new(place.0, path(place, id), ChangeKind::Deleted);
    write(broker, change, place, (found, after), done).await.map(drop)
}

async fn find(broker: &Broker, (tenant, connection): Place<'_>) -> Result<Stored<SamlKeys>, Error> {
    check_id("tenant", tenant)?;
    check_id("connection", connection)?;
    Ok(key::saml_keys(tenant, connection).get(&*broker.platform.store).await?.ok_or(AdminError::NotFound)?)
}

/// Writes the keys `after` in place of those that were found.
async fn write(
    broker: &Broker,
    change: &Change,
    (tenant, connection): Place<'_>,
    (found, after): (Stored<SamlKeys>, SamlKeys),
    done: Done<'_>,
) -> Result<Tagged<SamlKeysView>, Error> {
    let (_, expect) = change.expect(broker, Some(&found))?;
    let record = key::saml_keys(tenant, connection);
    change.commit(broker, record.partition(), vec![record.put(&after, expect)?], done).await?;
    broker.copies.saml.forget(&connection_name(tenant, connection));
    show(broker, &after)
}

fn path((tenant, connection): Place<'_>, key: &str) -> String {
    format!("/tenants/{tenant}/connections/{connection}/saml-keys/{key}")
}

fn show(broker: &Broker, keys: &SamlKeys) -> Result<Tagged<SamlKeysView>, Error> {
    let object = SamlKeysView { keys: keys.keys.iter().map(view).collect::<Result<_, _>>()? };
    Ok(Tagged { object, tag: change::tag(broker, keys)? })
}

fn view(key: &SamlKey) -> Result<SamlKeyView, Error> {
    let der = keys::certificate(key)?.der;
    let SamlKey { id, usage, algorithm, active, created_at, ends_at, .. } = key.clone();
    let (sha256, certificate) = (facts::fingerprint(&der), pem(&der));
    Ok(SamlKeyView { id, usage, algorithm, active, created_at, ends_at, sha256, certificate })
}

/// RFC 7468 §5.
fn pem(der: &[u8]) -> String {
    let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
    // 48 bytes are a line of 64 letters.
    for line in der.chunks(48) {
        text.push_str(&STANDARD.encode(line));
        text.push('\n');
    }
    text + "-----END CERTIFICATE-----\n"
}
