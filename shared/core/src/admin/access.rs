//! What an administrator grants a person by hand, beside what rules grant. No evaluation takes it back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vestibule_protocol::mapping::name;
use vestibule_protocol::mapping::rule::{Kind, MAX_NAMES};
use vestibule_protocol::scim::condition::fold;

use super::change::{self, Change, Done, Tagged};
use super::problems::Problems;
use super::{Checked, Put, users};
use crate::Broker;
use crate::directory::person;
use crate::error::{AdminError, Error};
use crate::mapping;
use crate::model::access::{Access, Provenance};
use crate::model::mapping::Mapping;
use crate::model::user::User;
use crate::store::key;
use crate::store::record::Stored;

/// What an administrator sends: everything that is granted by hand. What is left out is granted no more.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessInput {
    /// Roles of the tenant's list.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Teams.
    #[serde(default)]
    pub teams: Vec<String>,
    /// Business units.
    #[serde(default)]
    pub business_units: Vec<String>,
}

/// What an administrator sees.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AccessView {
    /// The role that counts, of all that were granted.
    pub role: Option<String>,
    /// Everything that was granted, each with who granted it.
    #[serde(flatten)]
    pub access: Access,
}

/// A person's roles, teams and business units.
pub async fn get(broker: &Broker, tenant: &str, id: &str) -> Result<Tagged<AccessView>, Error> {
    let (found, mapping) = read(broker, tenant, id).await?;
    show(broker, &mapping, found.value)
}

async fn read(broker: &Broker, tenant: &str, id: &str) -> Result<(Stored<User>, Mapping), Error> {
    users::check(tenant, id)?;
    let store = &*broker.platform.store;
    let found = key::user(tenant, id).get(store).await?.ok_or(AdminError::NotFound)?;
    let mapping = key::mapping(tenant).get(store).await?.map(|found| found.value).unwrap_or_default();
    Ok((found, mapping))
}

fn show(broker: &Broker, mapping: &Mapping, user: User) -> Result<Tagged<AccessView>, Error> {
    let tag = change::tag(broker, &user)?;
    let role = mapping::role(mapping, &user.access).map(str::to_owned);
    Ok(Tagged { object: AccessView { role, access: user.access }, tag })
}

/// Replaces what was granted by hand. The tag is the person's.
pub async fn put(
    broker: &Broker,
    change: &Change,
    tenant: &str,
    id: &str,
    Checked { input, mut problems }: Checked<AccessInput>,
) -> Result<(Put, Tagged<AccessView>), Error> {
    let (found, mapping) = read(broker, tenant, id).await?;
    let granted = by_hand(&mut problems, &mapping, input);
    problems.none()?;
    let (outcome, _) = change.expect(broker, Some(&found))?;
    let mut user = found.value.clone();
    for kind in KINDS {
        user.access.replace(kind, &Provenance::Administrator, granted.names(kind), false);
    }
    if user.access != found.value.access {
        user.updated_at = broker.platform.clock.now();
        let object = format!("/tenants/{tenant}/users/{id}/access");
        let writes = person::update(tenant, &found, &user)?;
        let done = Done::new(tenant, object, outcome.kind());
        change.commit(broker, &key::directory(tenant), writes, done).await?;
    }
    Ok((outcome, show(broker, &mapping, user)?))
}

const KINDS: [Kind; 3] = [Kind::Role, Kind::Team, Kind::BusinessUnit];

/// What is granted by hand, as it is kept.
pub(super) fn by_hand(problems: &mut Problems, mapping: &Mapping, sent: AccessInput) -> Access {
    let roles = roles(problems, mapping, &sent.roles);
    check_names(problems, "/teams", &sent.teams);
    check_names(problems, "/business_units", &sent.business_units);
    let mut access = Access::default();
    for (kind, names) in KINDS.into_iter().zip([roles, sent.teams, sent.business_units]) {
        access.replace(kind, &Provenance::Administrator, names, false);
    }
    access
}

/// The roles as the tenant's list spells them.
fn roles(problems: &mut Problems, mapping: &Mapping, sent: &[String]) -> Vec<String> {
    let mut roles = Vec::new();
    for (at, name) in sent.iter().enumerate() {
        match mapping.roles.iter().find(|role| fold(&role.name) == fold(name)) {
            None => problems.add(format!("/roles/{at}"), "is none of the tenant's roles"),
            Some(role) if roles.contains(&role.name) => problems.add(format!("/roles/{at}"), "is there twice"),
            Some(role) => roles.push(role.name.clone()),
        }
    }
    roles
}

fn check_names(problems: &mut Problems, path: &str, names: &[String]) {
    if names.len() > MAX_NAMES {
        problems.add(path, "has more than 300 names");
    }
    for (at, sent) in names.iter().enumerate() {
        if !name::is_name(sent) {
            let problem = "must be 1 to 36 letters, digits, - and _, and not end in -- and eight letters";
            problems.add(format!("{path}/{at}"), problem);
        } else if names.iter().take(at).any(|other| fold(other) == fold(sent)) {
            problems.add(format!("{path}/{at}"), "is there twice; case does not matter");
        }
    }
}
