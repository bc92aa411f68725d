//! Claims as they are shown to an administrator: everything that was said of the person, and nothing that could be used.
//! What binds a token to one login, and whatever is a token or a secret itself, stays out.

use serde_json::{Map, Value};

use super::claims::Claims;

/// What binds a token to its login or to another token (OpenID Connect Core §2, §3.3.2.11). It says nothing of a person.
const BINDINGS: [&str; 4] = ["nonce", "at_hash", "c_hash", "s_hash"];
/// Members that hold what can be used, wherever they are: in `_claim_sources`, say (Core §5.6.2).
const SECRETS: [&str; 7] =
    ["access_token", "refresh_token", "id_token", "jwt", "client_secret", "client_assertion", "password"];
/// How much is shown of one source, in bytes of JSON. A person may be in very many groups.
const MAX_SHOWN: usize = 64 * 1024;
/// How deep is looked. What lies deeper is not shown.
const MAX_DEPTH: usize = 16;

const NOT_SHOWN: &str = "(not shown)";
const TOO_LARGE: &str = "(too large to be shown)";

/// What is shown of them.
pub fn shown(claims: &Claims) -> Map<String, Value> {
    let mut left = MAX_SHOWN;
    let mut all = Map::new();
    for name in claims.names().filter(|name| !BINDINGS.contains(name)) {
        let value = claims.get(name).map(|value| member(name, value, MAX_DEPTH)).unwrap_or_default();
        let size = name.len() + value.to_string().len();
        let fits = size <= left;
        left = left.saturating_sub(if fits { size } else { name.len() + TOO_LARGE.len() });
        if !fits && left == 0 {
            break;
        }
        all.insert(name.to_owned(), if fits { value } else { TOO_LARGE.into() });
    }
    all
}

fn member(name: &str, value: &Value, depth: usize) -> Value {
    let secret = SECRETS.iter().any(|secret| name.eq_ignore_ascii_case(secret));
    if secret { NOT_SHOWN.into() } else { harmless(value, depth) }
}

fn harmless(value: &Value, depth: usize) -> Value {
    let Some(deeper) = depth.checked_sub(1) else { return NOT_SHOWN.into() };
    match value {
        Value::String(text) if is_token(text) => NOT_SHOWN.into(),
        Value::Array(values) => values.iter().map(|value| harmless(value, deeper)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), member(name, value, deeper))).collect()
        }
        plain => plain.clone(),
    }
}

/// Whether this is a signed or encrypted token in compact form (RFC 7515 §7.1, RFC 7516 §7.1): its header is an object.
fn is_token(text: &str) -> bool {
    let parts = text.split('.').count();
    text.trim_start().starts_with("eyJ") && (parts == 3 || parts == 5)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(claims: &Value) -> Value {
        Value::Object(shown(&Claims::parse(claims.to_string().as_bytes()).unwrap()))
    }

    #[test]
    fn what_is_said_of_a_person_is_shown_as_it_is() {
        let claims = json!({
            "sub": "s", "email": "a@b.example", "groups": ["a", "b"], "n": 1.5, "none": null, "address": {"x": {"y": [1]}},
            "https://claims.example/a.b": true, "eyJust": "eyJust a name", "version": "eyJ.1",
        });
        assert_eq!(of(&claims), claims);
    }

    #[test]
    fn what_can_be_used_is_not_shown() {
        let claims = json!({
            "nonce": "n", "at_hash": "h", "c_hash": "h", "s_hash": "h", "access_token": "t", "Refresh_Token": ["t"],
            "_claim_sources": {"a": {"endpoint": "https://x.example", "access_token": "t"}, "b": {"JWT": "j"}},
            "tokens": ["eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJSU0EifQ.a.b.c.d"],
        });
        let expected = json!({
            "access_token": NOT_SHOWN, "Refresh_Token": NOT_SHOWN, "tokens": [NOT_SHOWN, NOT_SHOWN],
            "_claim_sources": {"a": {"endpoint": "https://x.example", "access_token": NOT_SHOWN}, "b": {"JWT": NOT_SHOWN}},
        });
        assert_eq!(of(&claims), expected);
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(60), "]".repeat(60));
        let claims = Claims::parse(deep.as_bytes()).unwrap();
        assert!(Value::Object(shown(&claims)).to_string().contains(NOT_SHOWN));
    }

    #[test]
    fn what_is_shown_has_a_bound() {
        let claims = json!({"a": "x".repeat(MAX_SHOWN), "b": "y", "c": vec!["z"; 20_000]});
        assert_eq!(of(&claims), json!({"a": TOO_LARGE, "b": "y", "c": TOO_LARGE}));
        let many: Map<String, Value> = (0..50_000).map(|number| (number.to_string(), json!("x".repeat(50)))).collect();
        assert!(of(&Value::Object(many)).to_string().len() < 2 * MAX_SHOWN);
    }
}
