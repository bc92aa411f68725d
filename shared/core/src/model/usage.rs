//! How much a tenant uses the broker.

use serde::{Deserialize, Serialize};

/// A day's figures of one session shard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardUsage {
    /// How many people signed in or were refreshed.
    pub people: u64,
    /// How many sign-ins and refreshes there were.
    pub requests: u64,
}
