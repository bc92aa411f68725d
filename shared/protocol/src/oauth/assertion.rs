//! A signed statement about who a client is (RFC 7521 §4.2, RFC 7523 §3): by itself, `private_key_jwt`, or by an issuer
//! that is trusted for it. Nothing here verifies the signature: the platform does, with a key of whoever made it.
//!
//! The audience is our issuer identifier, alone and as a string. A statement for any address below it, or for several
//! audiences, could have been obtained by another server that the client also talks to.

use serde::Deserialize;

use crate::jose::{Compact, PublicKey};
use crate::time::{Seconds, Timestamp};

/// The value of `client_assertion_type`.
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How far ahead of us a statement's end may be.
pub const LONGEST_LIFE: Seconds = Seconds(300);
/// How far a client's clock may be off where its statement's start and end are compared with now.
pub const CLOCK_LEEWAY: Seconds = Seconds(60);

/// How far ahead of us the end of another issuer's statement may be: clouds give their workloads one for a day, and their
/// clocks are others.
pub const LONGEST_LIFE_OF_ANOTHERS: Seconds = Seconds(86_460);

/// Whose statements about whom are trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trusted<'a> {
    /// Who makes them: `iss`.
    pub issuer: &'a str,
    /// Whom they are about: `sub`.
    pub subject: &'a str,
    /// Whom they are for: `aud`.
    pub audience: &'a str,
}

/// Why a statement does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the client assertion is refused: {0}")]
pub struct AssertionError(pub &'static str);

#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    /// A list is not a string: several audiences make it unreadable.
    aud: String,
    exp: i64,
    jti: Option<String>,
    iat: Option<i64>,
    nbf: Option<i64>,
}

/// A statement taken apart. Neither its signature nor its claims have been checked.
#[derive(Debug)]
pub struct ClientAssertion<'a> {
    /// Its parts.
    pub compact: Compact<'a>,
    claims: Claims,
}

impl<'a> ClientAssertion<'a> {
    /// Takes a statement apart.
    pub fn parse(text: &'a str) -> Result<Self, AssertionError> {
        let compact = Compact::parse(text).map_err(|_| AssertionError("header"))?;
        let typ = compact.typ.as_deref();
        // Another kind of token that the client signs with the same key is no proof of who it is (RFC 8725 §3.11).
        let known = |typ: &str| ["JWT", "client-authentication+jwt"].iter().any(|fine| typ.eq_ignore_ascii_case(fine));
        if !typ.is_none_or(known) {
            return Err(AssertionError("typ"));
        }
        let claims = serde_json::from_slice(&compact.payload).map_err(|_| AssertionError("claims"))?;
        Ok(Self { compact, claims })
    }

    /// Who made it about themselves; `None` if it is about somebody else. Not to be believed yet.
    pub fn client_id(&self) -> Option<&str> {
        (self.claims.iss == self.claims.sub).then_some(&self.claims.sub)
    }

    /// The statement's own name, if it has one, and the instant from which nobody has to remember it.
    pub fn one_use(&self) -> (Option<&str>, Timestamp) {
        (self.claims.jti.as_deref(), Timestamp::from_seconds(self.claims.exp) + CLOCK_LEEWAY)
    }

    /// The keys of `keys` that may have signed it: named by it, and of a type for its algorithm.
    pub fn candidates<'k>(&'k self, keys: &'k [PublicKey]) -> impl Iterator<Item = &'k PublicKey> {
        let named = |key: &&PublicKey| self.compact.kid.is_none() || key.kid() == self.compact.kid.as_deref();
        keys.iter().filter(|key| key.allows(self.compact.algorithm)).filter(named)
    }

    /// The rules on a client's statement about itself (RFC 7523 §3): for `issuer`, now, and for once.
    pub fn check(&self, client_id: &str, issuer: &str, now: Timestamp) -> Result<(), AssertionError> {
        self.check_claims(Trusted { issuer: client_id, subject: client_id, audience: issuer }, LONGEST_LIFE, now)?;
        if self.claims.jti.is_some() { Ok(()) } else { Err(AssertionError("jti")) }
    }

    /// The rules on another issuer's statement (RFC 7523 §3). Without a name it can be used until it ends.
    pub fn check_of_another(&self, trusted: Trusted<'_>, now: Timestamp) -> Result<(), AssertionError> {
        self.check_claims(trusted, LONGEST_LIFE_OF_ANOTHERS, now)
    }

