//! What is kept of a sign-in's answer, so that the provider can be asked again.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use vestibule_protocol::oidc::claims::Claims;
use vestibule_protocol::time::{Seconds, Timestamp};

use crate::model::watch::ProviderTokens;

/// What a provider's answer holds beside what it says of the person.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Kept {
    /// The `sub` of its tokens.
    pub(crate) sub: String,
    /// Which claims it spoke of ([`outline`]).
    pub(crate) outline: String,
    /// What it gave.
    pub(crate) tokens: ProviderTokens,
}

/// Longest token that is kept, in bytes.
const MAX_TOKEN: usize = 8 * 1024;

/// The tokens of an answer, as far as they can be kept: an access token without an end would say nothing when it is refused.
pub(super) fn kept_tokens(
    refresh_token: Option<String>,
    access_token: &str,
    expires_in: Option<Seconds>,
    now: Timestamp,
) -> ProviderTokens {
    let access_ends_at = expires_in.filter(|life| life.0 > 0 && access_token.len() <= MAX_TOKEN).map(|life| now + life);
    ProviderTokens {
        refresh_token: refresh_token.filter(|token| token.len() <= MAX_TOKEN),
        access_token: access_ends_at.map(|_| access_token.to_owned()),
        access_ends_at,
    }
}

/// Claims of a token about itself and its sign-in. A later token may do without them.
const OF_THE_TOKEN: [&str; 13] =
    ["iss", "sub", "aud", "exp", "iat", "nbf", "jti", "nonce", "at_hash", "c_hash", "auth_time", "acr", "amr"];

/// A hash of the names of the claims that these documents have together.
pub(crate) fn outline(id_token: Option<&Claims>, userinfo: Option<&Claims>) -> String {
    let names = [id_token, userinfo].into_iter().flatten().flat_map(Claims::names);
    let names: BTreeSet<&str> = names.filter(|name| !OF_THE_TOKEN.contains(name)).collect();
    let mut hash = Sha256::new();
    for name in names {
        hash.update(name);
        hash.update([0]);
    }
    URL_SAFE_NO_PAD.encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn claims(json: &Value) -> Claims {
        Claims::from(json.as_object().cloned().unwrap())
    }

    #[test]
    fn an_outline_is_of_names_wherever_they_stand() {
        let whole = claims(&json!({ "sub": "1", "iat": 1, "nonce": "n", "email": "a", "groups": [] }));
        let (first, second) = (claims(&json!({ "email": "b" })), claims(&json!({ "sub": "1", "groups": ["x"] })));
        assert_eq!(outline(Some(&whole), None), outline(Some(&first), Some(&second)));
        assert_eq!(outline(None, Some(&whole)), outline(Some(&whole), None));
        for fewer in [&first, &second] {
            assert_ne!(outline(Some(fewer), None), outline(Some(&whole), None));
        }
    }

    #[test]
    fn what_cannot_be_used_is_not_kept() {
        let now = Timestamp::from_seconds(1_000);
        let kept = |refresh: &str, access: &str, life| {
            let tokens = kept_tokens(Some(refresh.to_owned()), access, life, now);
            (tokens.refresh_token.is_some(), tokens.access_token.is_some(), tokens.access_ends_at)
        };
        let long = "x".repeat(MAX_TOKEN + 1);
        assert_eq!(kept("r", "a", Some(Seconds(60))), (true, true, Some(Timestamp::from_seconds(1_060))));
        assert_eq!(kept("r", "a", None), (true, false, None));
        assert_eq!(kept("r", "a", Some(Seconds(0))), (true, false, None));
        assert_eq!(kept(&long, &long, Some(Seconds(60))), (false, false, None));
    }
}
