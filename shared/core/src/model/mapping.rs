//! A tenant's mapping: from claims, or from what a directory pushed, to roles, teams and business units.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vestibule_protocol::mapping::directory::DirectorySource;
use vestibule_protocol::mapping::rule::{Kind, RoleChoice, Rule};

/// A tenant's roles, and the rules that grant them, teams and business units.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Mapping {
    /// The roles that there are, the most privileged first. At most 100.
    pub roles: Vec<Role>,
    /// Which of several roles counts.
    pub role_choice: RoleChoice,
    /// Whether somebody without a role is refused; when left out, they are where a rule grants roles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub require_role: Option<bool>,
    /// The rules. At most 500.
    pub rules: Vec<Rule>,
    /// What stands for a claim where a directory pushes people: a SCIM attribute, or `group_display_names`.
    pub scim: BTreeMap<String, DirectorySource>,
}

/// A role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Its name, as applications get it. 1 to 64 characters.
    pub name: String,
    /// What it is for. At most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

impl Mapping {
    /// The names of the roles, the most privileged first.
    pub fn role_names(&self) -> Vec<&str> {
        self.roles.iter().map(|role| role.name.as_str()).collect()
    }

    /// Whether somebody without a role is refused.
    pub fn requires_role(&self) -> bool {
        self.require_role.unwrap_or_else(|| self.rules.iter().any(|rule| rule.grants == Kind::Role))
    }
}
