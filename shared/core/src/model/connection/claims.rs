//! Where a provider's claims about people are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vestibule_protocol::mapping::attribute::AttributeMapping;
use vestibule_protocol::mapping::path::ClaimPath;

/// Where in the claims a provider says what. What every person has is one value; of several, the first counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClaimNames {
    /// The e-mail address. Of one that is not `email`, nobody says that it is verified.
    pub email: ClaimPath,
    /// What names the person for good, such as Entra's `oid`. It must be one value.
    pub unique_id: ClaimPath,
    /// Their groups.
    pub groups: ClaimPath,
    /// The name that they go by.
    pub preferred_username: ClaimPath,
    /// Their full name.
    pub name: ClaimPath,
    /// Their first name.
    pub given_name: ClaimPath,
    /// Their last name.
    pub family_name: ClaimPath,
    /// Whatever else is kept of them, by the name that it has here.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, AttributeMapping>,
}

impl Default for ClaimNames {
    fn default() -> Self {
        Self {
            email: ClaimPath::exact("email"),
            unique_id: ClaimPath::exact("sub"),
            groups: ClaimPath::exact("groups"),
            preferred_username: ClaimPath::exact("preferred_username"),
            name: ClaimPath::exact("name"),
            given_name: ClaimPath::exact("given_name"),
            family_name: ClaimPath::exact("family_name"),
            attributes: BTreeMap::new(),
        }
    }
}
