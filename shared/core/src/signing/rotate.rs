//! Changes of the key ring. Each is one compare-and-set on the whole ring: of two at once, one loses and finds at its
//! next look what is still to do.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use vestibule_protocol::time::Timestamp;

use super::plan::{self, Rules, Transition};
use super::{RING, jwk, sealed_place};
use crate::Broker;
use crate::admin::change::{Change, Done};
use crate::error::{AdminError, Error};
use crate::handle::new_id;
use crate::model::audit::{ChangeKind, DEPLOYMENT};
use crate::model::signing::{KeyRing, KeyState, StoredKey};
use crate::platform::PrivateKey;
use crate::seal::Purpose;
use crate::store::record::Stored;
use crate::store::{Expect, StoreError, key};

/// Makes the first key. Of any number of processes that start at once, one wins; the others use its key.
pub(super) async fn create(broker: &Broker) -> Result<KeyRing, Error> {
    let now = broker.platform.clock.now();
    let first = generate(broker, KeyState::Active { since: now }).await?;
    let ring = KeyRing { keys: vec![first] };
    let record = key::key_ring();
    match broker.platform.store.commit(record.partition(), vec![record.put(&ring, Expect::Absent)?]).await {
        Ok(_) => Ok(ring),
        Err(StoreError::Conflict) => {
            let winner = record.get(&*broker.platform.store).await?;
            winner.map(|stored| stored.value).ok_or(Error::bug("the key ring vanished"))
        }
        Err(error) => Err(error.into()),
    }
}

/// The ring as it is now.
pub(crate) async fn ring(broker: &Broker) -> Result<Stored<KeyRing>, Error> {
    let record = key::key_ring();
    if let Some(stored) = record.get(&*broker.platform.store).await? {
        return Ok(stored);
    }
    create(broker).await?;
    record.get(&*broker.platform.store).await?.ok_or(Error::bug("the key ring vanished"))
}

/// Lets the next key be used as soon as it may be; publishes one if none waits.
pub(crate) async fn rotate_now(broker: &Broker, change: &Change) -> Result<KeyRing, Error> {
    let stored = ring(broker).await?;
    let (_, expect) = change.expect(broker, Some(&stored))?;
    let mut ring = stored.value;
    let now = broker.platform.clock.now();
    let next = next(broker, &mut ring).await?;
    ring.schedule(&next.kid, Some(plan::earliest_use(next.created_at, now)));
    replace_for(broker, change, &ring, expect, replaced()).await?;
    tracing::info!(next = next.kid, "signing_keys.rotation_asked_for");
    Ok(ring)
}

/// Forgets a key at once, because somebody else may have it. If it is the one that signs, the next one takes over
/// before everybody can know it: a verifier asks again when it meets a name that it does not know.
pub(crate) async fn remove_now(broker: &Broker, change: &Change, kid: &str) -> Result<(), Error> {
    let stored = ring(broker).await?;
    let (_, expect) = change.expect(broker, Some(&stored))?;
    let mut ring = stored.value;
    if !ring.keys.iter().any(|key| key.kid == kid) {
        return Err(AdminError::NotFound.into());
    }
    if ring.active().is_some_and(|active| active.kid == kid) {
        let next = next(broker, &mut ring).await?;
        ring.activate(&next.kid, broker.platform.clock.now());
    }
    ring.remove(kid);
    let done = Done::new(DEPLOYMENT, format!("/signing-keys/{kid}"), ChangeKind::Deleted);
    replace_for(broker, change, &ring, expect, done).await?;
    tracing::warn!(kid, "signing_keys.removed");
    Ok(())
}

/// The key that waits to be used next; one is made if none waits.
async fn next(broker: &Broker, ring: &mut KeyRing) -> Result<StoredKey, Error> {
    if let Some((next, _)) = ring.waiting().first() {
        return Ok((*next).clone());
    }
    let key = generate(broker, KeyState::Published { use_from: None }).await?;
    ring.keys.push(key.clone());
    Ok(key)
}

