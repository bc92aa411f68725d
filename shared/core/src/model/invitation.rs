//! Invitations: an administrator asks somebody in, by a link that only they have and an address that is theirs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vestibule_protocol::time::{Seconds, Timestamp};

use super::access::Access;
use crate::handle::SecretHash;

/// How long an invitation waits where nothing else is said: a week.
pub const INVITATION_LIFE: Seconds = Seconds(7 * 86_400);
/// How long it may wait at most.
pub const MAX_INVITATION_LIFE: Seconds = Seconds(30 * 86_400);
/// How long it stays on record after its end.
pub const KEPT: Seconds = Seconds(90 * 86_400);

/// An invitation, but for the secret of its link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// Whom it is for, as it was written; compared in lower case.
    pub email: String,
    /// The application where they begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// What they get when they accept it.
    #[serde(default, skip_serializing_if = "Access::is_empty")]
    pub access: Access,
    /// SHA-256 of the secret of the last link.
    pub secret: SecretHash,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when the last link is good.
    pub expires_at: Timestamp,
    /// What came of it, when something did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

/// What came of an invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// Somebody accepted it.
    Accepted {
        /// Our id of the person.
        user: String,
        /// When.
        at: Timestamp,
    },
    /// An administrator took it back.
    Revoked {
        /// When.
        at: Timestamp,
    },
}

/// How an invitation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvitationState {
    /// Its link is good.
    Pending,
    /// Somebody came by it. It is used up.
    Accepted,
    /// Its time is over. It can be sent again.
    Expired,
    /// An administrator took it back.
    Revoked,
}

impl Invitation {
    /// How it stands at a time.
    pub fn state(&self, now: Timestamp) -> InvitationState {
        match self.outcome {
            Some(Outcome::Accepted { .. }) => InvitationState::Accepted,
            Some(Outcome::Revoked { .. }) => InvitationState::Revoked,
            None if self.expires_at.has_passed(now) => InvitationState::Expired,
            None => InvitationState::Pending,
        }
    }

    /// The bearer of this secret may accept it now.
    pub fn is_open_to(&self, secret: &[u8], now: Timestamp) -> bool {
        self.secret.matches(secret) && self.state(now) == InvitationState::Pending
    }
}
