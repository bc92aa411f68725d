//! A tenant's mapping as an administrator sets it: roles, and the rules that grant them, teams and business units. What
//! it would do can be seen before it does it: with claims at hand in [`mod@preview`], over the people who are there in
//! [`mod@dry_run`].

mod dry_run;
mod preview;

use std::collections::BTreeSet;

use vestibule_protocol::mapping::name;
use vestibule_protocol::mapping::pattern::Pattern;
use vestibule_protocol::mapping::rule::{Kind, Rule};
use vestibule_protocol::scim::condition::fold;
use vestibule_protocol::scim::schema::ResourceType;

pub use self::dry_run::{DryRun, DryRunInput, Forecast, dry_run};
pub use self::preview::{AttributeReading, Preview, PreviewInput, preview};
use super::change::{self, Change, Done, Tagged};
use super::problems::{Problems, escaped};
use super::{Checked, Put, check_id};
use crate::Broker;
use crate::error::{AdminError, Error};
use crate::model::audit::ChangeKind;
use crate::model::is_id;
use crate::model::mapping::{Mapping, Role};
use crate::store::{Expect, key};

/// The mapping, where one is set.
pub async fn get(broker: &Broker, tenant: &str) -> Result<Tagged<Mapping>, Error> {
    check_id("tenant", tenant)?;
    let found = key::mapping(tenant).get(&*broker.platform.store).await?.ok_or(AdminError::NotFound)?;
    show(broker, found.value)
}

fn show(broker: &Broker, mapping: Mapping) -> Result<Tagged<Mapping>, Error> {
    Ok(Tagged { tag: change::tag(broker, &mapping)?, object: mapping })
}

fn done(tenant: &str, change: ChangeKind) -> Done<'_> {
    Done::new(tenant, format!("/tenants/{tenant}/mapping"), change)
}

/// Sets the mapping. It counts for a person from their next sign-in, or the next change that a directory pushes; other
/// processes follow within two minutes.
pub async fn put(
    broker: &Broker,
    change: &Change,
    tenant: &str,
    Checked { input, mut problems }: Checked<Mapping>,
) -> Result<(Put, Tagged<Mapping>), Error> {
    check_id("tenant", tenant)?;
    check(&mut problems, "", &input);
    problems.none()?;
    let (record, tenant_exists) = (key::mapping(tenant), key::tenant(tenant));
    let found = record.get(&*broker.platform.store).await?;
    let (outcome, expect) = change.expect(broker, found.as_ref())?;
    if tenant_exists.get(&*broker.platform.store).await?.is_none() {
        return Err(AdminError::NotFound.into());
    }
    let writes = vec![record.put(&input, expect)?, tenant_exists.check(Expect::Present)];
    let done = done(tenant, outcome.kind()).between(found.as_ref().map(|found| &found.value), &input);
    change.commit(broker, record.partition(), writes, done).await?;
    broker.copies.mappings.forget(tenant);
    Ok((outcome, show(broker, input)?))
}

/// Removes the mapping. What its rules granted goes as they would: at the next sign-in, or the next change.
pub async fn delete(broker: &Broker, change: &Change, tenant: &str) -> Result<(), Error> {
    check_id("tenant", tenant)?;
    change.remove(broker, &key::mapping(tenant), done(tenant, ChangeKind::Deleted)).await?;
    broker.copies.mappings.forget(tenant);
    Ok(())
}

/// The mapping that a draft is, or the one that is set.
async fn drafted(broker: &Broker, tenant: &str, draft: Option<Mapping>) -> Result<Mapping, Error> {
    if let Some(draft) = draft {
        return Ok(draft);
    }
    let found = key::mapping(tenant).get(&*broker.platform.store).await?;
    Ok(found.map(|found| found.value).unwrap_or_default())
}

/// Everything that must hold of a mapping at `path`.
fn check(problems: &mut Problems, path: &str, mapping: &Mapping) {
    check_roles(problems, path, &mapping.roles);
    if mapping.rules.len() > 500 {
        problems.add(format!("{path}/rules"), "has more than 500 entries");
    }
    let roles: BTreeSet<String> = mapping.roles.iter().map(|role| fold(&role.name)).collect();
    for (at, rule) in mapping.rules.iter().enumerate() {
        check_rule(problems, &format!("{path}/rules/{at}"), rule, &roles);
    }
    if mapping.require_role == Some(true) && roles.is_empty() {
        problems.add(format!("{path}/require_role"), "would keep everybody out: there are no roles");
    }
    if mapping.scim.len() > 50 {
        problems.add(format!("{path}/scim"), "has more than 50 entries");
    }
    let people = ResourceType::user(Vec::new());
    for (claim, source) in &mapping.scim {
        let path = format!("{path}/scim/{}", escaped(claim));
        if !mapping.rules.iter().any(|rule| rule.claim.as_str() == claim) {
            problems.add(path, "is the claim of no rule");
        } else if source.is_unknown(&people) {
            problems.add(path, "names no attribute of the core schema or the enterprise extension");
        }
    }
}

fn check_roles(problems: &mut Problems, path: &str, roles: &[Role]) {
    if roles.len() > 100 {
        problems.add(format!("{path}/roles"), "has more than 100 entries");
    }
    let mut known = BTreeSet::new();
    for (at, role) in roles.iter().enumerate() {
        let plain = |text: &str| text.trim() == text && !text.chars().any(char::is_control);
        if !(1..=64).contains(&role.name.chars().count()) || !plain(&role.name) {
            let problem = "must have 1 to 64 characters, no control characters and no space at its ends";
            problems.add(format!("{path}/roles/{at}/name"), problem);
        } else if !known.insert(fold(&role.name)) {
            problems.add(format!("{path}/roles/{at}/name"), "is there twice; case does not matter");
        }
        if role.description.as_ref().is_some_and(|text| text.chars().count() > 200) {
            problems.add(format!("{path}/roles/{at}/description"), "has more than 200 characters");
        }
    }
}

fn check_rule(problems: &mut Problems, path: &str, rule: &Rule, known: &BTreeSet<String>) {
    let name = format!("{path}/name");
    match (rule.grants, rule.fixed_name()) {
        (Kind::Role, Some(fixed)) if !known.contains(&fold(fixed)) => problems.add(name, "is none of the roles"),
        (Kind::Role, None) if known.is_empty() => problems.add(name, "is needed: there are no roles to choose from"),
        (Kind::Role, None) if is_useless(&rule.value, known) => {
            problems.add(name, "is needed: the value is none of the roles");
        }
        (Kind::Team | Kind::BusinessUnit, Some(fixed)) if !name::is_name(fixed) => {
            problems.add(name, "must be 1 to 36 letters, digits, - and _, and not end in -- and eight letters");
        }
        _ => {}
    }
    if rule.connection.as_deref().is_some_and(|connection| !is_id(connection)) {
        problems.add(format!("{path}/connection"), "must be 1 to 40 of a-z, 0-9 and -");
    }
}

/// Whether a pattern is for one value only, which is no role.
fn is_useless(pattern: &Pattern, roles: &BTreeSet<String>) -> bool {
    pattern.is_exact() && !roles.contains(&fold(&pattern.to_string()))
}