/// Does what the plan says is due, and seals anew what was sealed with a key that is not the first any more. A ring that
/// nobody needed yet is left to whoever needs it.
pub(crate) async fn tick(broker: &Broker) -> Result<(), Error> {
    let Some(Stored { value: mut ring, version }) = key::key_ring().get(&*broker.platform.store).await? else {
        return Ok(());
    };
    let now = broker.platform.clock.now();
    let rules = Rules { algorithm: broker.config.signing_algorithm, rotation: broker.config.key_rotation };
    let due = plan::plan(&ring, now, rules);
    let resealed = reseal(broker, &mut ring);
    if due.is_empty() && resealed == 0 {
        return Ok(());
    }
    for transition in &due {
        match transition {
            Transition::Publish { use_from } => {
                let state = KeyState::Published { use_from: Some(*use_from) };
                ring.keys.push(generate(broker, state).await?);
            }
            Transition::Activate { kid } => ring.activate(kid, now),
            Transition::Remove { kid } => ring.remove(kid),
        }
    }
    match replace(broker, &ring, Expect::Version(version)).await {
        Ok(()) => {
            tracing::info!(changes = ?due, resealed, "signing_keys.changed");
            Ok(())
        }
        // Another tick was faster, or an administrator.
        Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// How many keys are sealed with the first sealing key now and were not before. One that does not open stays as it is:
/// it may open again when its sealing key is configured again.
fn reseal(broker: &Broker, ring: &mut KeyRing) -> usize {
    let random = &*broker.platform.random;
    let mut resealed = 0;
    for key in &mut ring.keys {
        if let Ok(Some(renewed)) = broker.sealer.renew(random, Purpose::Record, &sealed_place(&key.kid), &key.private) {
            key.private = renewed;
            resealed += 1;
        }
    }
    resealed
}

/// Writes the ring, if it is as it was read.
async fn replace(broker: &Broker, ring: &KeyRing, expect: Expect) -> Result<(), StoreError> {
    let record = key::key_ring();
    broker.platform.store.commit(record.partition(), vec![record.put(ring, expect)?]).await?;
    broker.copies.signing_keys.forget(RING);
    Ok(())
}

/// The same for an administrator.
pub(super) async fn replace_for(
    broker: &Broker,
    change: &Change,
    ring: &KeyRing,
    expect: Expect,
    done: Done<'_>,
) -> Result<(), Error> {
    let record = key::key_ring();
    change.commit(broker, record.partition(), vec![record.put(ring, expect)?], done).await?;
    broker.copies.signing_keys.forget(RING);
    Ok(())
}

/// What the audit log says of a change of the set.
pub(super) fn replaced() -> Done<'static> {
    Done::new(DEPLOYMENT, "/signing-keys".to_owned(), ChangeKind::Replaced)
}

/// A new key of the deployment's algorithm.
async fn generate(broker: &Broker, state: KeyState) -> Result<StoredKey, Error> {
    let pair = broker.platform.crypto.generate(broker.config.signing_algorithm).await?;
    seal(broker, new_id(&*broker.platform.random), &pair, broker.platform.clock.now(), state)
}

/// A key as it is stored.
pub(super) fn seal(
    broker: &Broker,
    kid: String,
    pair: &PrivateKey,
    created_at: Timestamp,
    state: KeyState,
) -> Result<StoredKey, Error> {
    let encoded = URL_SAFE_NO_PAD.encode(pair.pkcs8.expose());
    let random = &*broker.platform.random;
    let private = broker.sealer.seal(random, Purpose::Record, &sealed_place(&kid), encoded.as_bytes())?;
    let public = jwk::published(pair.public.material(), pair.algorithm, &kid);
    let public = public.ok_or(Error::bug("a key of an algorithm that we do not sign with"))?;
    Ok(StoredKey { kid, algorithm: pair.algorithm, public, private, created_at, state: Some(state) })
}
