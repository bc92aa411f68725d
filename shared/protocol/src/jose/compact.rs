//! A signed token in compact form: `header.payload.signature` (RFC 7515 §7.1), taken apart and put together.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Header;
use serde::Serialize;

use super::Algorithm;

/// The `typ` of the tokens that we make. One kind never passes for another (RFC 8725 §3.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenType {
    /// `at+jwt` (RFC 9068 §2.1).
    AccessToken,
    /// `JWT`: an ID token.
    IdToken,
    /// `JWT` too: a client's proof of who it is (RFC 7523 §2.2). Providers know no other type.
    ClientAssertion,
    /// `oauth-authz-req+jwt`: a signed authorization request (RFC 9101 §10.8).
    RequestObject,
    /// `logout+jwt` (OpenID Connect Back-Channel Logout 1.0 §2.4).
    LogoutToken,
    /// `token-introspection+jwt`: what introspection says, signed (RFC 9701 §5).
    Introspection,
    /// `statuslist+jwt`: which tokens are revoked (draft-ietf-oauth-status-list-21 §5.1).
    StatusList,
}

impl TokenType {
    /// The header's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "at+jwt",
            Self::IdToken | Self::ClientAssertion => "JWT",
            Self::RequestObject => "oauth-authz-req+jwt",
            Self::LogoutToken => "logout+jwt",
            Self::Introspection => "token-introspection+jwt",
            Self::StatusList => "statuslist+jwt",
        }
    }
}

/// Why a token is refused before anybody looks at its signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not three base64url parts, or the header is not one.
    #[error("not a signed token")]
    Malformed,
    /// `none`, an HMAC, or an algorithm that we do not know.
    #[error("algorithm is not allowed")]
    Algorithm,
    /// The header brings or points to a key, or names an extension (RFC 8725 §3.10, RFC 7515 §4.1.11).
    #[error("header has a member that is not allowed")]
    Header,
    /// The token is of another kind.
    #[error("token is of another type")]
    Type,
}

/// A token taken apart. Its signature has not been verified.
#[derive(Debug, Clone)]
pub struct Compact<'a> {
    /// What it says it was signed with.
    pub algorithm: Algorithm,
    /// Which key it says signed it.
    pub kid: Option<String>,
    /// Its stated type.
    pub typ: Option<String>,
    /// What the signature covers.
    pub input: &'a [u8],
    /// The claims, as sent.
    pub payload: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
}

impl<'a> Compact<'a> {
    /// Takes a token apart and applies the rules on its header.
    pub fn parse(token: &'a str) -> Result<Self, TokenError> {
        let (input, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = input.split_once('.').ok_or(TokenError::Malformed)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed);
        // An algorithm that jsonwebtoken does not know, `none` among them, makes the whole header unreadable.
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| TokenError::Algorithm)?;
        let algorithm = Algorithm::from_header(header.alg).ok_or(TokenError::Algorithm)?;
        if header.jku.is_some() || header.jwk.is_some() || header.x5u.is_some() || header.crit.is_some() {
            return Err(TokenError::Header);
        }
        Ok(Self {
            algorithm,
            kid: header.kid,
            typ: header.typ,
            input: input.as_bytes(),
            payload: decode(payload)?,
            signature: decode(signature)?,
        })
    }

    /// The token is one of ours, of this kind. Case does not matter in a media type (RFC 7515 §4.1.9).
    pub fn check_type(&self, expected: TokenType) -> Result<(), TokenError> {
        match &self.typ {
            Some(typ) if typ.eq_ignore_ascii_case(expected.as_str()) => Ok(()),
            _ => Err(TokenError::Type),
        }
    }
}

/// What is to be signed: header and claims, encoded. The token is this, a dot, and the signature in base64url.
pub fn signing_input(
    algorithm: Algorithm,
    typ: TokenType,
    kid: &str,
    claims: &impl Serialize,
) -> Result<String, serde_json::Error> {
    let mut header = Header::new(algorithm.to_header());
    header.typ = Some(typ.as_str().to_owned());
    header.kid = Some(kid.to_owned());
    let mut input = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&header)?);
    input.push('.');
    URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(claims)?, &mut input);
    Ok(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str) -> String {
        format!("{}.e30.AAAA", URL_SAFE_NO_PAD.encode(header))
    }

    /// TK-5
    #[test]
    fn headers_that_choose_their_own_rules_are_refused() {
        for (header, error) in [
            (r#"{"alg":"none"}"#, TokenError::Algorithm),
            (r#"{"alg":"None"}"#, TokenError::Algorithm),
            (r#"{"alg":"HS256"}"#, TokenError::Algorithm),
            (r#"{"typ":"JWT"}"#, TokenError::Algorithm),
            (r#"{"alg":"ES256","jku":"https://evil.example/k"}"#, TokenError::Header),
            (r#"{"alg":"ES256","x5u":"https://evil.example/k"}"#, TokenError::Header),
            (r#"{"alg":"ES256","jwk":{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}}"#, TokenError::Header),
            (r#"{"alg":"ES256","crit":["exp"]}"#, TokenError::Header),
        ] {
            assert_eq!(Compact::parse(&token(header)).map(|_| ()), Err(error), "{header}");
        }
    }

    #[test]
    fn other_shapes_are_malformed() {
        for text in ["", "a", "a.b", "!.e30.AAAA", "..", &format!("{}x.!.AA", token(r#"{"alg":"ES256"}"#))] {
            assert!(Compact::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_was_put_together_comes_apart_again() {
        let input =
            signing_input(Algorithm::ES256, TokenType::AccessToken, "k1", &serde_json::json!({"a": 1})).unwrap();
        let text = format!("{input}.AQID");
        let parsed = Compact::parse(&text).unwrap();
        assert_eq!((parsed.algorithm, parsed.kid.as_deref()), (Algorithm::ES256, Some("k1")));
        assert_eq!(parsed.input, input.as_bytes());
        assert_eq!(parsed.payload, br#"{"a":1}"#);
        assert_eq!(parsed.signature, [1, 2, 3]);
        assert_eq!(parsed.check_type(TokenType::AccessToken), Ok(()));
        assert_eq!(parsed.check_type(TokenType::IdToken), Err(TokenError::Type));
    }
}
