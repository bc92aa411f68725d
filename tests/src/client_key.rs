//! An application that proves who it is by signing (`private_key_jwt`).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use serde_json::{Value, json};
use vestibule_core::platform::PrivateKey;
use vestibule_protocol::jose::{Algorithm, KeyMaterial};

use crate::platform::{clock, crypto, unique};

/// The parameter that says how.
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// An application's signing key.
pub struct ClientKey {
    kid: String,
    key: PrivateKey,
}

impl ClientKey {
    /// A new one.
    pub async fn new() -> Self {
        Self { kid: unique("key"), key: crypto().generate(Algorithm::ES256).await.expect("a key") }
    }

    /// The public half, as registered.
    pub fn jwk(&self) -> Value {
        let KeyMaterial::Ec { x, y, .. } = self.key.public.material() else { panic!("an ES256 key") };
        let (x, y) = (BASE64URL.encode(x), BASE64URL.encode(y));
        json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": self.kid, "alg": "ES256", "use": "sig" })
    }

    /// What an honest application says about itself, for half a minute.
    pub fn claims(client: &str, audience: &str) -> Value {
        let now = clock().now().seconds();
        json!({
            "iss": client, "sub": client, "aud": audience, "jti": unique("jti"), "iat": now, "exp": now + 30,
        })
    }

    /// Signs claims.
    pub async fn sign(&self, claims: &Value) -> String {
        self.sign_with(&json!({ "alg": "ES256", "kid": self.kid }), claims).await
    }

    /// Signs claims under another header.
    pub async fn sign_with(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| BASE64URL.encode(value.to_string());
        let input = format!("{}.{}", part(header), part(claims));
        let signature = crypto().sign(&self.key, input.as_bytes()).await.expect("a signature");
        format!("{input}.{}", BASE64URL.encode(signature))
    }
}
