//! What a claim says: texts, numbers, true and false, alone or in a list.

use std::str::FromStr;

use serde_json::Value;

use super::path::ClaimPath;
use super::text_form;
use crate::oidc::claims::Claims;
use crate::oidc::groups::is_sent_elsewhere;

/// As many values of a claim are looked at.
pub const MAX_VALUES: usize = 1_000;
/// All of them together may have so many bytes.
pub const MAX_BYTES: usize = 48 * 1024;

/// What was said under a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// These, in their order, none of them empty; perhaps none at all.
    Values(Vec<String>),
    /// More than was sent, or than is looked at. Part of a list is not the list: which values there are is not known.
    TooMany,
}

impl Said {
    /// What claims say under a path, each text perhaps several values.
    pub fn of(claims: &Claims, path: &ClaimPath, split: Option<&Split>) -> Self {
        let found = path.find(claims);
        if found.is_empty() && is_sent_elsewhere(claims, path.as_str()) {
            return Self::TooMany;
        }
        Self::new(found, split)
    }

    /// What these values say.
    pub fn new<'v>(found: impl IntoIterator<Item = &'v Value>, split: Option<&Split>) -> Self {
        let mut texts = Vec::new();
        let mut bytes = 0;
        for value in found.into_iter().flat_map(scalars) {
            let text = text(value);
            let parts: Vec<&str> = match split {
                Some(split) => split.parts(&text).collect(),
                None => vec![&text],
            };
            for part in parts.into_iter().map(str::trim).filter(|part| !part.is_empty()) {
                bytes += part.len();
                if texts.len() == MAX_VALUES || bytes > MAX_BYTES {
                    return Self::TooMany;
                }
                texts.push(part.to_owned());
            }
        }
        Self::Values(texts)
    }
}

/// The texts, numbers and truth values of a value: itself, or those in a list. Lists in lists and objects are none.
pub(super) fn scalars(value: &Value) -> impl Iterator<Item = &Value> {
    let values = match value {
        Value::Array(values) => values.as_slice(),
        one => std::slice::from_ref(one),
    };
    values.iter().filter(|value| matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_)))
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Where one text is several values: at a separator, such as `;`, or at each of several characters, such as `[,; ]`.
/// There is no other pattern: regular expressions would cost more than they are worth here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    text: String,
}

/// Why a text is no separator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a separator of 1 to 16 characters, or several single ones in brackets, such as [,; ]")]
pub struct SplitError;

impl Split {
    /// The parts of a text, as they are.
    pub(super) fn parts<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> {
        // One of the two finds nothing to split at.
        let single: Vec<char> = self.characters().map(|inner| inner.chars().collect()).unwrap_or_default();
        let whole = self.characters().is_none().then(|| self.text.clone());
        text.split(move |letter| single.contains(&letter)).flat_map(move |part| match &whole {
            Some(separator) => part.split(separator.as_str()).collect::<Vec<_>>(),
            None => vec![part],
        })
    }

    fn characters(&self) -> Option<&str> {
        self.text.strip_prefix('[')?.strip_suffix(']').filter(|inner| !inner.is_empty())
    }
}

impl FromStr for Split {
    type Err = SplitError;

    fn from_str(text: &str) -> Result<Self, SplitError> {
        let fits = (1..=16).contains(&text.chars().count());
        if fits { Ok(Self { text: text.to_owned() }) } else { Err(SplitError) }
    }
}

text_form!(Split);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(value: &Value, split: Option<&str>) -> Said {
        Said::new([value], split.map(|text| text.parse().unwrap()).as_ref())
    }

    fn values(texts: &[&str]) -> Said {
        Said::Values(texts.iter().map(|text| (*text).to_owned()).collect())
    }

    #[test]
    fn lists_are_flattened_once() {
        assert_eq!(said(&json!("a"), None), values(&["a"]));
        assert_eq!(said(&json!(["a", 7, true, 1.5]), None), values(&["a", "7", "true", "1.5"]));
        assert_eq!(said(&json!([["a"], { "b": 1 }, null, " ", "c "]), None), values(&["c"]));
        assert_eq!(said(&json!({ "a": 1 }), None), values(&[]));
    }

    #[test]
    fn texts_are_split_where_it_is_said() {
        assert_eq!(said(&json!("a; b;;c"), Some(";")), values(&["a", "b", "c"]));
        assert_eq!(said(&json!(["a, b", "c d"]), Some("[, ]")), values(&["a", "b", "c", "d"]));
        assert_eq!(said(&json!("a::b:c"), Some("::")), values(&["a", "b:c"]));
        assert_eq!(said(&json!("a[b]c"), Some("[")), values(&["a", "b]c"]));
        assert_eq!(said(&json!("a[]c"), Some("[]")), values(&["a", "c"]), "an empty class is a text");
        assert_eq!(said(&json!("a b"), None), values(&["a b"]));
        for wrong in ["", &"x".repeat(17)] {
            assert_eq!(wrong.parse::<Split>(), Err(SplitError));
        }
    }

    /// RP-9: part of a list is not the list.
    #[test]
    fn too_many_are_not_some() {
        let many = |count: usize| Value::Array((0..count).map(|at| json!(at.to_string())).collect());
        assert!(matches!(said(&many(1_000), None), Said::Values(values) if values.len() == 1_000));
        assert_eq!(said(&many(1_001), None), Said::TooMany);
        assert_eq!(said(&json!("x".repeat(MAX_BYTES + 1)), None), Said::TooMany);
        let entra = json!({ "_claim_names": { "groups": "src1" }, "hasgroups": true });
        let claims = Claims::from(entra.as_object().cloned().unwrap());
        assert_eq!(Said::of(&claims, &"groups".parse().unwrap(), None), Said::TooMany);
        assert_eq!(Said::of(&claims, &"department".parse().unwrap(), None), values(&[]));
    }
}
