//! Signed notices that a provider sends of its own accord: logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.4).
//! Nothing here verifies the signature: the platform does, with the provider's keys.

use serde_json::Value;

use super::claims::Claims;
use super::issuer::Issuers;
use crate::time::{Seconds, Timestamp};

/// The event of a logout token.
pub const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// How far ahead of us the end of a notice may be. Until then we remember its name.
const LONGEST_LIFE: Seconds = Seconds(86_400);
/// Longest name of a notice, a person or a session, in bytes.
const MAX_NAME: usize = 255;

/// What a notice must fit.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Who may have sent it.
    pub issuers: Issuers<'a>,
    /// Whom it is for.
    pub audience: &'a str,
    /// How far the provider's clock may be off.
    pub skew: Seconds,
    /// The present.
    pub now: Timestamp,
}

/// What every notice says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Who sent it.
    pub issuer: String,
    /// Its name, which counts once.
    pub name: String,
    /// From when on nobody has to remember the name.
    pub until: Timestamp,
}

/// Whose sessions a logout token is about. At least one of the two is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedOut {
    /// The provider's name for the person.
    pub subject: Option<String>,
    /// Its name for one session of theirs.
    pub session: Option<String>,
}

impl Expected<'_> {
    /// Reads what every notice says, or names the claim that is wrong.
    pub fn check(&self, claims: &Claims) -> Result<Notice, &'static str> {
        let issuer = claims.text("iss").filter(|issuer| self.issuers.includes(issuer)).ok_or("iss")?;
        let ours = |audience: &Value| audience.as_str() == Some(self.audience);
        let for_us = match claims.get("aud") {
            Some(Value::Array(several)) => several.iter().any(ours),
            Some(one) => ours(one),
            None => false,
        };
        if !for_us {
            return Err("aud");
        }
        let instant = |name| claims.get(name).and_then(Value::as_i64).map(Timestamp::from_seconds);
        instant("iat").filter(|at| *at <= self.now + self.skew).ok_or("iat")?;
        let end = instant("exp").ok_or("exp")? + self.skew;
        if end.has_passed(self.now) || end > self.now + LONGEST_LIFE {
            return Err("exp");
        }
        let begun = instant("nbf").is_none_or(|at| at <= self.now + self.skew);
        if !begun {
            return Err("nbf");
        }
        let name = name(claims, "jti")?.ok_or("jti")?;
        Ok(Notice { issuer: issuer.to_owned(), name, until: end })
    }
}

impl LoggedOut {
    /// Reads what a logout token says beside that (§2.6), or names the claim that is wrong. `typ` is its header's: one
    /// that names another kind of token is none; many providers name none.
    pub fn read(typ: Option<&str>, claims: &Claims) -> Result<Self, &'static str> {
        let known = |typ: &str| ["logout+jwt", "JWT"].iter().any(|fine| typ.eq_ignore_ascii_case(fine));
        if !typ.is_none_or(known) {
            return Err("typ");
        }
        if !claims.get("events").and_then(|events| events.get(LOGOUT_EVENT)).is_some_and(Value::is_object) {
            return Err("events");
        }
        // So that no ID token passes for one.
        if claims.get("nonce").is_some() {
            return Err("nonce");
        }
        let (subject, session) = (name(claims, "sub")?, name(claims, "sid")?);
        if subject.is_none() && session.is_none() {
            return Err("sub and sid");
        }
        Ok(Self { subject, session })
    }
}

/// A name that is missing, or is a text of a length that names have.
fn name(claims: &Claims, claim: &'static str) -> Result<Option<String>, &'static str> {
    match claims.get(claim) {
        None => Ok(None),
        Some(Value::String(name)) if (1..=MAX_NAME).contains(&name.len()) => Ok(Some(name.clone())),
        Some(_) => Err(claim),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const EXPECTED: Expected<'static> = Expected {
        issuers: Issuers { configured: "https://idp.example", directories: &[] },
        audience: "broker",
        skew: Seconds(60),
        now: Timestamp::from_seconds(1_000_000),
    };

    fn outcome(member: &str, value: Value) -> Result<(Notice, LoggedOut), &'static str> {
        let mut token = json!({
            "iss": "https://idp.example", "aud": "broker", "iat": 1_000_000, "exp": 1_000_120, "jti": "1", "sub": "ada",
            "sid": "s", "events": { LOGOUT_EVENT: {} },
        });
        if value.is_null() {
            token.as_object_mut().unwrap().remove(member);
        } else {
            token[member] = value;
        }
        let claims = Claims::parse(token.to_string().as_bytes()).unwrap();
        Ok((EXPECTED.check(&claims)?, LoggedOut::read(Some("logout+jwt"), &claims)?))
    }

    /// LO-3
    #[test]
    fn each_rule_on_a_logout_token_holds() {
        let (notice, about) = outcome("x", json!(1)).unwrap();
        assert_eq!((notice.name.as_str(), notice.until), ("1", Timestamp::from_seconds(1_000_180)));
        assert_eq!(about, LoggedOut { subject: Some("ada".to_owned()), session: Some("s".to_owned()) });
        for (member, value) in [
            ("aud", json!(["broker", "other"])),
            ("iat", json!(1_000_060)),
            ("exp", json!(999_941)),
            ("sub", Value::Null),
            ("sid", Value::Null),
        ] {
            assert!(outcome(member, value.clone()).is_ok(), "{member} {value}");
        }
        for (member, value, rule) in [
            ("iss", json!("https://idp.example/"), "iss"),
            ("iss", Value::Null, "iss"),
            ("aud", json!("other"), "aud"),
            ("aud", json!(["other"]), "aud"),
            ("aud", Value::Null, "aud"),
            ("iat", json!(1_000_061), "iat"),
            ("iat", json!("1000000"), "iat"),
            ("iat", Value::Null, "iat"),
            ("exp", json!(999_940), "exp"),
            ("exp", json!(1_086_401), "exp"),
            ("exp", Value::Null, "exp"),
            ("nbf", json!(1_000_061), "nbf"),
            ("jti", Value::Null, "jti"),
            ("jti", json!(""), "jti"),
            ("jti", json!("x".repeat(256)), "jti"),
            ("events", Value::Null, "events"),
            ("events", json!({}), "events"),
            ("events", json!({ LOGOUT_EVENT: "yes" }), "events"),
            ("events", json!([LOGOUT_EVENT]), "events"),
            ("nonce", json!("n"), "nonce"),
            ("sub", json!(1), "sub"),
            ("sid", json!(""), "sid"),
        ] {
            assert_eq!(outcome(member, value.clone()), Err(rule), "{member} {value}");
        }
    }

    /// LO-3
    #[test]
    fn another_kind_of_token_is_no_logout_token() {
        let claims = json!({ "events": { LOGOUT_EVENT: {} }, "sub": "ada" });
        let claims = Claims::parse(claims.to_string().as_bytes()).unwrap();
        for fine in [None, Some("JWT"), Some("logout+jwt"), Some("LOGOUT+JWT")] {
            assert!(LoggedOut::read(fine, &claims).is_ok(), "{fine:?}");
        }
        for other in ["at+jwt", "secevent+jwt", "", "jose"] {
            assert_eq!(LoggedOut::read(Some(other), &claims), Err("typ"), "{other}");
        }
        let nobody = json!({ "events": { LOGOUT_EVENT: {} } });
        let nobody = Claims::parse(nobody.to_string().as_bytes()).unwrap();
        assert_eq!(LoggedOut::read(None, &nobody), Err("sub and sid"));
    }
}
