//! An attribute of a person from their claims.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::path::ClaimPath;
use super::value::{Split, scalars};
use crate::oidc::claims::Claims;

/// Largest value of an attribute, in bytes of JSON.
pub const MAX_BYTES: usize = 2_048;

/// Where an attribute's value is, and what of it counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AttributeMapping {
    /// The claim: its exact name, a dotted path, or JSONPath.
    pub path: ClaimPath,
    /// What counts when there are several values; the first when left out.
    #[serde(default)]
    pub values: Count,
    /// Where one text is several values: a separator, or several characters in brackets, each of which is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
}

/// What counts of several values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Count {
    /// The first. The attribute is one value.
    #[default]
    First,
    /// All. The attribute is a list, even of one.
    All,
}

/// What came of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// A text, number or truth value; or a list of them.
    Value(Value),
    /// The claims say nothing of it.
    Nothing,
    /// It has more than [`MAX_BYTES`]. Half a value would be another one, so there is none.
    TooLong,
}

impl AttributeMapping {
    /// The attribute as these claims have it. Texts are trimmed, empty ones are none.
    pub fn read(&self, claims: &Claims) -> Reading {
        let found = self.path.find(claims);
        let values = found.into_iter().flat_map(scalars).flat_map(|value| self.parts(value));
        let value = match self.values {
            Count::First => values.into_iter().next(),
            // One more than can fit is enough to know that they do not.
            Count::All => {
                Some(values.take(MAX_BYTES).collect::<Vec<_>>()).filter(|all| !all.is_empty()).map(Value::Array)
            }
        };
        match value {
            None => Reading::Nothing,
            Some(value) if serde_json::to_vec(&value).map_or(true, |json| json.len() > MAX_BYTES) => Reading::TooLong,
            Some(value) => Reading::Value(value),
        }
    }

    fn parts(&self, value: &Value) -> Vec<Value> {
        let Value::String(text) = value else { return vec![value.clone()] };
        let parts: Vec<&str> = match &self.split {
            Some(split) => split.parts(text).collect(),
            None => vec![text],
        };
        parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).map(Value::from).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(mapping: &Value, claims: &Value) -> Reading {
        let mapping: AttributeMapping = serde_json::from_value(mapping.clone()).unwrap();
        mapping.read(&Claims::from(claims.as_object().cloned().unwrap()))
    }

    #[test]
    fn the_first_or_all_count() {
        let claims = json!({ "a": ["x", "y"], "n": 7, "s": " p ; q ", "b": false });
        let value = |mapping: Value| read(&mapping, &claims);
        assert_eq!(value(json!({ "path": "a" })), Reading::Value(json!("x")));
        assert_eq!(value(json!({ "path": "a", "values": "all" })), Reading::Value(json!(["x", "y"])));
        assert_eq!(value(json!({ "path": "n" })), Reading::Value(json!(7)));
        assert_eq!(value(json!({ "path": "b", "values": "all" })), Reading::Value(json!([false])));
        assert_eq!(value(json!({ "path": "s" })), Reading::Value(json!("p ; q")));
        assert_eq!(value(json!({ "path": "s", "split": ";" })), Reading::Value(json!("p")));
        assert_eq!(value(json!({ "path": "s", "split": ";", "values": "all" })), Reading::Value(json!(["p", "q"])));
    }

    #[test]
    fn nothing_is_no_value() {
        for claims in [json!({}), json!({ "a": null }), json!({ "a": [] }), json!({ "a": " " }), json!({ "a": {} })] {
            for values in ["first", "all"] {
                assert_eq!(read(&json!({ "path": "a", "values": values }), &claims), Reading::Nothing, "{claims}");
            }
        }
    }

    #[test]
    fn a_long_value_is_none_and_not_half_of_it() {
        let just = json!({ "a": "x".repeat(MAX_BYTES - 2) });
        assert!(matches!(read(&json!({ "path": "a" }), &just), Reading::Value(_)));
        assert_eq!(read(&json!({ "path": "a" }), &json!({ "a": "x".repeat(MAX_BYTES - 1) })), Reading::TooLong);
        let many = json!({ "a": (0..5_000).collect::<Vec<_>>() });
        assert_eq!(read(&json!({ "path": "a", "values": "all" }), &many), Reading::TooLong);
        assert_eq!(read(&json!({ "path": "a" }), &many), Reading::Value(json!(0)));
    }
}
