//! What a mapping would change for the people who are there. What a directory pushed is at hand, and its rules can be
//! asked now; what a provider says is not kept, so of what comes of claims only the next sign-in knows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vestibule_protocol::mapping::rule::Kind;

use super::{check, drafted};
use crate::Broker;
use crate::admin::paging::{self, Page, Paging};
use crate::admin::{Checked, tenants};
use crate::error::Error;
use crate::mapping::{self, Evidence, Standing};
use crate::model::access::{Access, Provenance};
use crate::model::mapping::Mapping;
use crate::model::user::{Source, User};
use crate::store::key;

/// What an administrator sends.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DryRunInput {
    /// A mapping that is not saved yet; the one that is set when left out.
    #[serde(default)]
    pub mapping: Option<Mapping>,
    /// How many people are looked at, 1 to 100; 50 when left out.
    #[serde(default)]
    pub limit: Option<u32>,
    /// The `next` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// A page of people.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DryRun {
    /// Those of this page for whom something would change, or may.
    pub items: Vec<Forecast>,
    /// How many people were looked at.
    pub looked_at: usize,
    /// Pass as `cursor` to go on; null at the end.
    pub next: Option<String>,
}

/// What would become of a person.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Forecast {
    /// The person.
    pub user: String,
    /// Their user name.
    pub user_name: String,
    /// What they would have that they have not.
    pub gains: Vec<Name>,
    /// What they would have no more.
    pub loses: Vec<Name>,
    /// What an identity provider's claims granted: whether it stays, the person's next sign-in tells.
    pub at_next_login: Vec<Name>,
    /// The role that counts now.
    pub role_before: Option<String>,
    /// The role that would count, as long as nothing changes at the next sign-in.
    pub role_after: Option<String>,
    /// Whether they could not sign in any more, as far as that is known.
    pub refused: bool,
}

/// A role, team or business unit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Name {
    /// Which of them.
    pub kind: Kind,
    /// What it is called.
    pub name: String,
}

/// Shows a page of what a mapping would change.
pub async fn dry_run(
    broker: &Broker,
    tenant: &str,
    Checked { input, mut problems }: Checked<DryRunInput>,
) -> Result<DryRun, Error> {
    tenants::exists(broker, tenant).await?;
    if let Some(draft) = &input.mapping {
        check(&mut problems, "/mapping", draft);
    }
    problems.none()?;
    let limit = input.limit.map(|limit| limit.to_string());
    let paging = Paging::new(limit.as_deref(), input.cursor.as_deref())?;
    let current = drafted(broker, tenant, None).await?;
    let draft = input.mapping.unwrap_or_else(|| current.clone());
    let forecast = |_: &str, user| forecast(&current, &draft, user);
    let page = paging::list(broker, key::directory(tenant), key::USER, &paging, forecast).await?;
    let Page { items, next } = page;
    Ok(DryRun { looked_at: items.len(), items: items.into_iter().flatten().collect(), next })
}

fn forecast(current: &Mapping, draft: &Mapping, mut user: User) -> Option<Forecast> {
    let before = names(&user.access);
    let role_before = mapping::role(current, &user.access).map(str::to_owned);
    if user.source == Source::Scim {
        mapping::apply(draft, &mut user, Evidence::Directory);
    }
    let after = names(&user.access);
    let role_after = mapping::role(draft, &user.access).map(str::to_owned);
    let missing = |these: &[Name], others: &[Name]| {
        these.iter().filter(|name| !others.contains(name)).cloned().collect::<Vec<_>>()
    };
    let (gains, loses) = (missing(&after, &before), missing(&before, &after));
    let at_next_login = by_claims(&user.access);
    if gains.is_empty() && loses.is_empty() && at_next_login.is_empty() && role_before == role_after {
        return None;
    }
    let refused = mapping::standing(draft, &user.access) == Standing::NoRole;
    let user_name = user.user_name().to_owned();
    Some(Forecast { user: user.id, user_name, gains, loses, at_next_login, role_before, role_after, refused })
}

const KINDS: [Kind; 3] = [Kind::Role, Kind::Team, Kind::BusinessUnit];

fn names(access: &Access) -> Vec<Name> {
    let of = |kind: Kind| access.names(kind).into_iter().map(move |name| Name { kind, name });
    KINDS.into_iter().flat_map(of).collect()
}

fn by_claims(access: &Access) -> Vec<Name> {
    let of = |kind: Kind| {
        let by_claims = |from: &Provenance| matches!(from, Provenance::Claim { .. });
        let grants = access.of(kind).iter().filter(move |grant| by_claims(&grant.from));
        grants.map(move |grant| Name { kind, name: grant.name.clone() })
    };
    let mut all: Vec<Name> = KINDS.into_iter().flat_map(of).collect();
    all.sort();
    all.dedup();
    all
}
