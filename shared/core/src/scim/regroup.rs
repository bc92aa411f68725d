//! What a group or a person leaves to do elsewhere: a group's new name or its end is carried to its members page by page,
//! a person who is gone is taken out of their groups. May be done twice and by two at once: each step looks at what is.

use super::audit::{self, Done};
use super::members;
use crate::Broker;
use crate::directory::group;
use crate::error::Error;
use crate::mapping::{Evidence, reevaluate};
use crate::model::effect::ChangeKind;
use crate::model::group::Group;
use crate::model::provisioned::{Membership, PersonChange, Provisioner};
use crate::model::user::User;
use crate::store::record::{self, Stored};
use crate::store::{Expect, StoreError, Write, key};

/// Members in one step; each costs two writes.
const PAGE: usize = 30;
/// How often a step that lost a race is tried anew.
const TRIES: usize = 20;

/// A group whose members are to follow.
pub(crate) struct Regroup<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) group: &'a str,
    pub(crate) by: &'a Provisioner,
}

impl Regroup<'_> {
    /// Brings a page of members in line with the group as it is now. Where it ended, if it goes on.
    pub(crate) async fn step(&self, broker: &Broker, after: Option<&str>) -> Result<Option<String>, Error> {
        let store = &*broker.platform.store;
        let partition = key::directory(self.tenant);
        for _ in 0..TRIES {
            let group = key::group(self.tenant, self.group).get(store).await?;
            let page = store.list(&partition, &key::members_of(self.group), after, PAGE).await?;
            let ids: Vec<&str> =
                page.records.iter().filter_map(|found| found.id.strip_prefix(&key::members_of(self.group))).collect();
            let (mut writes, people) = self.page(broker, group.as_ref(), &ids).await?;
            if writes.is_empty() {
                return Ok(page.next);
            }
            if let Some(group) = &group {
                writes.push(key::group(self.tenant, self.group).check(Expect::Version(group.version.clone())));
            }
            if !people.is_empty() {
                let change = if group.is_some() { ChangeKind::Replaced } else { ChangeKind::Deleted };
                let object = format!("/Groups/{}", self.group);
                let done = Done { object, change, attributes: Vec::new(), people, notes: Vec::new() };
                writes.push(audit::owe(broker, self.tenant, self.by.clone(), done)?);
            }
            match store.commit(&partition, writes).await {
                Ok(()) => return Ok(page.next),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Busy("the members of a group keep changing".to_owned()).into())
    }

    /// The writes that bring these members in line, and what that means for them.
    async fn page(
        &self,
        broker: &Broker,
        group: Option<&Stored<Group>>,
        ids: &[&str],
    ) -> Result<(Vec<Write>, Vec<PersonChange>), Error> {
        let (mut writes, mut people) = (Vec::new(), Vec::new());
        if ids.is_empty() {
            return Ok((writes, people));
        }
        let records: Vec<String> = ids.iter().map(|id| key::user(self.tenant, id).id().to_owned()).collect();
        let found = broker.platform.store.get_many(&key::directory(self.tenant), &records).await?;
        let now = broker.platform.clock.now();
        for (id, found) in ids.iter().zip(found) {
            if group.is_none() {
                writes.push(key::member(self.tenant, self.group, id).delete(Expect::Any));
            }
            let Some(found) = found else { continue };
            let found = record::parse::<User>(&found)?;
            let Some(name) = found.value.member_of.get(self.group) else { continue };
            let mut user = match group {
                Some(group) if group.value.display_name() == name.display => continue,
                Some(group) => members::joined(&group.value, &found.value, now),
                None => members::left(self.group, &found.value, now),
            };
            reevaluate(broker, self.tenant, &mut user, Evidence::Directory).await?;
            writes.push(key::user(self.tenant, id).put(&user, Expect::Version(found.version.clone()))?);
            let membership = group.is_none().then_some(Membership::Left);
            people.extend(audit::person(&found.value, &user, membership));
        }
        Ok((writes, people))
    }
}

/// Takes a person who is gone out of the groups that they were in.
pub(crate) async fn depart(broker: &Broker, tenant: &str, user: &str, groups: &[String]) -> Result<(), Error> {
    let store = &*broker.platform.store;
    let partition = key::directory(tenant);
    for page in groups.chunks(PAGE) {
        let records: Vec<String> = page.iter().map(|id| key::group(tenant, id).id().to_owned()).collect();
        let found = store.get_many(&partition, &records).await?;
        let mut writes = Vec::new();
        for (id, found) in page.iter().zip(found) {
            writes.push(key::member(tenant, id, user).delete(Expect::Any));
            if found.is_some() {
                writes.push(group::touch(broker, tenant, id, Expect::Any)?);
            }
        }
        store.commit(&partition, writes).await?;
    }
    Ok(())
}
