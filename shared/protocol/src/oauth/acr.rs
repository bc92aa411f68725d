//! How strongly an application wants the person to prove who they are: `acr_values`, which is a wish, and `acr` in
//! `claims`, which may be a condition (OpenID Connect Core §3.1.2.1, §5.5.1.1). Of `claims` nothing else is read.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Error;
use crate::params::Params;

/// Most classes that can be asked for.
const MAX_CLASSES: usize = 10;
/// Longest name of one, in bytes.
const MAX_NAME: usize = 128;

/// Classes of authentication that are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Classes {
    /// Their names, best first. Empty with `essential`: any will do, but it must be known which.
    pub values: Vec<String>,
    /// Whether a login of no such class is worth nothing.
    pub essential: bool,
}

impl Classes {
    /// Reads both parameters; a condition goes before a wish.
    pub fn parse(params: &Params<'_>) -> Result<Self, Error> {
        let wished = params.get("acr_values")?.map(|text| text.split(' ').map(str::to_owned).collect());
        let wished = Self { values: wished.unwrap_or_default(), essential: false };
        let asked = match params.get("claims")? {
            Some(text) => Self::of_claims(text)?.unwrap_or(wished),
            None => wished,
        };
        let fine = |name: &String| {
            (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"')
        };
        if asked.values.len() > MAX_CLASSES || !asked.values.iter().all(fine) {
            return Err(Error::invalid_request("acr_values must be at most 10 names of 1 to 128 printable characters"));
        }
        Ok(asked)
    }

    /// What `claims` says of the ID token's `acr`.
    fn of_claims(text: &str) -> Result<Option<Self>, Error> {
        let malformed = Error::invalid_request("claims must be a JSON object as OpenID Connect Core §5.5 has it");
        let claims: Map<String, Value> = serde_json::from_str(text).map_err(|_| malformed)?;
        let Some(acr) = claims.get("id_token").and_then(|claims| claims.get("acr")) else { return Ok(None) };
        let essential = match acr.get("essential") {
            Some(Value::Bool(essential)) => *essential,
            Some(_) => return Err(malformed),
            None => false,
        };
        let values = match (acr.get("value"), acr.get("values")) {
            (None, None) => Vec::new(),
            (Some(one), None) => vec![one.clone()],
            (None, Some(Value::Array(several))) => several.clone(),
            _ => return Err(malformed),
        };
        let text = |value: Value| value.as_str().map(str::to_owned).ok_or(malformed);
        let asked = Self { values: values.into_iter().map(text).collect::<Result<_, _>>()?, essential };
        Ok(Some(asked).filter(|asked| *asked != Self::default()))
    }

    /// Whether a login of this class is one that was asked for.
    pub fn are_met_by(&self, acr: Option<&str>) -> bool {
        match (self.values.as_slice(), acr) {
            ([], None) => !self.essential,
            ([], Some(_)) => true,
            (values, acr) => acr.is_some_and(|acr| values.iter().any(|value| value == acr)),
        }
    }

    /// The condition as `claims` says it to somebody else.
    pub fn claims(&self) -> Option<String> {
        let mut acr = Map::from_iter([("essential".to_owned(), Value::Bool(true))]);
        if !self.values.is_empty() {
            acr.insert("values".to_owned(), self.values.clone().into());
        }
        self.essential.then(|| serde_json::json!({ "id_token": { "acr": acr } }).to_string())
    }
}

#[cfg(test)]
mod tests {
    use url::form_urlencoded;

    use super::*;

    fn classes(parameters: &[(&str, &str)]) -> Result<Classes, Error> {
        let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        Classes::parse(&Params::parse(&text).unwrap())
    }

    #[test]
    fn a_wish_and_a_condition_are_told_apart() {
        let none = classes(&[]).unwrap();
        assert!(none.are_met_by(None) && none.are_met_by(Some("x")) && none.claims().is_none());
        let wish = classes(&[("acr_values", "gold silver")]).unwrap();
        assert!(wish.are_met_by(Some("silver")) && !wish.are_met_by(Some("bronze")) && !wish.are_met_by(None));
        assert!(!wish.essential && wish.claims().is_none());
        let claims = r#"{"id_token":{"acr":{"essential":true,"values":["gold"]},"email":null},"userinfo":{}}"#;
        let condition = classes(&[("acr_values", "silver"), ("claims", claims)]).unwrap();
        assert!(condition.essential && condition.are_met_by(Some("gold")) && !condition.are_met_by(Some("silver")));
        assert_eq!(condition.claims().as_deref(), Some(r#"{"id_token":{"acr":{"essential":true,"values":["gold"]}}}"#));
        let any = classes(&[("claims", r#"{"id_token":{"acr":{"essential":true}}}"#)]).unwrap();
        assert!(any.are_met_by(Some("x")) && !any.are_met_by(None));
        for other in [r#"{"id_token":{"email":null}}"#, r#"{"id_token":{"acr":null}}"#, "{}"] {
            let wish = classes(&[("acr_values", "gold"), ("claims", other)]).unwrap();
            assert_eq!(wish, Classes { values: vec!["gold".to_owned()], essential: false }, "{other}");
        }
    }

    /// AZ-13
    #[test]
    fn malformed_requests_are_refused() {
        let (long, many) = ("x".repeat(129), ["x"; 11].join(" "));
        for wrong in ["gold  silver", " gold", "ä", "a\"b", &long, &many] {
            assert!(classes(&[("acr_values", wrong)]).is_err(), "{wrong}");
        }
        for wrong in [
            "x",
            "[]",
            r#"{"id_token":{"acr":{"essential":"yes"}}}"#,
            r#"{"id_token":{"acr":{"values":"gold"}}}"#,
            r#"{"id_token":{"acr":{"values":[1]}}}"#,
            r#"{"id_token":{"acr":{"value":"a","values":["a"]}}}"#,
            r#"{"id_token":{"acr":{"value":""}}}"#,
        ] {
            assert!(classes(&[("claims", wrong)]).is_err(), "{wrong}");
        }
    }
}
