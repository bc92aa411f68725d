//! What a directory did, as the audit log keeps it: who, what was different before, and what it meant for people.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vestibule_protocol::scim::note::Note;

use super::access::{Access, Grant};
use super::audit::ChangeKind;

/// The token or client with which a directory acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Provisioner {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
}

/// One commit of a directory's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Provisioned {
    /// The resource, as its path below `/scim/v2`.
    pub object: String,
    /// What happened to it.
    pub change: ChangeKind,
    /// Who did it.
    pub by: Provisioner,
    /// What is different, at most 20 attributes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<AttributeChange>,
    /// Whose memberships or rights are different. A change of very many people is told in several events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<PersonChange>,
    /// What was forgiven.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
}

/// An attribute that is different. What is no text is shown as JSON; of what is long, the first 200 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AttributeChange {
    /// Its name, with the extension before it.
    pub name: String,
    /// What it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// What a change meant for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PersonChange {
    /// The person.
    pub user: String,
    /// Whether they came into the group, or left it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub membership: Option<Membership>,
    /// What they have now and did not before.
    #[serde(default, skip_serializing_if = "Rights::is_empty")]
    pub gained: Rights,
    /// What they had before and have no more.
    #[serde(default, skip_serializing_if = "Rights::is_empty")]
    pub lost: Rights,
}

/// What happened to somebody's membership of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Membership {
    /// They are in it now.
    Joined,
    /// They are not any more.
    Left,
}

/// Most names of a kind in [`Rights`]: an event must fit a record.
const MOST_NAMES: usize = 20;

/// Names of roles, teams and business units, whoever granted them; the first 20 of each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rights {
    /// Roles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// Teams.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub teams: Vec<String>,
    /// Business units.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub business_units: Vec<String>,
}

impl Rights {
    /// What is in `one` and not in `other`.
    pub(crate) fn missing(one: &Access, other: &Access) -> Self {
        let names = |grants: &[Grant]| grants.iter().map(|grant| grant.name.clone()).collect::<BTreeSet<_>>();
        let missing =
            |one: &[Grant], other: &[Grant]| names(one).difference(&names(other)).take(MOST_NAMES).cloned().collect();
        Self {
            roles: missing(&one.roles, &other.roles),
            teams: missing(&one.teams, &other.teams),
            business_units: missing(&one.business_units, &other.business_units),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::access::Provenance;

    /// SC-22: a right is lost when the last who granted it takes it back.
    #[test]
    fn a_right_that_somebody_else_grants_is_not_lost() {
        let grant = |name: &str, from| Grant { name: name.to_owned(), from };
        let before = Access {
            roles: vec![grant("admin", Provenance::Administrator), grant("admin", Provenance::Scim)],
            teams: vec![grant("ops", Provenance::Scim)],
            ..Access::default()
        };
        let after = Access {
            roles: vec![grant("admin", Provenance::Administrator)],
            business_units: vec![grant("emea", Provenance::Scim)],
            ..Access::default()
        };
        let lost = Rights { teams: vec!["ops".to_owned()], ..Rights::default() };
        assert_eq!(Rights::missing(&before, &after), lost);
        assert_eq!(Rights::missing(&after, &before).business_units, ["emea"]);
        assert!(Rights::missing(&after, &after).is_empty());
    }
}
