//! What we say of ourselves: the two metadata documents (RFC 8414 §2, OpenID Connect Discovery 1.0 §3) and our keys.

use bytes::Bytes;
use serde_json::{Value, json};
use vestibule_protocol::jose::Algorithm;
use vestibule_protocol::oauth::client_auth::ClientAuthMethod;
use vestibule_protocol::oauth::prompt::Prompt;
use vestibule_protocol::oauth::scope;
use vestibule_protocol::time::Seconds;

use crate::Broker;
use crate::error::Error;
use crate::signing;

/// How long anybody may keep one of these documents.
pub const DOCUMENT_LIFE: Seconds = Seconds(300);

/// The document behind both well-known addresses, as JSON. `algorithms` are those of the published keys.
pub(crate) fn render(issuer: &str, algorithms: &[&str]) -> String {
    let at = |path: &str| Value::from(format!("{issuer}{path}"));
    json!({
        "issuer": issuer,
        "authorization_endpoint": at("/oauth2/authorize"),
        "token_endpoint": at("/oauth2/token"),
        "pushed_authorization_request_endpoint": at("/oauth2/par"),
        "userinfo_endpoint": at("/oauth2/userinfo"),
        "revocation_endpoint": at("/oauth2/revoke"),
        "introspection_endpoint": at("/oauth2/introspect"),
        "jwks_uri": at("/oauth2/jwks"),
        "end_session_endpoint": at("/oauth2/logout"),
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "frontchannel_logout_supported": true,
        "frontchannel_logout_session_supported": true,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": algorithms,
        "scopes_supported": scope::SUPPORTED.into_iter().chain([scope::SCIM_SCOPE]).collect::<Vec<_>>(),
        "claims_supported": [
            "sub", "iss", "aud", "exp", "iat", "auth_time", "acr", "amr", "nonce", "sid", "at_hash", "tenant", "email",
            "email_verified", "name", "given_name", "family_name", "preferred_username", "groups", "connection",
        ],
        "token_endpoint_auth_methods_supported": ClientAuthMethod::NAMES,
        "token_endpoint_auth_signing_alg_values_supported": Algorithm::ALL.map(Algorithm::name),
        "revocation_endpoint_auth_methods_supported": ClientAuthMethod::NAMES,
        "revocation_endpoint_auth_signing_alg_values_supported": Algorithm::ALL.map(Algorithm::name),
        "introspection_endpoint_auth_methods_supported": ClientAuthMethod::PROVING,
        "introspection_endpoint_auth_signing_alg_values_supported": Algorithm::ALL.map(Algorithm::name),
        "introspection_signing_alg_values_supported": algorithms,
        "prompt_values_supported": Prompt::VALUES,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
    })
    .to_string()
}

/// The document behind both well-known addresses, as JSON: constant between two changes of the keys.
pub async fn document(broker: &Broker) -> Result<Bytes, Error> {
    Ok(signing::keys(broker).await?.metadata.clone())
}

/// Our public keys, as a JWK set.
pub async fn jwks(broker: &Broker) -> Result<Bytes, Error> {
    Ok(signing::keys(broker).await?.jwks.clone())
}
