//! What a group or a person leaves to do elsewhere: a group's new name or its end is carried to its members page by page,
//! a person who is gone is taken out of their groups. May be done twice and by two at once: each step looks at what is.

use super::audit::{self, Done};
use super::members::{self, MAX_PERSON, MOST_BYTES};
use crate::Broker;
use crate::directory::group;
use crate::error::Error;
use crate::mapping::{Evidence, reevaluate};
use crate::model::audit::ChangeKind;
use crate::model::group::Group;
use crate::model::provisioned::{Membership, PersonChange, Provisioner};
use crate::model::user::User;
use crate::store::record::{self, Stored};
use crate::store::{Expect, StoreError, Write, key};

/// Members in one step; each costs two writes.
const PAGE: usize = 30;
/// How often a step that lost a race is tried anew.
const TRIES: usize = 20;

/// What a commit holds that brings the first of some members in line.
struct Page {
    writes: Vec<Write>,
    people: Vec<PersonChange>,
    /// How many members that is.
    taken: usize,
}

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
            let Page { mut writes, people, taken } = self.page(broker, group.as_ref(), &ids).await?;
            let last = taken.checked_sub(1).and_then(|last| page.records.get(last)).map(|record| record.id.clone());
            let next = if taken < ids.len() { last } else { page.next };
            if writes.is_empty() {
                return Ok(next);
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
                Ok(_) => return Ok(next),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Busy("the members of a group keep changing".to_owned()).into())
    }

    /// Brings as many of these members in line as one commit holds.
    async fn page(&self, broker: &Broker, group: Option<&Stored<Group>>, ids: &[&str]) -> Result<Page, Error> {
        let mut page = Page { writes: Vec::new(), people: Vec::new(), taken: 0 };
        if ids.is_empty() {
            return Ok(page);
        }
        let records: Vec<String> = ids.iter().map(|id| key::user(self.tenant, id).id().to_owned()).collect();
        let found = broker.platform.store.get_many(&key::directory(self.tenant), &records).await?;
        let mut bytes = 0;
        for (id, found) in ids.iter().zip(found) {
            let found = found.as_ref().map(record::parse::<User>).transpose()?;
            if let Some(found) = found
                && let Some(user) = self.follow(broker, group, &found.value).await?
            {
                let write = key::user(self.tenant, id).put(&user, Expect::Version(found.version.clone()))?;
                bytes += write.bytes();
                if bytes > MOST_BYTES && page.taken > 0 {
                    break;
                }
                let membership = group.is_none().then_some(Membership::Left);
                if write.bytes() > MAX_PERSON && group.is_some() {
                    // Nobody else has to wait for a record that is full. They themselves are shown the new name.
                    tracing::warn!(tenant = self.tenant, user = id, "scim.group_name_does_not_fit");
                } else {
                    page.writes.push(write);
                    page.people.extend(audit::person(&found.value, &user, membership));
                }
            }
            if group.is_none() {
                page.writes.push(key::member(self.tenant, self.group, id).delete(Expect::Any));
            }
            page.taken += 1;
        }
        Ok(page)
    }

    /// A member as they are when they follow; `None` when they do already.
    async fn follow(
        &self,
        broker: &Broker,
        group: Option<&Stored<Group>>,
        before: &User,
    ) -> Result<Option<User>, Error> {
        let Some(name) = before.member_of.get(self.group) else { return Ok(None) };
        let now = broker.platform.clock.now();
        let mut user = match group {
            Some(group) if group.value.display_name() == name.display => return Ok(None),
            Some(group) => members::joined(&group.value, before, now),
            None => members::left(self.group, before, now),
        };
        reevaluate(broker, self.tenant, &mut user, Evidence::Directory).await?;
        Ok(Some(user))
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
