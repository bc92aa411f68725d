//! The provider's keys and its ID tokens, honest and otherwise.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use vestibule_core::platform::{CryptoError, PrivateKey};
use vestibule_protocol::jose::{EcCurve, KeyMaterial, PublicKey};

use super::{FakeOidcIdp, Lie};

/// A signing key and its name in the set.
#[derive(Clone)]
pub(super) struct NamedKey {
    pub(super) kid: String,
    pub(super) key: PrivateKey,
}

impl NamedKey {
    /// The public half as a JSON Web Key (RFC 7517 §4).
    pub(super) fn jwk(&self) -> Value {
        let mut jwk = jwk(&self.key.public);
        if let Some(members) = jwk.as_object_mut() {
            members.insert("kid".to_owned(), json!(self.kid));
            members.insert("alg".to_owned(), json!(self.key.algorithm.name()));
            members.insert("use".to_owned(), json!("sig"));
        }
        jwk
    }
}

fn jwk(key: &PublicKey) -> Value {
    let text = |bytes: &Vec<u8>| BASE64URL.encode(bytes);
    match key.material() {
        KeyMaterial::Ec { curve, x, y } => {
            let curve = match curve {
                EcCurve::P256 => "P-256",
                EcCurve::P384 => "P-384",
            };
            json!({ "kty": "EC", "crv": curve, "x": text(x), "y": text(y) })
        }
        KeyMaterial::Rsa { n, e } => json!({ "kty": "RSA", "n": text(n), "e": text(e) }),
        KeyMaterial::Ed25519 { x } => json!({ "kty": "OKP", "crv": "Ed25519", "x": text(x) }),
    }
}

/// `at_hash`: the left half of the access token's SHA-256 (OpenID Connect Core §3.1.3.6).
pub(super) fn access_token_hash(token: &str) -> String {
    let hash = Sha256::digest(token.as_bytes());
    BASE64URL.encode(hash.iter().take(16).copied().collect::<Vec<u8>>())
}

impl FakeOidcIdp {
    /// A statement about a workload, as clouds give them, signed as the lies of the moment demand.
    pub async fn vouch(&self, claims: &Value) -> Result<String, CryptoError> {
        self.sign_id_token(claims).await
    }

    /// An ID token over these claims, signed as the lies of the moment demand.
    pub(super) async fn sign_id_token(&self, claims: &Value) -> Result<String, CryptoError> {
        let NamedKey { kid, key } = self.state().signing.clone();
        if self.lies(Lie::AlgNone) {
            return Ok(format!("{}.", signing_input(&json!({ "alg": "none", "typ": "JWT" }), claims)));
        }
        if self.lies(Lie::HmacWithPublicKey) {
            let input = signing_input(&json!({ "alg": "HS256", "typ": "JWT", "kid": kid }), claims);
            let secret = NamedKey { kid, key }.jwk().to_string();
            let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())
                .map_err(|_| CryptoError::BadKey("an HMAC secret has any length"))?;
            mac.update(input.as_bytes());
            return Ok(format!("{input}.{}", BASE64URL.encode(mac.finalize().into_bytes())));
        }
        let named = if self.lies(Lie::UnknownKid) { "nobody-has-this-key".to_owned() } else { kid };
        let key = if self.lies(Lie::OtherKey) { self.crypto.generate(key.algorithm).await? } else { key };
        let input = signing_input(&json!({ "alg": key.algorithm.name(), "typ": "JWT", "kid": named }), claims);
        let mut signature = self.crypto.sign(&key, input.as_bytes()).await?;
        if self.lies(Lie::DamagedSignature)
            && let Some(byte) = signature.last_mut()
        {
            *byte ^= 1;
        }
        Ok(format!("{input}.{}", BASE64URL.encode(signature)))
    }
}

pub(super) fn signing_input(header: &Value, claims: &Value) -> String {
    format!("{}.{}", BASE64URL.encode(header.to_string()), BASE64URL.encode(claims.to_string()))
}
