//! What a person may do and where they belong: roles, teams and business units, each with who granted it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A person's roles, teams and business units. The same name may be granted by several; it is gone when the last of
/// them takes it back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Access {
    /// Roles. Which of them counts, the tenant's mapping says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Grant>,
    /// Teams.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub teams: Vec<Grant>,
    /// Business units. They go to all of the person's teams.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub business_units: Vec<Grant>,
}

/// A role, team or business unit of a person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Grant {
    /// Its name.
    pub name: String,
    /// Who granted it. Only they take it back.
    #[serde(flatten)]
    pub from: Provenance,
}

/// Who granted something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Provenance {
    /// An administrator, by hand.
    Administrator,
    /// A rule, from what the directory pushed.
    Scim,
    /// A rule, from what an identity provider said at a login.
    Claim {
        /// Through which connection.
        connection: String,
    },
}

impl Access {
    /// Whether nothing was granted.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
