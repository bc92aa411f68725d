//! Our signing keys as they are stored: the private half sealed.

use jsonwebtoken::jwk::Jwk;
use serde::{Deserialize, Serialize};
use vestibule_protocol::jose::Algorithm;
use vestibule_protocol::time::Timestamp;

use crate::seal::Sealed;

/// All signing keys, the active one first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRing {
    /// At least one.
    pub keys: Vec<StoredKey>,
}

/// A signing key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredKey {
    /// Its name in the published set.
    pub kid: String,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// The public half, as published.
    pub public: Jwk,
    /// The private half: PKCS #8 in base64url, sealed.
    pub private: Sealed,
    /// When it was made.
    pub created_at: Timestamp,
}