    fn check_claims(&self, trusted: Trusted<'_>, longest: Seconds, now: Timestamp) -> Result<(), AssertionError> {
        let claims = &self.claims;
        let end = Timestamp::from_seconds(claims.exp);
        let begun = |at: Option<i64>| at.is_none_or(|at| Timestamp::from_seconds(at) <= now + CLOCK_LEEWAY);
        let rules = [
            (claims.iss == trusted.issuer && claims.sub == trusted.subject, "iss and sub"),
            (claims.aud == trusted.audience, "aud"),
            (!(end + CLOCK_LEEWAY).has_passed(now), "exp is over"),
            (end <= now + longest, "exp is too far ahead"),
            (begun(claims.iat), "iat"),
            (begun(claims.nbf), "nbf"),
            (claims.jti.as_ref().is_none_or(|name| (1..=256).contains(&name.len())), "jti"),
        ];
        rules.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, rule)| Err(AssertionError(rule)))
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::{Value, json};

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    fn good() -> Value {
        json!({ "iss": "app", "sub": "app", "aud": "https://sso.example", "exp": 1_060, "jti": "1", "iat": 1_000 })
    }

    fn outcome(header: &Value, claims: &Value) -> Result<(), AssertionError> {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}.AAAA", part(header), part(claims));
        ClientAssertion::parse(&text)?.check("app", "https://sso.example", NOW)
    }

    /// TK-15
    #[test]
    fn a_statement_is_by_the_client_for_us_now() {
        let header = json!({ "alg": "ES256" });
        assert_eq!(outcome(&header, &good()), Ok(()));
        for (name, value, rule) in [
            ("iss", json!("other"), "iss and sub"),
            ("sub", json!("other"), "iss and sub"),
            ("aud", json!("https://sso.example/"), "aud"),
            ("aud", json!("https://sso.example/oauth2/token"), "aud"),
            ("aud", json!(["https://sso.example"]), "claims"),
            ("aud", json!(["https://sso.example", "https://other.example"]), "claims"),
            ("exp", json!(940), "exp is over"),
            ("exp", json!(1_301), "exp is too far ahead"),
            ("exp", json!("1060"), "claims"),
            ("exp", Value::Null, "claims"),
            ("iat", json!(1_061), "iat"),
            ("nbf", json!(1_061), "nbf"),
            ("jti", json!(""), "jti"),
            ("jti", json!("x".repeat(257)), "jti"),
            ("jti", Value::Null, "jti"),
        ] {
            let mut claims = good();
            claims[name] = value.clone();
            assert_eq!(outcome(&header, &claims), Err(AssertionError(rule)), "{name}: {value}");
        }
        for (name, value) in [("exp", json!(941)), ("exp", json!(1_300)), ("iat", json!(1_060)), ("nbf", Value::Null)] {
            let mut claims = good();
            claims[name] = value.clone();
            assert_eq!(outcome(&header, &claims), Ok(()), "{name}: {value}");
        }
    }

    /// TK-15, TK-5
    #[test]
    fn other_kinds_of_tokens_are_no_statements() {
        for typ in ["JWT", "jwt", "client-authentication+jwt"] {
            assert_eq!(outcome(&json!({ "alg": "ES256", "typ": typ }), &good()), Ok(()), "{typ}");
        }
        for typ in ["at+jwt", "dpop+jwt", "logout+jwt", ""] {
            let header = json!({ "alg": "ES256", "typ": typ });
            assert_eq!(outcome(&header, &good()), Err(AssertionError("typ")), "{typ}");
        }
        for header in [json!({ "alg": "none" }), json!({ "alg": "HS256" }), json!({ "alg": "ES256", "jku": "x" })] {
            assert_eq!(outcome(&header, &good()), Err(AssertionError("header")), "{header}");
        }
    }
    /// TK-15, EN-9: what a cloud's workload identity is given has no name, and may end in a day.
    #[test]
    fn another_issuers_statement_is_about_the_subject_for_the_audience_now() {
        let trusted = Trusted { issuer: "https://idp.example/v2.0", subject: "object", audience: "api://scim" };
        let good = json!({ "iss": "https://idp.example/v2.0", "sub": "object", "aud": "api://scim", "exp": 87_400, "nbf": 940 });
        let outcome = |name: &str, value: &Value| {
            let mut claims = good.clone();
            claims[name] = value.clone();
            let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
            let text = format!("{}.{}.AAAA", part(&json!({ "alg": "RS256", "typ": "JWT" })), part(&claims));
            let statement = ClientAssertion::parse(&text)?;
            assert_eq!(statement.client_id(), None);
            statement.check_of_another(trusted, NOW)
        };
        assert_eq!(outcome("jti", &json!("1")), Ok(()));
        for (name, value) in [("jti", Value::Null), ("exp", json!(941)), ("exp", json!(87_460)), ("iat", json!(1_060))]
        {
            assert_eq!(outcome(name, &value), Ok(()), "{name}: {value}");
        }
        for (name, value, rule) in [
            ("iss", json!("https://idp.example/v2.0/"), "iss and sub"),
            ("iss", json!("https://other.example/v2.0"), "iss and sub"),
            ("sub", json!("Object"), "iss and sub"),
            ("aud", json!("api://other"), "aud"),
            ("aud", json!(["api://scim"]), "claims"),
            ("exp", json!(940), "exp is over"),
            ("exp", json!(87_461), "exp is too far ahead"),
            ("exp", Value::Null, "claims"),
            ("nbf", json!(1_061), "nbf"),
            ("iat", json!(1_061), "iat"),
            ("jti", json!(""), "jti"),
        ] {
            assert_eq!(outcome(name, &value), Err(AssertionError(rule)), "{name}: {value}");
        }
    }
}
