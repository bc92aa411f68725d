//! What a tenant sets of SCIM.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vestibule_protocol::scim::schema::Schema;

/// The attributes that a tenant's directory has beside those of the standard.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ScimSchemas {
    /// Of people.
    pub user: Vec<Schema>,
    /// Of groups.
    pub group: Vec<Schema>,
}
