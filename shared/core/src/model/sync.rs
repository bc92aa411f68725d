//! How a connection's people are asked about between sign-ins, and how that goes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vestibule_protocol::time::Timestamp;

use super::watch::Trouble;

/// How sessions of a connection are examined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SyncSettings {
    /// How many are examined at once in a process, 1 to 6.
    pub at_once: u8,
    /// How many in a minute, in a process: 1 to 60000. Others wait for their next turn, a quarter of an hour later.
    pub per_minute: u32,
    /// What it means that the provider refuses an access token before its time, together with the refresh token.
    pub refused_tokens: RefusedTokens,
    /// When decommissions stop and wait for an administrator.
    pub breaker: Breaker,
}

impl Default for SyncSettings {
    fn default() -> Self {
        Self { at_once: 6, per_minute: 600, refused_tokens: RefusedTokens::default(), breaker: Breaker::default() }
    }
}

/// What a provider means that takes back all that it gave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefusedTokens {
    /// That it does not know the person any more: they are decommissioned.
    #[default]
    Decommission,
    /// That it ended this sign-in, perhaps because the person asked for it: the session ends.
    EndSession,
}

/// When decommissions of a connection stop: within an hour, both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Breaker {
    /// More than this share of the sessions that are examined in a round, in percent: 1 to 100.
    pub percent: u8,
    /// At least so many people; 1 or more.
    pub people: u32,
}

impl Default for Breaker {
    fn default() -> Self {
        Self { percent: 20, people: 10 }
    }
}

/// How a connection's examinations go. One record, which every step brings up to date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncState {
    /// Since when is counted.
    pub since: Timestamp,
    /// When a session of it was last examined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_at: Option<Timestamp>,
    /// What came of all examinations.
    #[serde(default)]
    pub totals: Totals,
    /// The last five quarters of an hour in which something happened: in each, every session has its turn once.
    #[serde(default)]
    pub quarters: Vec<Quarter>,
    /// That decommissions were stopped. Nothing is examined until an administrator decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
    /// Until when nothing stops them, because an administrator said yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_until: Option<Timestamp>,
    /// What was found until then counts no more, because an administrator said no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discarded_at: Option<Timestamp>,
    /// Until when the provider asked to be left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_until: Option<Timestamp>,
}

impl SyncState {
    /// A connection of which nothing was examined yet.
    pub fn new(now: Timestamp) -> Self {
        Self {
            since: now,
            last_at: None,
            totals: Totals::default(),
            quarters: Vec::new(),
            stopped: None,
            approved_until: None,
            discarded_at: None,
            paused_until: None,
        }
    }
}

/// Sums.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Totals {
    /// Sessions that were examined.
    pub examined: u64,
    /// Whose provider vouched for the person.
    pub vouched: u64,
    /// That ended, and their persons stayed.
    pub ended: u64,
    /// That ended with their persons' decommission.
    pub decommissioned: u64,
    /// That told nothing.
    pub deferred: u64,
    /// Why they told nothing.
    pub troubles: BTreeMap<Trouble, u64>,
}

/// A quarter of an hour.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarter {
    /// Its number since the epoch.
    pub number: i64,
    /// Sessions that were examined.
    pub examined: u32,
    /// Of these, whose persons were to be decommissioned.
    pub gone: u32,
    /// How many people that were.
    pub people: u32,
    /// How late the latest of them was, in seconds.
    pub lag: i64,
}

/// That decommissions were stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stopped {
    /// When.
    pub at: Timestamp,
    /// How many people the provider did not know any more within the hour.
    pub people: u32,
    /// In how many sessions.
    pub sessions: u32,
    /// Of how many that were examined in a round.
    pub examined: u32,
}

/// What becomes of people whom their identity provider did not know, too many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// They are decommissioned, and so are others for an hour, however many.
    CarryOut,
    /// Nothing: what was found is forgotten, and they are asked about again.
    Discard,
}
