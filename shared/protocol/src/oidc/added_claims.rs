//! Claims about a person that somebody else than their identity provider adds, and the names that are not theirs to set.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Most claims that can be added.
const MAX_CLAIMS: usize = 20;
/// Most bytes of all of them, as JSON: they travel in tokens, and tokens in cookies.
const MAX_BYTES: usize = 2_048;

/// Added claims within their bounds, none of them reserved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AddedClaims(Map<String, Value>);

impl AddedClaims {
    /// Takes claims over, all or none; the error names the rule that one breaks.
    pub fn new(claims: Map<String, Value>) -> Result<Self, &'static str> {
        if claims.len() > MAX_CLAIMS {
            return Err("more than 20 claims");
        }
        if serde_json::to_vec(&claims).map_or(true, |json| json.len() > MAX_BYTES) {
            return Err("more than 2048 bytes of claims");
        }
        for (name, value) in &claims {
            if !is_name(name) {
                return Err("a claim's name has characters that it may not have");
            }
            if is_protocols(name) || is_providers(name) {
                return Err("a claim is not one that can be added");
            }
            if value.is_null() {
                return Err("a claim has no value");
            }
        }
        Ok(Self(claims))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One of them.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

/// Whether a text can name a claim here: 1 to 64 letters, digits and `_-.:/`.
pub fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:/".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(plain)
}

/// Whether a claim is the protocols' or ours: what tokens mean rests on it. However it is written: some readers do not
/// tell `Sub` from `sub`.
pub fn is_protocols(name: &str) -> bool {
    const NAMES: [&str; 32] = [
        "iss",
        "sub",
        "aud",
        "exp",
        "nbf",
        "iat",
        "jti",
        "azp",
        "nonce",
        "auth_time",
        "acr",
        "amr",
        "at_hash",
        "c_hash",
        "s_hash",
        "sid",
        "typ",
        "client_id",
        "scope",
        "tenant",
        "status",
        "cnf",
        "act",
        "may_act",
        "events",
        "sub_id",
        "sub_jwk",
        "active",
        "token_type",
        "authorization_details",
        "_claim_names",
        "_claim_sources",
    ];
    NAMES.iter().any(|reserved| reserved.eq_ignore_ascii_case(name))
}

/// Whether a claim is the identity provider's word about the person, or ours about how they came.
pub fn is_providers(name: &str) -> bool {
    PROVIDERS.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// The claims that come from the identity provider, and the connection that the person came through.
pub const PROVIDERS: [&str; 9] = [
    "email",
    "email_verified",
    "name",
    "given_name",
    "family_name",
    "preferred_username",
    "groups",
    "groups_overage",
    "connection",
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn taken(claims: &Value) -> Result<AddedClaims, &'static str> {
        AddedClaims::new(claims.as_object().cloned().unwrap_or_default())
    }

    #[test]
    fn claims_of_their_own_are_taken_as_they_are() {
        let claims = json!({ "roles": ["admin", 1], "https://corp.example/level": 3, "x": { "y": null }, "z": false });
        let added = taken(&claims).unwrap();
        assert_eq!(added.get("roles"), Some(&json!(["admin", 1])));
        assert_eq!(added.iter().count(), 4);
        assert!(taken(&json!({})).unwrap().is_empty());
    }

    /// What a token means cannot be changed by adding to it.
    #[test]
    fn reserved_and_malformed_claims_are_refused() {
        for name in ["iss", "sub", "SUB", "Aud", "exp", "sid", "tenant", "scope", "nonce", "acr", "cnf", "client_id"] {
            assert!(taken(&json!({ name: "x" })).is_err() && is_protocols(name), "{name}");
        }
        for name in ["email", "Email_Verified", "groups", "name", "connection"] {
            assert!(taken(&json!({ name: true })).is_err() && !is_protocols(name), "{name}");
        }
        for name in ["", " ", "a b", "ä", "a\n", "\"", &"x".repeat(65)] {
            assert!(taken(&json!({ name: 1 })).is_err(), "{name:?}");
        }
        assert!(taken(&json!({ "x": null })).is_err());
    }

    #[test]
    fn they_are_bounded() {
        let many = |count: usize| Value::Object((0..count).map(|at| (format!("c{at}"), json!(1))).collect());
        assert!(taken(&many(20)).is_ok() && taken(&many(21)).is_err());
        assert!(
            taken(&json!({ "x": "y".repeat(2_040) })).is_ok() && taken(&json!({ "x": "y".repeat(2_041) })).is_err()
        );
    }
}
