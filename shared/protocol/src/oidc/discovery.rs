//! The provider's metadata document (OpenID Connect Discovery 1.0 §3, RFC 8414 §2), as much of it as we use.

use serde::{Deserialize, Serialize};
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
