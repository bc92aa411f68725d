//! The records of a person: what a commit holds that brings them from one state to another, indexes included. Whoever
//! creates, changes or removes a person takes their writes from here.
//!
//! A conflict of such a commit has one of two causes: somebody changed the person, or somebody else has the name.
//! [`taken`] says which.

use std::collections::BTreeSet;

use vestibule_protocol::scim::condition::fold;

use super::tally;
use crate::Broker;
use crate::error::Error;
use crate::model::user::{Owner, User};
use crate::store::record::Stored;
use crate::store::{Expect, StoreError, Write, key};

/// A name that only one person of a tenant can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UniqueName {
    /// `userName`, in any case.
    UserName,
    /// `externalId`.
    ExternalId,
}

/// A new person.
pub(crate) fn create(tenant: &str, user: &User) -> Result<Vec<Write>, StoreError> {
    let mut writes =
        vec![key::user(tenant, &user.id).put(user, Expect::Absent)?, tally::add(tenant, key::USER, &user.id, 1)];
    writes.extend(indexes(tenant, None, Some(user))?);
    Ok(writes)
}

/// A person who is there, as they are from now on.
pub(crate) fn update(tenant: &str, before: &Stored<User>, after: &User) -> Result<Vec<Write>, StoreError> {
    let mut writes = vec![key::user(tenant, &after.id).put(after, Expect::Version(before.version.clone()))?];
    writes.extend(indexes(tenant, Some(&before.value), Some(after))?);
    // Whose address it is not any more must not be linked by it: it may become somebody else's.
    let old = before.value.linked_email.as_ref().filter(|old| after.linked_email.as_ref() != Some(old));
    writes.extend(old.map(|address| key::email_owner(tenant, address).delete(Expect::Any)));
    Ok(writes)
}

/// A person who is gone, with all that leads to them but their memberships.
pub(crate) fn remove(tenant: &str, before: &Stored<User>) -> Result<Vec<Write>, StoreError> {
    let user = &before.value;
    let mut writes = vec![
        key::user(tenant, &user.id).delete(Expect::Version(before.version.clone())),
        tally::add(tenant, key::USER, &user.id, -1),
    ];
    writes.extend(indexes(tenant, Some(user), None)?);
    for name in &user.identities {
        let record = key::identity(tenant, &name.connection, &name.issuer, &name.subject);
        writes.push(record.delete(Expect::Any));
    }
    writes.extend(user.linked_email.as_ref().map(|address| key::email_owner(tenant, address).delete(Expect::Any)));
    Ok(writes)
}

/// What changes in the indexes. An entry that the person has is theirs: it is removed without a question.
fn indexes(tenant: &str, before: Option<&User>, after: Option<&User>) -> Result<Vec<Write>, StoreError> {
    let mut writes = Vec::new();
    let name = |user: &User| fold(user.user_name());
    let (old, new) = (before.map(name), after.map(name));
    if old != new {
        writes.extend(old.map(|name| key::user_name(tenant, &name).delete(Expect::Any)));
        if let (Some(name), Some(user)) = (new, after) {
            writes.push(key::user_name(tenant, &name).put(&owner(user), Expect::Absent)?);
        }
    }
    let (old, new) = (before.and_then(User::external_id), after.and_then(User::external_id));
    if old != new {
        writes.extend(old.map(|id| key::external_id(tenant, id).delete(Expect::Any)));
        if let (Some(id), Some(user)) = (new, after) {
            writes.push(key::external_id(tenant, id).put(&owner(user), Expect::Absent)?);
        }
    }
    let (old, new) = (addresses(before), addresses(after));
    let Some(id) = after.or(before).map(|user| &user.id) else { return Ok(writes) };
    writes.extend(old.difference(&new).map(|address| key::address(tenant, address, id).delete(Expect::Any)));
    for address in new.difference(&old) {
        writes.push(key::address(tenant, address, id).put(&(), Expect::Any)?);
    }
    Ok(writes)
}

fn owner(user: &User) -> Owner {
    Owner { id: user.id.clone() }
}

fn addresses(user: Option<&User>) -> BTreeSet<String> {
    user.into_iter().flat_map(User::addresses).map(fold).collect()
}

/// Which of a person's names somebody else has.
pub(crate) async fn taken(broker: &Broker, tenant: &str, user: &User) -> Result<Option<UniqueName>, Error> {
    let store = &*broker.platform.store;
    let is_other = |owner: Option<Stored<Owner>>| owner.is_some_and(|owner| owner.value.id != user.id);
    if is_other(key::user_name(tenant, &fold(user.user_name())).get(store).await?) {
        return Ok(Some(UniqueName::UserName));
    }
    if let Some(id) = user.external_id()
        && is_other(key::external_id(tenant, id).get(store).await?)
    {
        return Ok(Some(UniqueName::ExternalId));
    }
    Ok(None)
}
