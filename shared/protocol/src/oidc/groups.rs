//! The groups that a provider says a person is in, and how it says that they are too many to send.
//!
//! Entra leaves the list out above some 200 groups and points elsewhere: `_claim_names` (OpenID Connect Core §5.6.2) in
//! an ID token, `hasgroups` or `groups:src1` where room is short. Taking that for "no groups" would take rights away
//! without a word, or skip a rule that names a group.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::claims::Claims;
use crate::mapping::path::ClaimPath;

/// What is known of a person's groups.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", content = "names", rename_all = "snake_case")]
pub enum Groups {
    /// The provider said nothing of groups.
    #[default]
    NotSent,
    /// These, as the provider names them.
    Known(Vec<String>),
    /// There are more than were sent, or than are kept. Which ones is not known.
    Overage,
}

/// As many names are kept.
pub const MAX_GROUPS: usize = 1_000;
/// All names together may have so many bytes: they are kept with the person.
pub const MAX_GROUP_BYTES: usize = 48 * 1024;

impl Groups {
    /// Reads what is at `path`.
    pub fn of(claims: &Claims, path: &ClaimPath) -> Self {
        let found = path.find(claims);
        let values: Vec<&Value> = match found.as_slice() {
            [Value::Array(values)] => values.iter().collect(),
            // Some providers send a single group as text.
            [Value::String(_)] => found,
            [] | [_] if is_elsewhere(claims, path.as_str()) => return Self::Overage,
            [] | [_] => return Self::NotSent,
            several => several.iter().flat_map(|value| elements(value)).collect(),
        };
        let names: Vec<String> = values.iter().filter_map(|value| value.as_str()).map(str::to_owned).collect();
        let bytes: usize = names.iter().map(String::len).sum();
        // An entry that is no name, or more than can be kept: part of a list is not the list.
        if names.len() < values.len() || names.len() > MAX_GROUPS || bytes > MAX_GROUP_BYTES {
            Self::Overage
        } else {
            Self::Known(names)
        }
    }

    /// The better of two answers: a list over a hint that there is one, anything over nothing.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::Known(_), _) | (_, Self::NotSent) | (Self::Overage, Self::Overage) => self,
            (Self::NotSent | Self::Overage, _) => other,
        }
    }
}

fn elements(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

fn is_elsewhere(claims: &Claims, name: &str) -> bool {
    is_sent_elsewhere(claims, name) || claims.flag("hasgroups") == Some(true)
}

/// Whether claims say that this one is to be fetched elsewhere. Entra's `hasgroups` is about `groups`.
pub(crate) fn is_sent_elsewhere(claims: &Claims, name: &str) -> bool {
    let aggregated = claims.get("_claim_names").is_some_and(|names| names.get(name).is_some());
    let source = format!("{name}:src");
    let hinted = name == "groups" && claims.flag("hasgroups") == Some(true);
    aggregated || hinted || claims.names().any(|claim| claim.starts_with(&source))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(json: &str) -> Groups {
        Groups::of(&Claims::parse(json.as_bytes()).unwrap(), &"groups".parse().unwrap())
    }

    fn known(names: &[&str]) -> Groups {
        Groups::Known(names.iter().map(|name| (*name).to_owned()).collect())
    }

    /// RP-9
    #[test]
    fn overage_is_never_an_empty_list() {
        for json in [
            r#"{"_claim_names":{"groups":"src1"},"_claim_sources":{"src1":{"endpoint":"https://graph.example"}}}"#,
            r#"{"hasgroups":true}"#,
            r#"{"hasgroups":"true"}"#,
            r#"{"groups:src1":"https://graph.example"}"#,
            r#"{"groups":["a",{"id":1}]}"#,
        ] {
            assert_eq!(groups(json), Groups::Overage, "{json}");
        }
        let many = serde_json::json!({ "groups": vec!["x"; MAX_GROUPS + 1] }).to_string();
        assert_eq!(groups(&many), Groups::Overage);
        let long = serde_json::json!({ "groups": vec!["x".repeat(1024); 49] }).to_string();
        assert_eq!(groups(&long), Groups::Overage);
    }

    #[test]
    fn what_was_sent_is_known_and_what_was_not_is_not() {
        assert_eq!(groups(r#"{"groups":["a","b"]}"#), known(&["a", "b"]));
        assert_eq!(groups(r#"{"groups":"a"}"#), known(&["a"]));
        assert_eq!(groups(r#"{"groups":[]}"#), known(&[]));
        for json in ["{}", r#"{"groups":null}"#, r#"{"hasgroups":false}"#, r#"{"_claim_names":{"roles":"src1"}}"#] {
            assert_eq!(groups(json), Groups::NotSent, "{json}");
        }
    }

    #[test]
    fn groups_can_be_anywhere() {
        let of = |path: &str| {
            let json = br#"{"realm_access":{"roles":["a"]},"teams":[{"n":"x"},{"n":["y","z"]},{"n":7}]}"#;
            Groups::of(&Claims::parse(json).unwrap(), &path.parse().unwrap())
        };
        assert_eq!(of("realm_access.roles"), known(&["a"]));
        assert_eq!(of("$.teams[:2].n"), known(&["x", "y", "z"]));
        assert_eq!(of("teams.n"), Groups::Overage, "one of them is no name");
        assert_eq!((of("realm_access"), of("$.teams[2].n")), (Groups::NotSent, Groups::NotSent));
    }

    #[test]
    fn a_list_is_better_than_a_hint_and_a_hint_than_nothing() {
        use Groups::{NotSent, Overage};
        assert_eq!(Overage.or(known(&["a"])), known(&["a"]));
        assert_eq!(known(&["a"]).or(Overage), known(&["a"]));
        assert_eq!(NotSent.or(Overage), Overage);
        assert_eq!(Overage.or(NotSent), Overage);
        assert_eq!(NotSent.or(NotSent), NotSent);
    }
}
