//! What we and a tenant's webhook both know.

use serde::{Deserialize, Serialize};
use vestibule_protocol::time::{Seconds, Timestamp};

use crate::seal::Sealed;

/// How long a secret that was replaced still signs, beside its successor.
pub const SECRET_OVERLAP: Seconds = Seconds(86_400);

/// The secrets that sign what we send to a tenant's webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookSecrets {
    /// The one that was made last.
    pub current: Sealed,
    /// When it was made.
    pub created_at: Timestamp,
    /// The one before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<PreviousSecret>,
}

/// A secret that was replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousSecret {
    /// The secret.
    pub secret: Sealed,
    /// Until when it signs.
    pub until: Timestamp,
}
