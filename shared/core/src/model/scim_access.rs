//! What lets a directory speak SCIM.

use jsonwebtoken::jwk::Jwk;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vestibule_protocol::time::{Seconds, Timestamp};

use crate::handle::SecretHash;

/// How many tokens a tenant may have, and how many OAuth clients for SCIM.
pub const MAX_OF_EACH: usize = 20;
/// How long a token may go on beside the one that replaces it.
pub const MAX_OVERLAP: Seconds = Seconds(7 * 86_400);

/// A token with which a directory speaks SCIM, but for its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScimToken {
    /// What people call it.
    pub name: String,
    /// SHA-256 of its secret.
    pub secret: SecretHash,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When it was last seen, to the hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
    /// The connection that it belongs to, where it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// The token that takes its place, when it was rotated and goes on for a while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<String>,
}

/// The shortest life of an access token for SCIM: directories ask for an hour at least.
pub const MIN_SCIM_ACCESS_LIFE: Seconds = Seconds(3_600);
/// The longest: six hours.
pub const MAX_SCIM_ACCESS_LIFE: Seconds = Seconds(21_600);

/// A directory that gets its tokens for SCIM at our token endpoint, by client credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScimClient {
    /// The tenant whose people it keeps.
    pub tenant: String,
    /// What people call it.
    pub name: String,
    /// How it proves who it is; the only way that is accepted from it.
    #[serde(flatten)]
    pub proof: Proof,
    /// The connection that it belongs to, where it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// How long its access tokens live.
    pub access_token_life: Seconds,
    /// When it was made.
    pub created_at: Timestamp,
}

/// How such a client proves who it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "client_auth", rename_all = "snake_case")]
pub enum Proof {
    /// Name and secret in the `Authorization` header.
    ClientSecretBasic {
        /// SHA-256 of the secret.
        secret: SecretHash,
    },
    /// Name and secret in the form.
    ClientSecretPost {
        /// SHA-256 of the secret.
        secret: SecretHash,
    },
    /// A statement signed with one of these keys.
    PrivateKeyJwt {
        /// Its public keys.
        keys: Vec<Jwk>,
    },
    /// A statement about it by an issuer that is trusted for it.
    TrustedIssuer(TrustedIssuer),
}

/// Whose statements about whom are trusted (RFC 7523 §2.2, §3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrustedIssuer {
    /// Who makes them, exactly as in `iss`: an issuer that publishes OpenID provider metadata.
    pub issuer: String,
    /// Whom they are about, exactly as in `sub`: the directory's own id there.
    pub subject: String,
    /// Whom they are for, exactly as in `aud`; our issuer when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
}
