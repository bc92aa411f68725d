//! `private_key_jwt` as a strict provider checks it (RFC 7523 §3): signature, `iss`, `sub`, `aud`, life, once.

use serde_json::Value;
use vestibule_protocol::jose::{Compact, PublicKey};

use super::FakeOidcIdp;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

impl FakeOidcIdp {
    /// The keys with which clients may sign: those of a key set, as a client publishes it.
    pub fn trust_keys(&self, jwks: &Value) {
        let keys = jwks.get("keys").and_then(Value::as_array).into_iter().flatten();
        let keys = keys.filter_map(|key| serde_json::from_value(key.clone()).ok());
        self.state().client_keys = keys.filter_map(|jwk| PublicKey::from_jwk(&jwk).ok()).collect();
    }

    /// The claims of the last assertion that was good.
    pub fn last_assertion(&self) -> Option<Value> {
        self.state().last_assertion.clone()
    }

    /// The client that an assertion proves to come from.
    pub(super) async fn check_assertion(&self, kind: &str, assertion: &str) -> Result<String, &'static str> {
        const REFUSED: &str = "invalid_client";
        let parsed = Compact::parse(assertion).map_err(|_| REFUSED)?;
        let keys = self.state().client_keys.clone();
        let key = keys.iter().find(|key| key.allows(parsed.algorithm) && key.kid() == parsed.kid.as_deref());
        let key = key.filter(|_| kind == ASSERTION_TYPE).ok_or(REFUSED)?;
        self.crypto.verify(key, parsed.algorithm, parsed.input, &parsed.signature).await.map_err(|_| REFUSED)?;
        let claims: Value = serde_json::from_slice(&parsed.payload).map_err(|_| REFUSED)?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let time = |name: &str| claims.get(name).and_then(Value::as_i64).unwrap_or_default();
        let now = self.clock.now().seconds();
        let client = text("iss");
        let for_us = [self.issuer.clone(), format!("{}/token", self.issuer)].contains(&text("aud"));
        let alive = time("exp") > now && time("exp") <= now + 300 && time("iat") <= now + 60;
        let fresh = text("jti").len() >= 16 && self.state().used_assertions.insert(text("jti"));
        if text("sub") != client || !for_us || !alive || !fresh {
            return Err(REFUSED);
        }
        self.state().last_assertion = Some(claims);
        Ok(client)
    }
}
