//! Groups that claims name, as groups of the directory: where a connection has it switched on, a sign-in brings somebody's
//! memberships in its groups in line with what the provider said. The commit of the sign-in owes that, and it is done a
//! few groups at a time, so that a thousand of them fit the store.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use vestibule_protocol::oidc::groups::Groups;

use super::{Arrival, group, person};
use crate::Broker;
use crate::error::Error;
use crate::handle::new_id;
use crate::model::effect::Effect;
use crate::model::group::{Group, GroupSource, Member};
use crate::model::user::{GroupName, Owner, User};
use crate::outbox;
use crate::scim::members::{MAX_GROUPS, MAX_NAME, MAX_PERSON};
use crate::store::record::{self, Stored};
use crate::store::{Expect, StoreError, Write, key};

/// Groups in one step. A new one costs six writes.
const PAGE: usize = 12;
/// How often a step that lost a race is tried anew.
const TRIES: usize = 20;

/// Whether a person's memberships are not what the sign-in says.
pub(super) fn is_due(arrival: Arrival<'_>, user: &User) -> bool {
    let due = Due::of(user, arrival.connection, arrival.sign_in.import_groups);
    !(due.leave.is_empty() && due.join.is_empty())
}

/// Commits what a sign-in writes of a person, with the import that it owes, and does the import. One that fails stays owed:
/// the tick does it, and nobody is kept out for it.
pub(super) async fn commit(
    broker: &Broker,
    arrival: Arrival<'_>,
    user: &User,
    mut writes: Vec<Write>,
) -> Result<(), Error> {
    let (tenant, connection) = (arrival.tenant.to_owned(), arrival.connection.to_owned());
    let partition = key::directory(&tenant);
    let mut owed = None;
    if is_due(arrival, user) {
        let effect = Effect::ImportGroups { tenant, user: user.id.clone(), connection };
        let import = outbox::owe(broker, partition.clone(), &effect)?;
        writes.push(import.write.clone());
        owed = Some(import);
    }
    broker.platform.store.commit(&partition, writes).await?;
    if let Some(owed) = owed
        && let Err(error) = outbox::settle(broker, &owed).await
    {
        let tenant = arrival.tenant;
        tracing::warn!(tenant, user = user.id, error = %error, "directory.import_is_left_to_the_tick");
    }
    Ok(())
}

/// What somebody's memberships lack.
struct Due<'a> {
    /// Names of groups that they are to be in.
    join: Vec<&'a str>,
    /// Groups that they are not to be in: names and ids.
    leave: Vec<(&'a str, &'a str)>,
}

impl<'a> Due<'a> {
    fn of(user: &'a User, connection: &str, imports: bool) -> Self {
        let wanted: BTreeSet<&str> = match &user.groups {
            // Whoever may be in no such group leaves all of them, whatever is known.
            _ if !imports => BTreeSet::new(),
            Groups::Known(names) if user.groups_from.as_deref() == Some(connection) => {
                names.iter().map(String::as_str).filter(|name| (1..=MAX_NAME).contains(&name.len())).collect()
            }
            // Which groups they are in is not known: nothing changes.
            Groups::Known(_) | Groups::Overage | Groups::NotSent => {
                return Self { join: Vec::new(), leave: Vec::new() };
            }
        };
        let of_connection = user.member_of.iter().filter(|(_, name)| name.connection.as_deref() == Some(connection));
        let has: BTreeMap<&str, &str> = of_connection.map(|(id, name)| (name.display.as_str(), id.as_str())).collect();
        Self {
            join: wanted.iter().filter(|name| !has.contains_key(*name)).copied().collect(),
            leave: has.into_iter().filter(|(name, _)| !wanted.contains(name)).collect(),
        }
    }
}

/// Somebody's memberships in the groups of a connection.
pub(crate) struct Import<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) user: &'a str,
    pub(crate) connection: &'a str,
}

