//! Claims about a person as a provider sends them (OpenID Connect Core §5.1), once somebody has verified them.

use std::fmt;

use serde_json::{Map, Value};

use crate::mapping::path::ClaimPath;

/// The members of an ID token or of userinfo.
#[derive(Clone, PartialEq, Eq)]
pub struct Claims(Value);

/// Raw claims are in no log: only how many there are.
impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Claims({})", self.names().count())
    }
}

impl Default for Claims {
    fn default() -> Self {
        Self(Value::Object(Map::new()))
    }
}

impl From<Map<String, Value>> for Claims {
    fn from(members: Map<String, Value>) -> Self {
        Self(Value::Object(members))
    }
}

impl Claims {
    /// Reads a JSON object; `None` for anything else.
    pub fn parse(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok().filter(Value::is_object).map(Self)
    }

    /// Both, as one: of a claim that both have, what `fresher` says.
    #[must_use]
    pub fn merged(mut self, fresher: Self) -> Self {
        if let (Value::Object(members), Value::Object(more)) = (&mut self.0, fresher.0) {
            members.extend(more);
        }
        self
    }

    /// All of them, as the object that was sent.
    pub(crate) fn as_value(&self) -> &Value {
        &self.0
    }

    /// A claim as it is.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A claim that is a text with something in it.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty())
    }

    /// A claim that is true or false. Some providers send the words (Amazon Cognito, AD FS).
    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.get(name)? {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) if text == "true" => Some(true),
            Value::String(text) if text == "false" => Some(false),
            _ => None,
        }
    }

    /// A name for a person: a text or a whole number, at most 255 bytes as Core §2 demands of `sub`.
    pub fn identifier(&self, path: &ClaimPath) -> Option<String> {
        let text = match path.only(self)? {
            Value::String(text) => text.clone(),
            Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
            _ => return None,
        };
        (!text.trim().is_empty() && text.len() <= 255).then_some(text)
    }

    /// The names of all claims.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.as_object().into_iter().flat_map(Map::keys).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_of_another_type_is_no_claim() {
        let json = br#"{"a":"x","n":7,"f":1.5,"e":" ","b":true,"w":"false","l":[1],"z":null}"#;
        let claims = Claims::parse(json).unwrap();
        assert_eq!(
            (claims.text("a"), claims.text("n"), claims.text("e"), claims.text("l")),
            (Some("x"), None, None, None)
        );
        assert_eq!(
            (claims.flag("b"), claims.flag("w"), claims.flag("a"), claims.flag("n")),
            (Some(true), Some(false), None, None)
        );
        let id = |path| claims.identifier(&ClaimPath::exact(path));
        assert_eq!((id("a").as_deref(), id("n").as_deref()), (Some("x"), Some("7")));
        for wrong in ["f", "e", "b", "l", "z", "absent"] {
            assert_eq!(id(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_identifier_has_its_bounds() {
        let long = format!(r#"{{"just":"{}","over":"{}"}}"#, "x".repeat(255), "x".repeat(256));
        let claims = Claims::parse(long.as_bytes()).unwrap();
        let id = |path| claims.identifier(&ClaimPath::exact(path));
        assert!(id("just").is_some() && id("over").is_none());
    }

    #[test]
    fn what_is_no_object_is_no_claims() {
        for json in ["", "[]", "1", "null", "\"x\"", "{"] {
            assert_eq!(Claims::parse(json.as_bytes()), None, "{json}");
        }
    }
}
