//! The people of a tenant.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vestibule_protocol::oauth::scope::Scope;
use vestibule_protocol::oidc::groups::Groups;
use vestibule_protocol::time::Timestamp;

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// The address under which other connections find them: verified, of a domain that the tenant owns, in lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linked_email: Option<String>,
    /// When they were first seen.
    pub created_at: Timestamp,
    /// When this record last changed.
    pub updated_at: Timestamp,
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

/// From a verified address to the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailOwner {
    /// Our id of the person.
    pub user: String,
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
