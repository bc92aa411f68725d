//! Groups of people. A group's members are records of their own, so that one more costs as much in a group of ten
//! thousand as in a group of two.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use vestibule_protocol::time::Timestamp;

use super::user::GroupName;

/// A group, but for its members.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Ours, random; never given to another group.
    pub id: String,
    /// Its SCIM attributes, normalised: `displayName`, `externalId`, those of the tenant's extensions.
    pub attributes: Map<String, Value>,
    /// Where it comes from.
    #[serde(flatten)]
    pub source: GroupSource,
    /// When it was first seen.
    pub created_at: Timestamp,
    /// When this record last changed; its members change without it ([`Touch`]).
    pub updated_at: Timestamp,
}

/// Where a group comes from. Only they change it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "snake_case")]
pub enum GroupSource {
    /// A directory pushed it.
    Scim,
    /// An identity provider named it in claims.
    Claims {
        /// Through which connection.
        connection: String,
    },
}

impl Group {
    /// How a person's record names it.
    pub fn name(&self) -> GroupName {
        GroupName { display: self.display_name().to_owned(), connection: self.connection().map(str::to_owned) }
    }

    /// The connection whose claims it comes from, if it comes from claims.
    pub fn connection(&self) -> Option<&str> {
        match &self.source {
            GroupSource::Scim => None,
            GroupSource::Claims { connection } => Some(connection),
        }
    }

    /// What people call it.
    pub fn display_name(&self) -> &str {
        self.attributes.get("displayName").and_then(Value::as_str).unwrap_or_default()
    }

    /// What the directory calls it.
    pub fn external_id(&self) -> Option<&str> {
        self.attributes.get("externalId").and_then(Value::as_str)
    }
}

/// When a group's members last changed. Written with each change of members and never read by it, so that changes do
/// not wait for each other; its version is part of the group's tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touch {
    /// When.
    pub at: Timestamp,
}

/// That somebody is in a group. The person's record says so too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Since when.
    pub since: Timestamp,
}
