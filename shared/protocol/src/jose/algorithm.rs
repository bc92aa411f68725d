//! The signature algorithms that we accept. There is no `none` and no HMAC: confusing them with a public-key
//! algorithm cannot be expressed (RFC 8725 §2.1).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An asymmetric JWS algorithm (RFC 7518 §3.1, RFC 8037 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// ECDSA on P-384 with SHA-384.
    ES384,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RS512,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// RSASSA-PSS with SHA-384.
    PS384,
    /// RSASSA-PSS with SHA-512.
    PS512,
    /// Ed25519.
    EdDSA,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 9] = [
        Self::ES256,
        Self::ES384,
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::EdDSA,
    ];

    /// The name in a token's `alg` header.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::EdDSA => "EdDSA",
        }
    }

    /// The algorithm of a token's `alg` header, or `None` for one that we never accept.
    pub const fn from_header(algorithm: jsonwebtoken::Algorithm) -> Option<Self> {
        use jsonwebtoken::Algorithm as Header;
        match algorithm {
            Header::ES256 => Some(Self::ES256),
            Header::ES384 => Some(Self::ES384),
            Header::RS256 => Some(Self::RS256),
            Header::RS384 => Some(Self::RS384),
            Header::RS512 => Some(Self::RS512),
            Header::PS256 => Some(Self::PS256),
            Header::PS384 => Some(Self::PS384),
            Header::PS512 => Some(Self::PS512),
            Header::EdDSA => Some(Self::EdDSA),
            _ => None,
        }
    }

    /// What to write into a token's `alg` header.
    pub const fn to_header(self) -> jsonwebtoken::Algorithm {
        use jsonwebtoken::Algorithm as Header;
        match self {
            Self::ES256 => Header::ES256,
            Self::ES384 => Header::ES384,
            Self::RS256 => Header::RS256,
            Self::RS384 => Header::RS384,
            Self::RS512 => Header::RS512,
            Self::PS256 => Header::PS256,
            Self::PS384 => Header::PS384,
            Self::PS512 => Header::PS512,
            Self::EdDSA => Header::EdDSA,
        }
    }
}
