//! Authorization requests that wait for their browser.

use serde::{Deserialize, Serialize};

/// A request that its client sent ahead. Which client stands in the record's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushedRequest {
    /// The request's parameters as a query string, without anything that authenticates the client.
    pub parameters: String,
}
