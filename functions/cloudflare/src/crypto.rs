//! `Crypto` over WebCrypto. Keys are imported once for an isolate: importing costs more than a signature.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::Hash;

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use js_sys::Uint8Array;
use send_wrapper::SendWrapper;
use serde_json::json;
use vestibule_core::platform::{Crypto, CryptoError, PrivateKey};
use vestibule_core::secret::Secret;
use vestibule_protocol::jose::{Algorithm, EcCurve, KeyId, KeyMaterial, PublicKey};
use vestibule_protocol::saml::OaepHash;
use wasm_bindgen::{JsCast, JsValue};

use crate::host;

/// Keys of each kind that an isolate keeps imported. When they are as many, all go.
const MOST: usize = 256;

/// Signatures by the runtime.
#[derive(Default)]
pub(crate) struct WebCrypto {
    /// By PKCS #8: two halves that somebody brings along need not belong together.
    private: Imported<Vec<u8>>,
    /// An RSA key is imported for one hash, so the algorithm is part of the name.
    public: Imported<(KeyId, Algorithm)>,
    /// For RSA-OAEP too a key is imported for one hash.
    decrypting: Imported<(Vec<u8>, OaepHash)>,
}

struct Imported<K>(SendWrapper<RefCell<HashMap<K, JsValue>>>);

impl<K> Default for Imported<K> {
    fn default() -> Self {
        Self(SendWrapper::new(RefCell::default()))
    }
}

impl<K: Eq + Hash> Imported<K> {
    fn get(&self, name: &K) -> Option<JsValue> {
        self.0.borrow().get(name).cloned()
    }

    fn keep(&self, name: K, key: JsValue) -> JsValue {
        let mut keys = self.0.borrow_mut();
        if keys.len() >= MOST {
            keys.clear();
        }
        keys.insert(name, key.clone());
        key
    }
}

impl WebCrypto {
    async fn private(&self, key: &PrivateKey) -> Result<JsValue, CryptoError> {
        if let Some(imported) = self.private.get(key.pkcs8.expose()) {
            return Ok(imported);
        }
        let imported = host::import_private(key.algorithm.name(), key.pkcs8.expose()).await;
        let imported = imported.map_err(|_| CryptoError::BadKey("the private key cannot be imported"))?;
        Ok(self.private.keep(key.pkcs8.expose().clone(), imported))
    }

    async fn public(&self, key: &PublicKey, algorithm: Algorithm) -> Result<JsValue, CryptoError> {
        let name = (key.id(), algorithm);
        if let Some(imported) = self.public.get(&name) {
            return Ok(imported);
        }
        let imported = host::import_public(algorithm.name(), &jwk(key.material())).await;
        let imported = imported.map_err(|_| CryptoError::BadKey("the public key cannot be imported"))?;
        Ok(self.public.keep(name, imported))
    }
}

#[async_trait]
impl Crypto for WebCrypto {
    async fn generate(&self, algorithm: Algorithm) -> Result<PrivateKey, CryptoError> {
        if !matches!(algorithm, Algorithm::ES256 | Algorithm::RS256 | Algorithm::EdDSA) {
            return Err(CryptoError::Unsupported(algorithm));
        }
        let pair = SendWrapper::new(host::generate(algorithm.name())).await.map_err(|error| platform(&error))?;
        let (pkcs8, jwk) = (bytes(pair.get(0)), pair.get(1).as_string().unwrap_or_default());
        let unreadable = |_| CryptoError::Platform("the new public key is not readable".to_owned());
        let public = PublicKey::parse(&jwk).map_err(unreadable)?;
        let public = PublicKey::new(public.material().clone(), None, Some(algorithm));
        Ok(PrivateKey { algorithm, pkcs8: Secret::new(pkcs8), public })
    }

    async fn sign(&self, key: &PrivateKey, input: &[u8]) -> Result<Vec<u8>, CryptoError> {
        SendWrapper::new(async {
            let imported = self.private(key).await?;
            let signature = host::sign(key.algorithm.name(), &imported, input).await;
            Ok(Uint8Array::new(&signature.map_err(|error| platform(&error))?.into()).to_vec())
        })
        .await
    }

    async fn verify(
        &self,
        key: &PublicKey,
        algorithm: Algorithm,
        input: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        SendWrapper::new(async {
            let imported = self.public(key, algorithm).await?;
            let valid = host::verify(algorithm.name(), &imported, input, signature).await;
            match valid.map_err(|error| platform(&error))?.as_bool() {
                Some(true) => Ok(()),
                _ => Err(CryptoError::BadSignature),
            }
        })
        .await
    }

    async fn decrypt(&self, key: &PrivateKey, hash: OaepHash, input: &[u8]) -> Result<Secret<Vec<u8>>, CryptoError> {
        SendWrapper::new(async {
            let name = (key.pkcs8.expose().clone(), hash);
            let imported = if let Some(imported) = self.decrypting.get(&name) {
                imported
            } else {
                let hash = match hash {
                    OaepHash::Sha1 => "SHA-1",
                    OaepHash::Sha256 => "SHA-256",
                };
                let imported = host::import_decrypting(hash, &name.0).await;
                let imported = imported.map_err(|_| CryptoError::BadKey("the private key cannot be imported"))?;
                self.decrypting.keep(name, imported)
            };
            let plain = host::decrypt(&imported, input).await.map_err(|_| CryptoError::BadCiphertext)?;
            Ok(Secret::new(Uint8Array::new(&plain.into()).to_vec()))
        })
        .await
    }
}

/// A public key as WebCrypto imports it (RFC 7517). Whether it fits the algorithm was checked before.
fn jwk(material: &KeyMaterial) -> String {
    let text = |bytes: &Vec<u8>| URL_SAFE_NO_PAD.encode(bytes);
    match material {
        KeyMaterial::Ec { curve: EcCurve::P256, x, y } => {
            json!({"kty": "EC", "crv": "P-256", "x": text(x), "y": text(y)})
        }
        KeyMaterial::Ec { curve: EcCurve::P384, x, y } => {
            json!({"kty": "EC", "crv": "P-384", "x": text(x), "y": text(y)})
        }
        KeyMaterial::Rsa { n, e } => json!({"kty": "RSA", "n": text(n), "e": text(e)}),
        KeyMaterial::Ed25519 { x } => json!({"kty": "OKP", "crv": "Ed25519", "x": text(x)}),
    }
    .to_string()
}

fn bytes(value: JsValue) -> Vec<u8> {
    value.dyn_into::<Uint8Array>().map(|array| array.to_vec()).unwrap_or_default()
}

fn platform(error: &JsValue) -> CryptoError {
    CryptoError::Platform(host::message(error))
}
