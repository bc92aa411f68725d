//! The records of a group: what a commit holds that brings it from one state to another, indexes included. Its members
//! are not among them.

use vestibule_protocol::scim::condition::fold;

use super::tally;
use crate::Broker;
use crate::error::Error;
use crate::model::group::{Group, Touch};
use crate::model::user::Owner;
use crate::store::record::Stored;
use crate::store::{Expect, StoreError, Write, key};

/// A new group.
pub(crate) fn create(tenant: &str, group: &Group) -> Result<Vec<Write>, StoreError> {
    create_all(tenant, std::slice::from_ref(group))
}

/// New groups, some few.
pub(crate) fn create_all(tenant: &str, groups: &[Group]) -> Result<Vec<Write>, StoreError> {
    let ids: Vec<&str> = groups.iter().map(|group| group.id.as_str()).collect();
    let mut writes = tally::add_all(tenant, key::GROUP, &ids);
    for group in groups {
        writes.push(key::group(tenant, &group.id).put(group, Expect::Absent)?);
        writes.extend(indexes(tenant, None, Some(group))?);
    }
    Ok(writes)
}

/// A group that is there, as it is from now on.
pub(crate) fn update(tenant: &str, before: &Stored<Group>, after: &Group) -> Result<Vec<Write>, StoreError> {
    let mut writes = vec![key::group(tenant, &after.id).put(after, Expect::Version(before.version.clone()))?];
    writes.extend(indexes(tenant, Some(&before.value), Some(after))?);
    Ok(writes)
}

/// A group that is gone. `touch` is what must hold for its members.
pub(crate) fn remove(tenant: &str, before: &Stored<Group>, touch: Expect) -> Result<Vec<Write>, StoreError> {
    let id = &before.value.id;
    let mut writes = vec![
        key::group(tenant, id).delete(Expect::Version(before.version.clone())),
        key::group_touch(tenant, id).delete(touch),
        tally::add(tenant, key::GROUP, id, -1),
    ];
    writes.extend(indexes(tenant, Some(&before.value), None)?);
    Ok(writes)
}

/// That a group's members change.
pub(crate) fn touch(broker: &Broker, tenant: &str, group: &str, expect: Expect) -> Result<Write, StoreError> {
    key::group_touch(tenant, group).put(&Touch { at: broker.platform.clock.now() }, expect)
}

/// What changes in the indexes. Several groups may have a name, only one an `externalId`, and of those that a connection's
/// claims name, only one its exact name.
fn indexes(tenant: &str, before: Option<&Group>, after: Option<&Group>) -> Result<Vec<Write>, StoreError> {
    let mut writes = Vec::new();
    let Some(id) = after.or(before).map(|group| &group.id) else { return Ok(writes) };
    let name = |group: &Group| fold(group.display_name());
    let (old, new) = (before.map(name), after.map(name));
    if old != new {
        writes.extend(old.map(|name| key::group_name(tenant, &name, id).delete(Expect::Any)));
        if let Some(name) = new {
            writes.push(key::group_name(tenant, &name, id).put(&(), Expect::Any)?);
        }
    }
    let (old, new) = (before.and_then(Group::external_id), after.and_then(Group::external_id));
    if old != new {
        writes.extend(old.map(|name| key::group_external_id(tenant, name).delete(Expect::Any)));
        if let Some(name) = new {
            let owner = Owner { id: id.clone() };
            writes.push(key::group_external_id(tenant, name).put(&owner, Expect::Absent)?);
        }
    }
    let imported = |group: &Group| Some(key::imported_group(tenant, group.connection()?, group.display_name()));
    match (before, after) {
        (None, Some(group)) => {
            let owner = Owner { id: id.clone() };
            let write = imported(group).map(|record| record.put(&owner, Expect::Absent));
            writes.extend(write.transpose()?);
        }
        (Some(group), None) => writes.extend(imported(group).map(|record| record.delete(Expect::Any))),
        // Nobody renames a group that claims name.
        (Some(_), Some(_)) | (None, None) => {}
    }
    Ok(writes)
}

/// Whether another group has this one's `externalId`.
pub(crate) async fn is_taken(broker: &Broker, tenant: &str, group: &Group) -> Result<bool, Error> {
    let Some(name) = group.external_id() else { return Ok(false) };
    let owner = key::group_external_id(tenant, name).get(&*broker.platform.store).await?;
    Ok(owner.is_some_and(|owner| owner.value.id != group.id))
}
