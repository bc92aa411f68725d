//! What a person may do and where they belong: roles, teams and business units, each with who granted it.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vestibule_protocol::mapping::rule::Kind;
use vestibule_protocol::scim::condition::fold;

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
    /// What was granted of a kind, by hand first.
    pub fn of(&self, kind: Kind) -> &[Grant] {
        match kind {
            Kind::Role => &self.roles,
            Kind::Team => &self.teams,
            Kind::BusinessUnit => &self.business_units,
        }
    }

    /// The names of a kind, each once, whoever granted it.
    pub fn names(&self, kind: Kind) -> Vec<String> {
        let mut known = BTreeSet::new();
        let names = self.of(kind).iter().map(|grant| &grant.name);
        names.filter(|name| known.insert(fold(name))).cloned().collect()
    }

    /// Puts names in the place of what `from` granted of a kind; with `keep`, beside it. The order of names stays.
    pub fn replace(&mut self, kind: Kind, from: &Provenance, names: Vec<String>, keep: bool) {
        let grants = match kind {
            Kind::Role => &mut self.roles,
            Kind::Team => &mut self.teams,
            Kind::BusinessUnit => &mut self.business_units,
        };
        let mut new: Vec<Grant> = names.into_iter().map(|name| Grant { name, from: from.clone() }).collect();
        if keep {
            let kept: Vec<Grant> = grants.iter().filter(|grant| grant.from == *from).cloned().collect();
            new.retain(|grant| !kept.contains(grant));
            new.splice(0..0, kept);
        }
        grants.retain(|grant| grant.from != *from);
        grants.extend(new);
        grants.sort_by(|one, other| one.from.cmp(&other.from));
    }

    /// Whether nothing was granted.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(access: &Access) -> Vec<&str> {
        access.teams.iter().map(|grant| grant.name.as_str()).collect()
    }

    #[test]
    fn a_source_takes_back_what_it_granted_and_nothing_else() {
        let mut access = Access::default();
        let claim = |connection: &str| Provenance::Claim { connection: connection.to_owned() };
        let mut set = |from: &Provenance, teams: &[&str], keep: bool| {
            let teams = teams.iter().map(|team| (*team).to_owned()).collect();
            access.replace(Kind::Team, from, teams, keep);
            access.clone()
        };
        set(&claim("a"), &["x", "y"], false);
        set(&claim("b"), &["x"], false);
        set(&Provenance::Administrator, &["x"], false);
        assert_eq!(names(&set(&Provenance::Scim, &["z"], false)), ["x", "z", "x", "y", "x"]);
        assert_eq!(names(&set(&claim("a"), &["w"], false)), ["x", "z", "w", "x"]);
        assert_eq!(names(&set(&claim("a"), &["v", "w"], true)), ["x", "z", "w", "v", "x"], "what is not known is kept");
        assert_eq!(names(&set(&claim("a"), &[], false)), ["x", "z", "x"]);
    }
}