impl Import<'_> {
    /// Does the next few. Whether it goes on.
    pub(crate) async fn step(&self, broker: &Broker) -> Result<bool, Error> {
        let store = &*broker.platform.store;
        for _ in 0..TRIES {
            let connection = key::connection(self.tenant, self.connection).get(store).await?;
            let imports = connection.is_some_and(|connection| connection.value.sign_in.import_groups);
            let Some(found) = key::user(self.tenant, self.user).get(store).await? else { return Ok(false) };
            let due = Due::of(&found.value, self.connection, imports);
            let (writes, done) = if due.leave.is_empty() {
                let room = MAX_GROUPS.saturating_sub(found.value.member_of.len()).min(PAGE);
                let names = due.join.get(..room).unwrap_or(&due.join);
                (self.join(broker, &found, names).await?, names.len())
            } else {
                let groups = due.leave.get(..PAGE).unwrap_or(&due.leave);
                (self.leave(broker, &found, groups).await?, groups.len())
            };
            if writes.is_empty() {
                if !due.join.is_empty() {
                    let left_out = due.join.len();
                    tracing::warn!(tenant = self.tenant, user = self.user, left_out, "directory.groups_do_not_fit");
                }
                return Ok(false);
            }
            match store.commit(&key::directory(self.tenant), writes).await {
                Ok(_) => return Ok(due.leave.len() + due.join.len() > done),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Busy("the groups of a person keep changing".to_owned()).into())
    }

    /// What a commit holds that puts somebody into these groups; nothing where the person's record has no room.
    async fn join(&self, broker: &Broker, found: &Stored<User>, names: &[&str]) -> Result<Vec<Write>, Error> {
        let now = broker.platform.clock.now();
        let mut user = User { updated_at: now, ..found.value.clone() };
        let (mut writes, mut missing) = (Vec::new(), Vec::new());
        for (name, owner) in names.iter().zip(self.owners(broker, names).await?) {
            let id = if let Some(owner) = owner {
                // It goes with the group.
                let index = key::imported_group(self.tenant, self.connection, name);
                writes.push(index.check(Expect::Version(owner.version)));
                owner.value.id
            } else {
                let group = self.group(broker, name);
                missing.push(group.clone());
                group.id
            };
            writes.push(key::member(self.tenant, &id, self.user).put(&Member { since: now }, Expect::Any)?);
            writes.push(group::touch(broker, self.tenant, &id, Expect::Any)?);
            let name = GroupName { display: (*name).to_owned(), connection: Some(self.connection.to_owned()) };
            user.member_of.insert(id, name);
        }
        if writes.is_empty() {
            return Ok(writes);
        }
        writes.extend(group::create_all(self.tenant, &missing)?);
        let person = person::update(self.tenant, found, &user)?;
        let is_too_large = person.iter().any(|write| write.bytes() > MAX_PERSON);
        writes.extend(person);
        Ok(if is_too_large { Vec::new() } else { writes })
    }

    /// What a commit holds that takes somebody out of these groups.
    async fn leave(&self, broker: &Broker, found: &Stored<User>, groups: &[(&str, &str)]) -> Result<Vec<Write>, Error> {
        let mut user = User { updated_at: broker.platform.clock.now(), ..found.value.clone() };
        let names: Vec<&str> = groups.iter().map(|(name, _)| *name).collect();
        let mut writes = Vec::new();
        for ((_, id), owner) in groups.iter().zip(self.owners(broker, &names).await?) {
            user.member_of.remove(*id);
            writes.push(key::member(self.tenant, id, self.user).delete(Expect::Any));
            if owner.is_some_and(|owner| owner.value.id == *id) {
                writes.push(group::touch(broker, self.tenant, id, Expect::Any)?);
            }
        }
        writes.extend(person::update(self.tenant, found, &user)?);
        Ok(writes)
    }

    /// A group for a name that none has yet.
    fn group(&self, broker: &Broker, name: &str) -> Group {
        let now = broker.platform.clock.now();
        Group {
            id: new_id(&*broker.platform.random),
            attributes: Map::from_iter([("displayName".to_owned(), Value::from(name))]),
            source: GroupSource::Claims { connection: self.connection.to_owned() },
            created_at: now,
            updated_at: now,
        }
    }

    /// Which groups have these names.
    async fn owners(&self, broker: &Broker, names: &[&str]) -> Result<Vec<Option<Stored<Owner>>>, StoreError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let id = |name: &&str| key::imported_group(self.tenant, self.connection, name).id().to_owned();
        let ids: Vec<String> = names.iter().map(id).collect();
        let found = broker.platform.store.get_many(&key::directory(self.tenant), &ids).await?;
        found.iter().map(|record| record.as_ref().map(record::parse).transpose()).collect()
    }
}
