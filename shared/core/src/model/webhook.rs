//! What we and a tenant's webhooks both know.

use schemars::JsonSchema;
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

/// Where a tenant wants to be told of what happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Subscription {
    /// Where events are posted to: an https address.
    pub url: String,
    /// Of what.
    pub events: Vec<EventKind>,
    /// Whether anything is sent. What happens meanwhile is not sent later.
    #[serde(default = "enabled")]
    pub enabled: bool,
}

const fn enabled() -> bool {
    true
}

impl Subscription {
    /// Whether it is told of this.
    pub fn wants(&self, kind: EventKind) -> bool {
        self.enabled && self.events.contains(&kind)
    }
}

/// What a webhook can be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum EventKind {
    /// Somebody is there who was not.
    #[serde(rename = "user.created")]
    UserCreated,
    /// Somebody may not sign in any more; all their sessions end.
    #[serde(rename = "user.deactivated")]
    UserDeactivated,
    /// Somebody may sign in again.
    #[serde(rename = "user.reactivated")]
    UserReactivated,
    /// Somebody was removed.
    #[serde(rename = "user.deleted")]
    UserDeleted,
    /// A session is over, for whatever reason but its age.
    #[serde(rename = "session.ended")]
    SessionEnded,
    /// Something that a connection needs ends within 30 days: a certificate, or the provider's metadata. The audit log says
    /// what.
    #[serde(rename = "connection.expiring")]
    ConnectionExpiring,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookEvent {
    /// What.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// When.
    pub time: Timestamp,
    /// Whom it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Through which identity provider, or directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// Which session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
}
