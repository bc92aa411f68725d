//! By which road people come into a tenant.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a tenant's people come and go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Provisioning {
    /// The one road by which people come.
    pub mode: Mode,
    /// How many SCIM requests a second are answered, 1 to 50000; twice as many at once after a pause. Each process counts
    /// for itself.
    pub scim_requests_per_second: u16,
}

impl Default for Provisioning {
    fn default() -> Self {
        Self { mode: Mode::default(), scim_requests_per_second: 100 }
    }
}

/// A road. Exactly one is open in a tenant; whoever came by another one stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Whoever signs in for the first time is created.
    #[default]
    JustInTime,
    /// A directory pushes people; nobody else comes in.
    Scim,
    /// Administrators invite people; nobody else comes in.
    InviteOnly,
}

impl Provisioning {
    /// Whether nothing differs from what is usual.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}
