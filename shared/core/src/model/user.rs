//! The people of a tenant.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use vestibule_protocol::oauth::scope::Scope;
use vestibule_protocol::oidc::groups::Groups;
use vestibule_protocol::time::Timestamp;

use super::access::Access;

/// A person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct User {
    /// Ours, random; the `sub` of our tokens. Never given to another person.
    pub id: String,
    /// Whether they may sign in.
    pub active: bool,
    /// What the identity provider last said of them.
    pub profile: Profile,
    /// Which groups it last said they are in.
    #[serde(default)]
    pub groups: Groups,
    /// The connection through which it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups_from: Option<String>,
    /// The address under which other connections find them: verified, of a domain that the tenant owns, in lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linked_email: Option<String>,
    /// By which road they came, and so who keeps what is known of them.
    #[serde(default)]
    pub source: Source,
    /// The connection that the directory belongs to which pushed them: they sign in for the first time through no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provisioned_by: Option<String>,
    /// What is known of them as SCIM has it (RFC 7643 §4.1), normalised: `userName` always, never `id`, `meta`,
    /// `schemas`, `active` or `groups`.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub attributes: Map<String, Value>,
    /// What identity providers call them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identities: Vec<IdentityName>,
    /// The groups of the directory that they are in, by id. Each has a record that says the same.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub member_of: BTreeMap<String, GroupName>,
    /// What the connection of their last sign-in keeps of them besides, by the names that it has here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub mapped_attributes: BTreeMap<String, Value>,
    /// Their roles, teams and business units.
    #[serde(default, skip_serializing_if = "Access::is_empty")]
    pub access: Access,
    /// When they were first seen.
    pub created_at: Timestamp,
    /// When this record last changed.
    pub updated_at: Timestamp,
}

/// By which road a person came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// At their first sign-in. Each sign-in refreshes what is known of them.
    #[default]
    Login,
    /// A directory pushed them, or took them over. It alone says who they are.
    Scim,
    /// They accepted an invitation; then as with a sign-in.
    Invitation,
}

/// What an identity provider calls a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IdentityName {
    /// The connection.
    pub connection: String,
    /// The provider.
    pub issuer: String,
    /// Its name for the person.
    pub subject: String,
}

/// A group that somebody is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroupName {
    /// What the group was called when this was last written. A group's new name is carried to all of its members.
    pub display: String,
    /// The connection whose claims say so; none where a directory pushed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
}

/// What applications may learn of a person (OpenID Connect Core §5.1).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Profile {
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the identity provider says that it verified the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// Full name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// First name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// Last name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// The name they go by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
}

/// From what an identity provider calls a person to the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityLink {
    /// Our id of the person.
    pub user: String,
    /// The provider, for whoever reads the record: the key holds only a hash.
    pub issuer: String,
    /// The provider's name for the person.
    pub subject: String,
}

impl IdentityLink {
    /// The member that names the person.
    pub const USER: &str = "user";
}

/// From a name that only one person can have to that person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Our id of the person, or of the group where groups have such names.
    pub id: String,
}

impl Owner {
    /// The member that names the owner.
    pub const ID: &str = "id";
}

/// From a verified address to the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailOwner {
    /// Our id of the person.
    pub user: String,
}

impl User {
    /// The name that nobody else in the tenant has.
    pub fn user_name(&self) -> &str {
        self.attributes.get("userName").and_then(Value::as_str).unwrap_or(&self.id)
    }

    /// What the directory calls them.
    pub fn external_id(&self) -> Option<&str> {
        self.attributes.get("externalId").and_then(Value::as_str)
    }

    /// Their addresses, as written.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        let addresses = self.attributes.get("emails").and_then(Value::as_array).into_iter().flatten();
        addresses.filter_map(|address| address.get("value")?.as_str())
    }
}

impl Profile {
    /// The part that a scope reveals (OpenID Connect Core §5.4).
    #[must_use]
    pub fn visible_to(&self, scope: &Scope) -> Self {
        let mut visible = Self::default();
        if scope.has("email") {
            visible.email.clone_from(&self.email);
            visible.email_verified = self.email_verified;
        }
        if scope.has("profile") {
            visible.name.clone_from(&self.name);
            visible.given_name.clone_from(&self.given_name);
            visible.family_name.clone_from(&self.family_name);
            visible.preferred_username.clone_from(&self.preferred_username);
        }
        visible
    }
}
