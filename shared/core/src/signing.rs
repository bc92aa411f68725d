//! Our signing keys in use: the ring through a read copy, opened once, to sign tokens and to check them again. How keys
//! come and go is [`plan`]'s and [`rotate`]'s.

mod import;
mod jwk;
mod plan;
mod rotate;

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use jsonwebtoken::jwk::JwkSet;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256, Sha512};
use vestibule_protocol::jose::{self, Algorithm, Compact, PublicKey, TokenType};

pub(crate) use import::import;
pub(crate) use plan::kept_until;
pub(crate) use rotate::{remove_now, ring, rotate_now, tick};

use crate::Broker;
use crate::error::Error;
use crate::metadata;
use crate::model::signing::{KeyRing, StoredKey};
use crate::platform::PrivateKey;
use crate::seal::Purpose;
use crate::secret::Secret;
use crate::store::key;

/// The ring, opened: ready to sign and to verify.
pub(crate) struct SigningKeys {
    active: PrivateKey,
    kid: String,
    public: Vec<PublicKey>,
    /// The published set, as JSON: constant bytes between two changes of the ring.
    pub(crate) jwks: Bytes,
    /// The metadata document, which names the keys' algorithms, as JSON.
    pub(crate) metadata: Bytes,
}

/// The name of the only entry among the read copies.
const RING: &str = "ring";

/// The keys, from the read copy, or from the store, or made now. Two tokens that belong together are signed with what
/// one call returned.
pub(crate) async fn keys(broker: &Broker) -> Result<Arc<SigningKeys>, Error> {
    let now = broker.platform.clock.now();
    if let Some(keys) = broker.copies.signing_keys.get(RING, now) {
        return Ok(keys);
    }
    let ring = match key::key_ring().get_copy(&*broker.platform.store).await? {
        Some(stored) => stored.value,
        None => rotate::create(broker).await?,
    };
    let keys = open(broker, &ring)?;
    Ok(broker.copies.signing_keys.keep(RING.to_owned(), keys, now))
}

/// Where a private key is sealed to.
fn sealed_place(kid: &str) -> String {
    format!("keys/{kid}")
}

fn open(broker: &Broker, ring: &KeyRing) -> Result<SigningKeys, Error> {
    let public = ring.keys.iter().map(public_key).collect::<Result<Vec<_>, _>>()?;
    let signer = ring.active().ok_or(Error::bug("the key ring has no active key"))?;
    let encoded = broker.sealer.open(Purpose::Record, &sealed_place(&signer.kid), &signer.private)?;
    let pkcs8 = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| Error::bug("a stored private key is not base64url"))?;
    let active = PrivateKey { algorithm: signer.algorithm, pkcs8: Secret::new(pkcs8), public: public_key(signer)? };
    let set = JwkSet { keys: ring.keys.iter().map(|key| key.public.clone()).collect() };
    let jwks = serde_json::to_string(&set).map_err(|_| Error::bug("the key set does not serialize"))?;
    // In the ring's order, each once: first what signs now.
    let mut algorithms: Vec<&str> = Vec::new();
    for key in &ring.keys {
        if !algorithms.contains(&key.algorithm.name()) {
            algorithms.push(key.algorithm.name());
        }
    }
    let metadata = metadata::render(&broker.config.issuer, &algorithms);
    Ok(SigningKeys { active, kid: signer.kid.clone(), public, jwks: jwks.into(), metadata: metadata.into() })
}

fn public_key(key: &StoredKey) -> Result<PublicKey, Error> {
    PublicKey::from_jwk(&key.public).map_err(|_| Error::bug("a stored public key is not readable"))
}

impl SigningKeys {
    /// Signs `claims` into a token.
    pub(crate) async fn sign(&self, broker: &Broker, typ: TokenType, claims: &impl Serialize) -> Result<String, Error> {
        let mut token = jose::signing_input(self.active.algorithm, typ, &self.kid, claims)
            .map_err(|_| Error::bug("claims do not serialize"))?;
        let signature = broker.platform.crypto.sign(&self.active, token.as_bytes()).await?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    /// `at_hash` for an ID token of these keys: the left half of the hash that the signature algorithm uses (OpenID
    /// Connect Core §3.1.3.6). Ed25519 uses SHA-512 (RFC 8032 §5.1).
    pub(crate) fn token_hash(&self, token: &str) -> String {
        let hash = match self.active.algorithm {
            Algorithm::EdDSA => Sha512::digest(token).to_vec(),
            // The others that we sign with, ES256 and RS256.
            _ => Sha256::digest(token).to_vec(),
        };
        let (half, _) = hash.split_at(hash.len() / 2);
        URL_SAFE_NO_PAD.encode(half)
    }
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
