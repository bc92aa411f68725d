//! The public keys of clients that sign their statements.

use jsonwebtoken::jwk::Jwk;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use vestibule_protocol::jose::PublicKey;

use super::problems::Problems;

/// A JWK set as sent, so that a private member is seen.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeysInput {
    /// The keys.
    pub keys: Vec<Value>,
}

/// The keys of a client that signs. Whatever tells a private key is refused, not dropped: it was shown to us.
pub(super) fn public_keys(problems: &mut Problems, signs: bool, sent: Option<KeysInput>) -> Vec<Jwk> {
    let keys = match (signs, sent) {
        (true, Some(sent)) if (1..=10).contains(&sent.keys.len()) => sent.keys,
        (false, None) => return Vec::new(),
        _ if !problems.is_read("/client_auth") => return Vec::new(),
        (true, _) => {
            problems.add("/jwks", "must have 1 to 10 keys");
            return Vec::new();
        }
        _ => {
            problems.add("/jwks", "is for private_key_jwt only");
            return Vec::new();
        }
    };
    let read = |(index, key)| problems.take(&format!("/jwks/keys/{index}"), public_key(key));
    keys.into_iter().enumerate().filter_map(read).collect()
}

fn public_key(key: Value) -> Result<Jwk, &'static str> {
    if ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|member| key.get(member).is_some()) {
        return Err("is a private or symmetric key: send public keys only, and replace that one");
    }
    let key: Jwk = serde_json::from_value(key).map_err(|_| "is not a JSON Web Key")?;
    PublicKey::from_jwk(&key).map_err(|_| "cannot verify signatures here")?;
    Ok(key)
}
