//! A tenant's rules: which value of which claim makes which role, team or business unit.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::path::ClaimPath;
use super::pattern::Pattern;
use super::value::{Said, Split};
use super::{fold, name};

/// Most names that rules grant of a kind: they are kept with the person, and travel in tokens.
pub const MAX_NAMES: usize = 300;

/// As many reasons are told for a name.
const MAX_REASONS: usize = 20;

/// From a value to a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The claim: its exact name, a dotted path, or JSONPath; or a name that `scim` ties to an attribute.
    pub claim: ClaimPath,
    /// Where one text is several values: a separator, or several characters in brackets, each of which is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// The value, in any case; `*` for every value; or a text with `${*}` in the place of what is taken from the value.
    pub value: Pattern,
    /// What the rule makes of it.
    pub grants: Kind,
    /// What it is called; what was taken from the value when left out, or when it is `*` or `${*}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The only connection whose claims count, and then nothing that a directory pushed does; all when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
}

/// What can be granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A role, one of the tenant's list.
    Role,
    /// A team.
    Team,
    /// A business unit, to which all teams of the person belong.
    BusinessUnit,
}

/// Which of several roles counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoleChoice {
    /// The first in the tenant's list of roles.
    #[default]
    MostPrivileged,
    /// The one of the first rule that is for a value; one that was given by hand goes before all.
    FirstMatch,
}

/// What came of the rules.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Outcome {
    /// What is granted: roles in the order of the rules, then teams, then business units.
    pub granted: Vec<Granted>,
    /// The rules that granted nothing, or not all that they would.
    pub unmet: Vec<Unmet>,
}

/// A name that is granted, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Granted {
    /// A role, team or business unit.
    pub grants: Kind,
    /// Its name.
    pub name: String,
    /// The rules and values that made it; of very many, the first 20.
    pub reasons: Vec<Reason>,
}

/// Why something is granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Reason {
    /// Which rule, counted from 0.
    pub rule: usize,
    /// The claim.
    pub claim: String,
    /// Its value.
    pub value: String,
}

/// A rule that granted nothing, or not all that it would.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Unmet {
    /// Which rule, counted from 0.
    pub rule: usize,
    /// What kept it from that.
    pub because: Obstacle,
}

/// What keeps a rule from granting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Obstacle {
    /// It is not asked here: another connection's, or tied to no attribute of a directory.
    NotAsked,
    /// The claim has no value.
    NoValue,
    /// It has values, and the rule is for none of them.
    NoMatch,
    /// What was taken from the value is none of the tenant's roles.
    NoSuchRole,
    /// There are more values than were sent, or than are looked at: what was granted before stays.
    TooManyValues,
    /// More names are granted than are kept.
    TooManyNames,
}

impl Outcome {
    /// Asks every rule. `asked` gives what is said of its claim, `None` when the rule is not asked here. `listed` are
    /// the tenant's roles.
    pub fn of(rules: &[Rule], listed: &[&str], mut asked: impl FnMut(&Rule) -> Option<Said>) -> Self {
        let mut evaluation = Evaluation::default();
        // Many rules are about one claim: it is read once.
        let mut said = BTreeMap::new();
        for (index, rule) in rules.iter().enumerate() {
            let split = rule.split.as_ref().map(ToString::to_string);
            let source = (rule.claim.as_str(), split, rule.connection.as_deref());
            let obstacle = match said.entry(source).or_insert_with(|| asked(rule)) {
                None => Some(Obstacle::NotAsked),
                Some(Said::TooMany) => Some(Obstacle::TooManyValues),
                Some(Said::Values(values)) if values.is_empty() => Some(Obstacle::NoValue),
                Some(Said::Values(values)) => evaluation.ask(index, rule, values, listed),
            };
            evaluation.outcome.unmet.extend(obstacle.map(|because| Unmet { rule: index, because }));
        }
        let mut outcome = evaluation.outcome;
        outcome.granted.sort_by_key(|granted| granted.grants);
        outcome
    }

    /// Whether it is not known what these rules grant of a kind, or not all of it: nothing of it is withdrawn.
    pub fn is_partial(&self, rules: &[Rule], kind: Kind) -> bool {
        let unknown = self.unmet.iter().filter(|rule| rule.because == Obstacle::TooManyValues);
        let mut kinds = unknown.filter_map(|found| rules.get(found.rule));
        kinds.any(|rule| rule.grants == kind)
    }

    /// The names that are granted of a kind.
    pub fn names(&self, kind: Kind) -> impl Iterator<Item = &str> {
        self.granted.iter().filter(move |granted| granted.grants == kind).map(|granted| granted.name.as_str())
    }
}

/// An outcome in the making.
#[derive(Default)]
struct Evaluation {
    outcome: Outcome,
    /// Where each name is among what is granted, without case.
    places: BTreeMap<(Kind, String), usize>,
}

impl Evaluation {
    fn ask(&mut self, index: usize, rule: &Rule, values: &[String], roles: &[&str]) -> Option<Obstacle> {
        let mut obstacle = Some(Obstacle::NoMatch);
        for value in values {
            let Some(taken) = rule.value.take(value) else { continue };
            let Some(name) = rule.name_of(taken, roles) else {
                obstacle = obstacle.map(|_| Obstacle::NoSuchRole);
                continue;
            };
            let reason = Reason { rule: index, claim: rule.claim.to_string(), value: value.clone() };
            if !self.grant(rule.grants, name, reason) {
                return Some(Obstacle::TooManyNames);
            }
            obstacle = None;
        }
        obstacle
    }

    /// Adds a name, or one more reason for it. False when there are too many.
    fn grant(&mut self, grants: Kind, name: String, reason: Reason) -> bool {
        let key = (grants, fold(&name));
        if let Some(granted) = self.places.get(&key).and_then(|place| self.outcome.granted.get_mut(*place)) {
            if granted.reasons.len() < MAX_REASONS {
                granted.reasons.push(reason);
            }
            return true;
        }
        if self.outcome.names(grants).count() == MAX_NAMES {
            return false;
        }
        self.places.insert(key, self.outcome.granted.len());
        self.outcome.granted.push(Granted { grants, name, reasons: vec![reason] });
        true
    }
}

impl Rule {
    /// The name that is always granted; `None` where it comes from the value.
    pub fn fixed_name(&self) -> Option<&str> {
        self.name.as_deref().filter(|name| !matches!(*name, "*" | "${*}"))
    }

    fn name_of(&self, taken: &str, roles: &[&str]) -> Option<String> {
        let name = self.fixed_name().unwrap_or(taken);
        match self.grants {
            Kind::Role => {
                let folded = fold(name);
                roles.iter().find(|role| fold(role) == folded).map(|role| (*role).to_owned())
            }
            Kind::Team | Kind::BusinessUnit => Some(name::normalised(name)),
        }
    }
}

impl RoleChoice {
    /// The role that counts, of those that were granted. `roles` are the tenant's, the most privileged first; others do
    /// not count. `granted` is in the order of the rules, what was given by hand before them.
    pub fn choose<'g>(self, roles: &[&str], granted: impl Iterator<Item = &'g str>) -> Option<&'g str> {
        let place = |name: &str| roles.iter().position(|role| *role == name);
        let mut known = granted.filter_map(|name| Some((place(name)?, name)));
        match self {
            Self::FirstMatch => known.next(),
            Self::MostPrivileged => known.min_by_key(|(place, _)| *place),
        }
        .map(|(_, name)| name)
    }
}

#[cfg(test)]
mod tests;
