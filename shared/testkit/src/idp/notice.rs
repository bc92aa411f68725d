//! What the provider tells relying parties of its own accord: signed notices, such as logout tokens.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use serde_json::{Value, json};
use vestibule_core::platform::CryptoError;

use super::FakeOidcIdp;
use super::signer::{NamedKey, signing_input};

impl FakeOidcIdp {
    /// A notice with this `typ`, if it has one, signed with the provider's key.
    pub async fn notice(&self, typ: Option<&str>, claims: &Value) -> Result<String, CryptoError> {
        let NamedKey { kid, key } = self.state().signing.clone();
        let mut header = json!({ "alg": key.algorithm.name(), "kid": kid });
        if let (Some(members), Some(typ)) = (header.as_object_mut(), typ) {
            members.insert("typ".to_owned(), json!(typ));
        }
        let input = signing_input(&header, claims);
        let signature = self.crypto.sign(&key, input.as_bytes()).await?;
        Ok(format!("{input}.{}", BASE64URL.encode(signature)))
    }

    /// What the provider calls somebody.
    pub fn subject_of(&self, username: &str) -> Option<String> {
        self.account(username).map(|account| account.subject)
    }

    /// The claims of a logout token for `audience`, good for two minutes (OpenID Connect Back-Channel Logout 1.0 §2.4),
    /// without `sub` and `sid`.
    pub fn logout_claims(&self, audience: &str, name: &str) -> Value {
        let now = self.clock.now().seconds();
        json!({
            "iss": self.issuer, "aud": audience, "iat": now, "exp": now + 120, "jti": name,
            "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
        })
    }
}
