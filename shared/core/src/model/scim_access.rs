//! What lets a directory speak SCIM.

use serde::{Deserialize, Serialize};
use vestibule_protocol::time::{Seconds, Timestamp};

use crate::handle::SecretHash;

/// How many tokens a tenant may have.
pub const MAX_SCIM_TOKENS: usize = 20;
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
