//! Authorization requests that wait for their browser.

use serde::{Deserialize, Serialize};
use vestibule_protocol::time::Timestamp;

/// A request that its client sent ahead. Which client stands in the record's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushedRequest {
    /// The request's parameters as a query string, without anything that authenticates the client.
    pub parameters: String,
    /// Until when it waits. Not kept by version 0.1, whose requests never waited for a choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// Whether the person was asked which way they sign in; the time for that is given once.
    #[serde(default)]
    pub asked: bool,
}
