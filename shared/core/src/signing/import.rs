//! Keys that the owner of the deployment brings along: checked, sealed, and published to be used next.

use vestibule_protocol::jose::{PrivateJwk, PublicKey};

use super::plan::earliest_use;
use super::{public_key, rotate};
use crate::Broker;
use crate::admin::change::Change;
use crate::error::{AdminError, Error};
use crate::handle::new_id;
use crate::model::signing::{KeyRing, KeyState, StoredKey};
use crate::platform::{CryptoError, PrivateKey};
use crate::secret::Secret;

/// Keys in one set: more than anybody rotates through in a year.
const MOST: usize = 8;

/// Makes these the keys that are used next, one after another: the first as soon as everybody can know it, each further
/// one a rotation later, or when an administrator says so. What was published and is not among them goes.
pub(crate) async fn import(broker: &Broker, change: &Change, keys: &[PrivateJwk]) -> Result<KeyRing, Error> {
    if keys.is_empty() || keys.len() > MOST {
        return Err(invalid("must have 1 to 8 keys"));
    }
    let mut brought = Vec::with_capacity(keys.len());
    for jwk in keys {
        brought.push(take(broker, jwk).await?);
    }
    let (now, rotation) = (broker.platform.clock.now(), broker.config.key_rotation);
    let stored = rotate::ring(broker).await?;
    let (_, expect) = change.expect(broker, Some(&stored))?;
    let unused = |key: &StoredKey| matches!(key.state(), KeyState::Published { .. });
    let (before, mut keys): (Vec<_>, Vec<_>) = stored.value.keys.into_iter().partition(unused);
    let mut turn = Some(now);
    for (kid, pair) in brought {
        let known = find(&before, &keys, kid.as_deref(), &pair)?;
        let state = known.as_ref().map_or(KeyState::Published { use_from: None }, StoredKey::state);
        match state {
            // Sent again after its first use: its successors keep their turns.
            KeyState::Active { since } => turn = rotation.map(|rotation| since + rotation),
            KeyState::Retired { .. } => return Err(invalid("has a key that is retired")),
            KeyState::Published { use_from } => {
                let kid = kid.unwrap_or_else(|| new_id(&*broker.platform.random));
                let mut key = known.map_or_else(|| rotate::seal(broker, kid, &pair, now, state), Ok)?;
                if keys.iter().any(|other| other.kid == key.kid) {
                    return Err(invalid("has a key twice"));
                }
                let earliest = earliest_use(key.created_at, now);
                let use_from = turn.map_or(use_from, |turn| Some(use_from.unwrap_or(earliest).max(turn)));
                turn = use_from.zip(rotation).map(|(use_from, rotation)| use_from + rotation);
                key.state = Some(KeyState::Published { use_from });
                keys.push(key);
            }
        }
    }
    let ring = KeyRing { keys };
    rotate::replace_for(broker, change, &ring, expect, rotate::replaced()).await?;
    tracing::info!(waiting = ring.waiting().len(), "signing_keys.imported");
    Ok(ring)
}

/// The key of the ring that this is, if it is there: by its name and by its numbers, or not at all.
fn find(
    before: &[StoredKey],
    keys: &[StoredKey],
    kid: Option<&str>,
    pair: &PrivateKey,
) -> Result<Option<StoredKey>, Error> {
    for key in before.iter().chain(keys) {
        let (named, same) = (kid == Some(key.kid.as_str()), public_key(key)?.id() == pair.id());
        match (named, same) {
            (false, false) => {}
            (true, false) => return Err(invalid("has a kid that another key has")),
            (false, true) if kid.is_some() => return Err(invalid("has a key that is there under another kid")),
            (_, true) => return Ok(Some(key.clone())),
        }
    }
    Ok(None)
}

/// A key with its name, if it has one: of the deployment's algorithm, and signing for its own public half.
async fn take(broker: &Broker, jwk: &PrivateJwk) -> Result<(Option<String>, PrivateKey), Error> {
    let algorithm = broker.config.signing_algorithm;
    let (pkcs8, material) = jwk.to_pkcs8(algorithm).map_err(|error| invalid(error.problem()))?;
    let named = |kid: &String| (1..=64).contains(&kid.len()) && kid.bytes().all(|byte| byte.is_ascii_graphic());
    if !jwk.kid.as_ref().is_none_or(named) {
        return Err(invalid("has a kid that is not 1 to 64 visible ASCII characters"));
    }
    let public = PublicKey::new(material, None, Some(algorithm));
    let pair = PrivateKey { algorithm, pkcs8: Secret::new(pkcs8), public };
    // A key that cannot sign for what we would publish would lock everybody out on the day of its first use.
    let crypto = &*broker.platform.crypto;
    let proof = async {
        let signature = crypto.sign(&pair, b"import").await?;
        crypto.verify(&pair.public, algorithm, b"import", &signature).await
    };
    match proof.await {
        Ok(()) => Ok((jwk.kid.clone(), pair)),
        Err(CryptoError::Unsupported(_)) => Err(Error::bug("a signing algorithm that the platform does not know")),
        Err(_) => Err(invalid("has a key whose private half is not that of its public half")),
    }
}

fn invalid(problem: &'static str) -> Error {
    AdminError::problem("/keys", problem).into()
}
