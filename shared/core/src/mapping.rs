//! What a person may do and where they belong, by their tenant's rules: evaluated anew at each sign-in and with each
//! change that a directory pushes, in the commit that writes the person. What one source granted is withdrawn by that
//! source alone: a grant by hand outlives every evaluation.

use vestibule_protocol::mapping::rule::{Kind, Outcome, Rule};
use vestibule_protocol::mapping::value::Said;
use vestibule_protocol::oidc::claims::Claims;

use crate::Broker;
use crate::error::Error;
use crate::model::access::{Access, Provenance};
use crate::model::mapping::Mapping;
use crate::model::user::User;

/// What the rules are asked of.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Evidence<'a> {
    /// What an identity provider said at a sign-in: the claims of ID token and userinfo.
    Claims {
        /// Through which connection.
        connection: &'a str,
        /// The claims.
        claims: &'a Claims,
    },
    /// What a directory pushed: the attributes and groups of the person's own record, as it is about to be written.
    Directory,
}

/// What came of an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// They have a role, or need none.
    Admitted,
    /// No role of the tenant's is theirs, and without one nobody signs in.
    NoRole,
}

/// Asks the tenant's rules, and puts into the person's `access` what they grant, in the place of what the same source
/// granted before. To be called before the commit that writes the person.
pub(crate) async fn reevaluate(
    broker: &Broker,
    tenant: &str,
    user: &mut User,
    evidence: Evidence<'_>,
) -> Result<Standing, Error> {
    let mapping = broker.mapping(tenant).await?;
    Ok(apply(&mapping, user, evidence))
}

/// The same with this mapping.
pub(crate) fn apply(mapping: &Mapping, user: &mut User, evidence: Evidence<'_>) -> Standing {
    let outcome = ask(mapping, Some(user), evidence);
    let from = evidence.provenance();
    for kind in [Kind::Role, Kind::Team, Kind::BusinessUnit] {
        let names = outcome.names(kind).map(str::to_owned).collect();
        // What is not known is withdrawn from nobody.
        let keep = outcome.is_partial(&mapping.rules, kind);
        user.access.replace(kind, &from, names, keep);
    }
    standing(mapping, &user.access)
}

/// Asks the rules, and changes nothing. Of nobody, a directory says nothing.
pub(crate) fn ask(mapping: &Mapping, user: Option<&User>, evidence: Evidence<'_>) -> Outcome {
    let said = |rule: &Rule| match evidence {
        Evidence::Claims { connection, claims } => {
            let asked = rule.connection.as_deref().is_none_or(|only| only == connection);
            asked.then(|| Said::of(claims, &rule.claim, rule.split.as_ref()))
        }
        Evidence::Directory => {
            let source = mapping.scim.get(rule.claim.as_str()).filter(|_| rule.connection.is_none())?;
            let user = user?;
            // What claims say, no directory pushed.
            let pushed = user.member_of.values().filter(|group| group.connection.is_none());
            let groups = pushed.map(|group| group.display.as_str());
            Some(source.said(&user.attributes, groups, rule.split.as_ref()))
        }
    };
    Outcome::of(&mapping.rules, &mapping.role_names(), said)
}

/// The role that counts, of those that a person was granted.
pub(crate) fn role<'a>(mapping: &Mapping, access: &'a Access) -> Option<&'a str> {
    mapping.role_choice.choose(&mapping.role_names(), access.roles.iter().map(|grant| grant.name.as_str()))
}

/// Whether somebody with this access may sign in.
pub(crate) fn standing(mapping: &Mapping, access: &Access) -> Standing {
    if mapping.requires_role() && role(mapping, access).is_none() { Standing::NoRole } else { Standing::Admitted }
}

impl Evidence<'_> {
    fn provenance(self) -> Provenance {
        match self {
            Self::Claims { connection, .. } => Provenance::Claim { connection: connection.to_owned() },
            Self::Directory => Provenance::Scim,
        }
    }
}
