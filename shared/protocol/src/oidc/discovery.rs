//! The provider's metadata document (OpenID Connect Discovery 1.0 §3, RFC 8414 §2), as much of it as we use.

use serde::{Deserialize, Deserializer, Serialize};
use url::Url;

/// What an identity provider says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderMetadata {
    /// Its name for itself; the `iss` of its tokens.
    pub issuer: String,
    /// Where people sign in.
    pub authorization_endpoint: Url,
    /// Where codes are exchanged.
    pub token_endpoint: Url,
    /// Its public keys.
    pub jwks_uri: Url,
    /// Where claims can be asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub userinfo_endpoint: Option<Url>,
    /// Where it can be asked whether a token is good (RFC 7662).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introspection_endpoint: Option<Url>,
    /// Where people sign out (OpenID Connect RP-Initiated Logout 1.0 §2.1). One that is no URL is none: nobody must be
    /// kept from signing in by it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "address_or_none")]
    pub end_session_endpoint: Option<Url>,
    /// Where authorization requests can be sent ahead (RFC 9126 §5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pushed_authorization_request_endpoint: Option<Url>,
    /// Whether it takes no others.
    #[serde(default)]
    pub require_pushed_authorization_requests: bool,
    /// Whether it names itself in its answers (RFC 9207 §3).
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
}

fn address_or_none<'de, D: Deserializer<'de>>(found: D) -> Result<Option<Url>, D::Error> {
    let found = Option::<serde_json::Value>::deserialize(found)?;
    Ok(found.as_ref().and_then(serde_json::Value::as_str).and_then(|address| Url::parse(address).ok()))
}

/// Why a metadata document is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DiscoveryError {
    /// Not JSON, or a required member is missing or not a URL.
    #[error("the document is not provider metadata")]
    Malformed,
    /// It is another issuer's (Discovery §4.3).
    #[error("the document's issuer is not the configured one")]
    OtherIssuer,
}

impl ProviderMetadata {
    /// Reads a document that was fetched for `issuer`, which it must name exactly.
    pub fn parse(document: &[u8], issuer: &str) -> Result<Self, DiscoveryError> {
        let found: Self = serde_json::from_slice(document).map_err(|_| DiscoveryError::Malformed)?;
        if found.issuer == issuer { Ok(found) } else { Err(DiscoveryError::OtherIssuer) }
    }

    /// Where the document of `issuer` is (Discovery §4): a trailing slash is not doubled.
    pub fn location(issuer: &str) -> String {
        format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r#"{"issuer":"https://idp.example/t/","authorization_endpoint":"https://idp.example/a",
        "token_endpoint":"https://idp.example/t","jwks_uri":"https://idp.example/k","other":[1]}"#;

    /// RP-7
    #[test]
    fn the_issuer_must_be_the_configured_one_to_the_last_slash() {
        assert!(ProviderMetadata::parse(DOCUMENT.as_bytes(), "https://idp.example/t/").is_ok());
        for other in ["https://idp.example/t", "https://idp.example/", "https://evil.example/t/", ""] {
            assert_eq!(
                ProviderMetadata::parse(DOCUMENT.as_bytes(), other),
                Err(DiscoveryError::OtherIssuer),
                "{other}"
            );
        }
    }

    #[test]
    fn a_document_without_its_required_members_is_refused() {
        for broken in
            ["", "[]", "{}", &DOCUMENT.replace("token_endpoint", "x"), &DOCUMENT.replace("https://idp.example/k", "k")]
        {
            assert_eq!(
                ProviderMetadata::parse(broken.as_bytes(), "https://idp.example/t/"),
                Err(DiscoveryError::Malformed),
                "{broken}"
            );
        }
    }

    #[test]
    fn an_odd_address_for_signing_out_keeps_nobody_from_signing_in() {
        let with = |value: &str| {
            let document = DOCUMENT.replace("\"other\":[1]", &format!("\"end_session_endpoint\":{value}"));
            let metadata = ProviderMetadata::parse(document.as_bytes(), "https://idp.example/t/").unwrap();
            metadata.end_session_endpoint.map(String::from)
        };
        assert_eq!(with("\"https://idp.example/out\""), Some("https://idp.example/out".to_owned()));
        for odd in ["\"\"", "\"/out\"", "null", "7", "[\"https://idp.example/out\"]"] {
            assert_eq!(with(odd), None, "{odd}");
        }
    }

    #[test]
    fn the_location_follows_the_issuers_path() {
        for (issuer, location) in [
            ("https://idp.example", "https://idp.example/.well-known/openid-configuration"),
            ("https://idp.example/", "https://idp.example/.well-known/openid-configuration"),
            ("https://idp.example/t/v2.0", "https://idp.example/t/v2.0/.well-known/openid-configuration"),
        ] {
            assert_eq!(ProviderMetadata::location(issuer), location);
        }
    }
}
