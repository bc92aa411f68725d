//! What we send to other people's servers of our own accord, until they take it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vestibule_protocol::time::{Seconds, Timestamp};

use super::webhook::WebhookEvent;

/// How long what could not be delivered is kept.
pub const DEAD_LIFE: Seconds = Seconds(30 * 86_400);

/// Something to be delivered. Kept unsigned: each try signs anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "message", rename_all = "snake_case")]
pub enum Message {
    /// That a session is over, to an application that held tokens in it (OpenID Connect Back-Channel Logout 1.0).
    BackchannelLogout {
        /// The application.
        client: String,
        /// The person.
        user: String,
        /// The session.
        session: String,
    },
    /// An event, to a webhook of the tenant.
    Event {
        /// The webhook.
        webhook: String,
        /// What happened.
        #[serde(flatten)]
        event: WebhookEvent,
    },
}

/// A message on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Delivery {
    /// What is delivered.
    #[serde(flatten)]
    pub message: Message,
    /// Since when it is owed.
    pub owed_at: Timestamp,
    /// How often it was tried.
    pub tries: usize,
    /// Why the last try failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// Why a try failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// When.
    pub at: Timestamp,
    /// What went wrong, in our words.
    pub problem: String,
}
