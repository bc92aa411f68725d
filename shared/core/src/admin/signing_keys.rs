//! Our signing keys: what there is, a rotation by hand, a removal, and keys that the owner of the deployment brings along.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vestibule_protocol::jose::{Algorithm, PrivateJwk};
use vestibule_protocol::time::Timestamp;

use super::change::{self, Change, Tagged};
use super::{Checked, Put};
use crate::Broker;
use crate::error::Error;
use crate::model::signing::{KeyRing, KeyState, StoredKey};
use crate::signing;

/// What an administrator sends: a set of private JSON Web Keys (RFC 7517 §5).
#[derive(Deserialize, JsonSchema)]
pub struct SigningKeysInput {
    /// The keys that are to be used next, in this order.
    pub keys: Vec<PrivateJwk>,
}

/// What an administrator sees. Never a private member.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SigningKeysView {
    /// All of them, the active one first.
    pub keys: Vec<SigningKeyView>,
}

/// One key.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SigningKeyView {
    /// Its name in the published set.
    pub kid: String,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// When it was made or imported, and by that published.
    pub created_at: Timestamp,
    /// Where it stands.
    #[serde(flatten)]
    pub state: KeyState,
    /// When a retired key stops verifying.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept_until: Option<Timestamp>,
}

/// The keys as they are now.
pub async fn get(broker: &Broker) -> Result<Tagged<SigningKeysView>, Error> {
    show(broker, &signing::ring(broker).await?.value)
}

fn show(broker: &Broker, ring: &KeyRing) -> Result<Tagged<SigningKeysView>, Error> {
    Ok(Tagged { object: view(ring), tag: change::tag(broker, ring)? })
}

/// Brings the next key into use as soon as everybody can know it: at once if it is published long enough, otherwise
/// some minutes after it is published, which is now.
pub async fn rotate(broker: &Broker, change: &Change) -> Result<Tagged<SigningKeysView>, Error> {
    show(broker, &signing::rotate_now(broker, change).await?)
}

/// Forgets a key that somebody else may have. Nothing that it signed is good any more, here within two minutes and
/// elsewhere as soon as the key set is fetched again. The next key signs instead, or a new one.
pub async fn delete(broker: &Broker, change: &Change, kid: &str) -> Result<(), Error> {
    signing::remove_now(broker, change, kid).await
}

/// Publishes the owner's keys, to be used in their order from as soon as everybody can know the first. They replace
/// what was published and not used. Sent again, they change nothing.
pub async fn put(
    broker: &Broker,
    change: &Change,
    Checked { input, problems }: Checked<SigningKeysInput>,
) -> Result<(Put, Tagged<SigningKeysView>), Error> {
    problems.none()?;
    let ring = signing::import(broker, change, &input.keys).await?;
    Ok((Put::Replaced, show(broker, &ring)?))
}

fn view(ring: &KeyRing) -> SigningKeysView {
    let keys = ring.keys.iter().map(|key| {
        let StoredKey { kid, algorithm, created_at, .. } = key.clone();
        let state = key.state();
        let kept_until = match state {
            KeyState::Retired { since } => Some(signing::kept_until(since)),
            KeyState::Published { .. } | KeyState::Active { .. } => None,
        };
        SigningKeyView { kid, algorithm, created_at, state, kept_until }
    });
    SigningKeysView { keys: keys.collect() }
}
