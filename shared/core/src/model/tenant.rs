//! Customer organisations.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::checkpoint::Checkpoint;
use super::lifetimes::Lifetimes;
use super::provisioning::Provisioning;

/// A customer organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tenant {
    /// What people read.
    pub name: String,
    /// Over how many partitions its sessions are spread, 1 to 1024. Set once: it decides where a session is found.
    pub session_shards: u16,
    /// A picture for the sign-in page: an https address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo_url: Option<String>,
    /// The colour of the sign-in page's buttons, as `#rrggbb`; white text can be read on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colour: Option<String>,
    /// What its people go through before they are let in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Checkpoint>,
    /// The hosts at which its connections may be asked, in lower case and without a port; empty for all that the egress
    /// policy allows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub egress_hosts: Vec<String>,
    /// How long its sessions and tokens live.
    #[serde(default, skip_serializing_if = "Lifetimes::are_unset")]
    pub lifetimes: Lifetimes,
    /// For how many days its audit events are kept; for good when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit_days: Option<u16>,
    /// By which road its people come.
    #[serde(default, skip_serializing_if = "Provisioning::is_usual")]
    pub provisioning: Provisioning,
}

/// Enough for some thousand logins a second on either cloud.
pub const DEFAULT_SESSION_SHARDS: u16 = 8;
