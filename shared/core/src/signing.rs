//! Our signing keys: made on first use by compare-and-set, kept sealed, used to sign tokens and to check them again.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, EllipticCurve, EllipticCurveKeyParameters, EllipticCurveKeyType, Jwk,
    JwkSet, KeyAlgorithm, PublicKeyUse,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use vestibule_protocol::jose::{self, Algorithm, Compact, EcCurve, KeyMaterial, PublicKey, TokenType};

use crate::Broker;
use crate::error::Error;
use crate::handle::new_id;
use crate::model::signing::{KeyRing, StoredKey};
use crate::platform::PrivateKey;
use crate::seal::Purpose;
use crate::secret::Secret;
use crate::store::{Expect, StoreError, key};

/// The ring, opened: ready to sign and to verify.
pub(crate) struct SigningKeys {
    active: PrivateKey,
    kid: String,
    public: Vec<PublicKey>,
    /// The published set, as JSON: constant bytes between two rotations.
    pub(crate) jwks: Bytes,
}

/// The name of the only entry among the read copies.
const RING: &str = "ring";

/// The keys, from the read copy, or from the store, or made now.
pub(crate) async fn keys(broker: &Broker) -> Result<Arc<SigningKeys>, Error> {
    let now = broker.platform.clock.now();
    if let Some(keys) = broker.copies.signing_keys.get(RING, now) {
        return Ok(keys);
    }
    let store = &*broker.platform.store;
    let ring = match key::key_ring().get_copy(store).await? {
        Some(stored) => stored.value,
        None => create(broker).await?,
    };
    let keys = open(broker, &ring)?;
    Ok(broker.copies.signing_keys.keep(RING.to_owned(), keys, now))
}

/// Makes the first key. Of any number of processes that start at once, one wins; the others use its key.
async fn create(broker: &Broker) -> Result<KeyRing, Error> {
    let platform = &broker.platform;
    let pair = platform.crypto.generate(Algorithm::ES256).await?;
    let kid = new_id(&*platform.random);
    let encoded = URL_SAFE_NO_PAD.encode(pair.pkcs8.expose());
    let private = broker.sealer.seal(&*platform.random, Purpose::Record, &sealed_place(&kid), encoded.as_bytes())?;
    let public = to_jwk(&pair.public, &kid)?;
    let created_at = platform.clock.now();
    let ring = KeyRing { keys: vec![StoredKey { kid, algorithm: Algorithm::ES256, public, private, created_at }] };
    let record = key::key_ring();
    match platform.store.commit(record.partition(), vec![record.put(&ring, Expect::Absent)?]).await {
        Ok(()) => Ok(ring),
        Err(StoreError::Conflict) => {
            let winner = record.get(&*platform.store).await?;
            winner.map(|stored| stored.value).ok_or(Error::bug("the key ring vanished"))
        }
        Err(error) => Err(error.into()),
    }
}

fn sealed_place(kid: &str) -> String {
    format!("keys/{kid}")
}

fn open(broker: &Broker, ring: &KeyRing) -> Result<SigningKeys, Error> {
    let public = ring
        .keys
        .iter()
        .map(|key| PublicKey::from_jwk(&key.public).map_err(|_| Error::bug("a stored public key is not readable")))
        .collect::<Result<Vec<_>, _>>()?;
    let (first, active) = ring.keys.first().zip(public.first()).ok_or(Error::bug("the key ring is empty"))?;
    let encoded = broker.sealer.open(Purpose::Record, &sealed_place(&first.kid), &first.private)?;
    let pkcs8 = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| Error::bug("a stored private key is not base64url"))?;
    let active = PrivateKey { algorithm: first.algorithm, pkcs8: Secret::new(pkcs8), public: active.clone() };
    let set = JwkSet { keys: ring.keys.iter().map(|key| key.public.clone()).collect() };
    let jwks = serde_json::to_string(&set).map_err(|_| Error::bug("the key set does not serialize"))?;
    Ok(SigningKeys { active, kid: first.kid.clone(), public, jwks: jwks.into() })
}

/// A public key as published. Only what we generate has to be expressed.
fn to_jwk(public: &PublicKey, kid: &str) -> Result<Jwk, Error> {
    let KeyMaterial::Ec { curve: EcCurve::P256, x, y } = public.material() else {
        return Err(Error::bug("a generated key is not on P-256"));
    };
    Ok(Jwk {
        common: CommonParameters {
            public_key_use: Some(PublicKeyUse::Signature),
            key_algorithm: Some(KeyAlgorithm::ES256),
            key_id: Some(kid.to_owned()),
            ..CommonParameters::default()
        },
        algorithm: AlgorithmParameters::EllipticCurve(EllipticCurveKeyParameters {
            key_type: EllipticCurveKeyType::EC,
            curve: EllipticCurve::P256,
            x: URL_SAFE_NO_PAD.encode(x),
            y: URL_SAFE_NO_PAD.encode(y),
        }),
    })
}

/// Signs `claims` into a token.
pub(crate) async fn sign(broker: &Broker, typ: TokenType, claims: &impl Serialize) -> Result<String, Error> {
    let keys = keys(broker).await?;
    let mut token = jose::signing_input(keys.active.algorithm, typ, &keys.kid, claims)
        .map_err(|_| Error::bug("claims do not serialize"))?;
    let signature = broker.platform.crypto.sign(&keys.active, token.as_bytes()).await?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Ok(token)
}

/// The claims of a token of ours, or `None` for anything that we did not sign as this type. Says nothing of the
/// claims themselves: expiry and audience are the caller's.
pub(crate) async fn verify<T: DeserializeOwned>(
    broker: &Broker,
    typ: TokenType,
    token: &str,
) -> Result<Option<T>, Error> {
    let Ok(parsed) = Compact::parse(token) else { return Ok(None) };
    if parsed.check_type(typ).is_err() {
        return Ok(None);
    }
    let keys = keys(broker).await?;
    let key = keys.public.iter().find(|key| key.kid() == parsed.kid.as_deref() && key.allows(parsed.algorithm));
    let Some(key) = key else { return Ok(None) };
    let verified = broker.platform.crypto.verify(key, parsed.algorithm, parsed.input, &parsed.signature).await;
    Ok(verified.is_ok().then(|| serde_json::from_slice(&parsed.payload).ok()).flatten())
}
