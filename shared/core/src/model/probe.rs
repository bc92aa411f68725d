//! The status probe of a connection: where it can be asked whether a person is active, and how the answer reads.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;
use vestibule_protocol::mapping::path::ClaimPath;
use vestibule_protocol::oidc::claims::Claims;

use super::connection::UpstreamClientAuth;
use crate::seal::Sealed;

/// A status probe, with what it needs to be let in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusProbe {
    /// Everything that is no secret.
    #[serde(flatten)]
    pub settings: ProbeSettings,
    /// Our secret, sealed for this connection.
    #[serde(default)]
    pub client_secret: Option<Sealed>,
    /// A refresh token of an administrator's, sealed for this connection.
    #[serde(default)]
    pub refresh_token_secret: Option<Sealed>,
}

/// What a status probe asks, and how it reads the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProbeSettings {
    /// The address to get, with `{subject}`, `{email}`, `{user_name}` or `{external_id}` in its path or query.
    pub url: String,
    /// Where access tokens for it come from.
    pub token_endpoint: Url,
    /// Our name there.
    pub client_id: String,
    /// How we prove who we are there.
    pub client_auth: UpstreamClientAuth,
    /// The scope to ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The audience to ask for, where the token endpoint wants one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// Where in the answer the status is: its name, a dotted path, or JSONPath.
    pub path: ClaimPath,
    /// The values that mean that the person is active; every other then means that they are not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub active: Vec<String>,
    /// The values that mean that they are not; every other then means that they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inactive: Vec<String>,
    /// What an answer without a status means.
    #[serde(default)]
    pub missing: Reading,
    /// What it means that there is nobody at the address (404).
    #[serde(default)]
    pub not_found: Reading,
}

/// What an answer says of a person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// Nothing.
    #[default]
    Unknown,
    /// They are active.
    Active,
    /// They are not.
    Inactive,
}

/// The places in an address, and what stands there of a person.
pub const PLACES: [&str; 4] = ["{subject}", "{email}", "{user_name}", "{external_id}"];

impl ProbeSettings {
    /// What an answer of status 200 says. Several values, or none that is a text, a number, true or false, say nothing.
    pub fn read(&self, answer: &Claims) -> Reading {
        let value = match self.path.find(answer).as_slice() {
            [] => return self.missing,
            [Value::String(text)] => text.clone(),
            [value @ (Value::Bool(_) | Value::Number(_))] => value.to_string(),
            _ => return Reading::Unknown,
        };
        let is_active =
            if self.active.is_empty() { !self.inactive.contains(&value) } else { self.active.contains(&value) };
        if is_active { Reading::Active } else { Reading::Inactive }
    }

    /// The address for a person, of whom `part` says what stands at a place. None when something is not known, or would lead
    /// somewhere else.
    pub fn address(&self, part: impl Fn(&str) -> Option<String>) -> Option<String> {
        let mut address = self.url.clone();
        for place in PLACES {
            if address.contains(place) {
                // A dot or two as a whole are steps in a path.
                let part = part(place).filter(|part| !matches!(part.as_str(), "" | "." | ".."))?;
                address = address.replace(place, &escaped(&part));
            }
        }
        Some(address)
    }
}

/// A text as one segment of a path, or one value in a query (RFC 3986 §2.3).
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => escaped.push(char::from(byte)),
            // Writing to a String does not fail.
            byte => drop(write!(escaped, "%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn probe(members: &Value) -> ProbeSettings {
        let mut probe = json!({
            "url": "https://api.example/users/{subject}?fields=a&by={email}", "token_endpoint": "https://api.example/t",
            "client_id": "c", "client_auth": "client_secret_post", "path": "a.b", "inactive": ["false", "7"],
        });
        probe.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        serde_json::from_value(probe).unwrap()
    }

    fn read(probe: &ProbeSettings, value: &Value) -> Reading {
        probe.read(&Claims::from(json!({ "a": { "b": value } }).as_object().unwrap().clone()))
    }

    #[test]
    fn a_status_is_one_value() {
        let by_inactive = probe(&json!({}));
        for (value, reading) in [
            (json!(false), Reading::Inactive),
            (json!(7), Reading::Inactive),
            (json!("false"), Reading::Inactive),
            (json!(true), Reading::Active),
            (json!("gone"), Reading::Active),
            (json!([false]), Reading::Unknown),
            (json!({ "x": false }), Reading::Unknown),
            (json!(null), Reading::Unknown),
        ] {
            assert_eq!(read(&by_inactive, &value), reading, "{value}");
        }
        let by_active = probe(&json!({ "active": ["ACTIVE"], "inactive": [], "missing": "inactive" }));
        assert_eq!(read(&by_active, &json!("ACTIVE")), Reading::Active);
        assert_eq!(read(&by_active, &json!("active")), Reading::Inactive);
        assert_eq!(read(&by_active, &json!(null)), Reading::Inactive, "null is missing");
    }

    #[test]
    fn a_person_stands_in_one_place_of_an_address() {
        let probe = probe(&json!({}));
        let address =
            |subject: &str| probe.address(|place| Some(if place == "{email}" { "a+b@x" } else { subject }.into()));
        assert_eq!(
            address("a/b c?d#é").as_deref(),
            Some("https://api.example/users/a%2Fb%20c%3Fd%23%C3%A9?fields=a&by=a%2Bb%40x")
        );
        for wrong in ["", ".", ".."] {
            assert_eq!(address(wrong), None, "{wrong}");
        }
        assert_eq!(
            probe.address(|place| (place == "{email}").then(|| "a".to_owned())),
            None,
            "the subject is not known"
        );
    }
}
