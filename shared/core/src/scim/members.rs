//! Who comes into a group and who leaves it. A member is a record of their own and an entry with the person, in one
//! commit; the group is not written. Very many are changed in several commits, each of which may be repeated.

use serde_json::Value;
use vestibule_protocol::scim;
use vestibule_protocol::scim::schema::Kind;
use vestibule_protocol::time::Timestamp;

use super::audit;
use crate::Broker;
use crate::error::Error;
use crate::handle::is_path_id;
use crate::mapping::{Evidence, reevaluate};
use crate::model::group::{Group, Member};
use crate::model::provisioned::{Membership, PersonChange};
use crate::model::user::User;
use crate::store::record::{self, Stored};
use crate::store::{Expect, StoreError, Write, key};

/// Most people in one commit. Each costs two writes; the group, the event and an effect need some more.
const MOST_PEOPLE: usize = 30;
/// About how many bytes of people one commit may have.
pub(super) const MOST_BYTES: usize = 2 * 1024 * 1024;
/// Most groups that a person can be in: their names are part of the person's record.
pub(crate) const MAX_GROUPS: usize = 1_000;
/// Longest name of a group, in bytes: it is in the record of everybody who is in the group.
pub(crate) const MAX_NAME: usize = 512;
/// Most bytes of a person's record. The store takes a little more.
pub(crate) const MAX_PERSON: usize = 240 * 1024;

/// Somebody who is to be in a group, or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Move {
    pub(super) user: String,
    pub(super) joins: bool,
    /// Whether whoever sent this calls them a group.
    pub(super) is_called_group: bool,
}

/// What a commit holds that does the first of some moves.
pub(super) struct Step {
    /// How many moves it does.
    pub(super) taken: usize,
    /// Empty when all of them are as they should be already.
    pub(super) writes: Vec<Write>,
    pub(super) people: Vec<PersonChange>,
}

/// A request to change the members of a group.
pub(super) struct Moving<'a> {
    pub(super) broker: &'a Broker,
    pub(super) tenant: &'a str,
    pub(super) group: &'a Group,
    /// The body, to say where a member is who cannot be one.
    pub(super) sent: &'a Value,
}

impl Moving<'_> {
    /// Finds everybody who cannot join before anything is changed, where one commit does not hold all moves.
    pub(super) async fn check(&self, moves: &[Move]) -> Result<(), Error> {
        let mut rest = moves;
        while rest.len() > MOST_PEOPLE {
            rest = rest.get(self.step(rest).await?.taken..).unwrap_or_default();
        }
        // The last ones are looked at even where they are few: the first are changed before them.
        if rest.len() < moves.len() && !rest.is_empty() {
            self.step(rest).await?;
        }
        Ok(())
    }

    /// Does as many of the moves, in their order, as one commit holds.
    pub(super) async fn step(&self, moves: &[Move]) -> Result<Step, Error> {
        let Self { broker, tenant, group, .. } = *self;
        let moves = moves.get(..MOST_PEOPLE).unwrap_or(moves);
        let people = people(broker, tenant, moves).await?;
        if let Some((one, _)) = moves.iter().zip(&people).find(|(one, found)| one.joins && found.is_none()) {
            return Err(self.nobody(one).await?);
        }
        let now = broker.platform.clock.now();
        let mut step = Step { taken: 0, writes: Vec::new(), people: Vec::new() };
        let mut bytes = 0;
        for (one, found) in moves.iter().zip(people) {
            // Whoever is gone is in no group any more.
            let is_to_move = |found: &Stored<User>| found.value.member_of.contains_key(&group.id) != one.joins;
            if let Some(found) = found.filter(is_to_move) {
                let mut user =
                    if one.joins { joined(group, &found.value, now) } else { left(&group.id, &found.value, now) };
                reevaluate(broker, tenant, &mut user, Evidence::Directory).await?;
                let write = self.checked(one, &found, &user)?;
                bytes += write.bytes();
                if bytes > MOST_BYTES && step.taken > 0 {
                    break;
                }
                let member = key::member(tenant, &group.id, &user.id);
                step.writes.push(write);
                step.writes.push(if one.joins {
                    member.put(&Member { since: now }, Expect::Any)?
                } else {
                    member.delete(Expect::Any)
                });
                let membership = if one.joins { Membership::Joined } else { Membership::Left };
                step.people.extend(audit::person(&found.value, &user, Some(membership)));
            }
            step.taken += 1;
        }
        Ok(step)
    }

    /// The write of a person who joins or leaves, if they fit in their record.
    fn checked(&self, one: &Move, found: &Stored<User>, user: &User) -> Result<Write, Error> {
        let write =
            key::user(self.tenant, &user.id).put(user, Expect::Version(found.version.clone())).map_err(Error::from)?;
        if one.joins && (user.member_of.len() > MAX_GROUPS || write.bytes() > MAX_PERSON) {
            let detail =
                format!("{} is in as many groups as fit into a person's record: 1000 at most", self.place(one));
            return Err(scim::Error::invalid_value(detail).into());
        }
        Ok(write)
    }

    /// Why somebody who is no person cannot join.
    async fn nobody(&self, one: &Move) -> Result<Error, Error> {
        let store = &*self.broker.platform.store;
        let is_group = one.is_called_group
            || is_path_id(&one.user) && key::group(self.tenant, &one.user).get(store).await?.is_some();
        let place = self.place(one);
        let detail = if is_group {
            format!("{place} is a group: groups in groups are not supported, push their people instead")
        } else {
            format!("{place} names no user that there is")
        };
        Ok(scim::Error::invalid_value(detail).into())
    }

    /// Where somebody is in the body. What was sent is not repeated.
    fn place(&self, one: &Move) -> String {
        find(self.sent, &one.user, "").unwrap_or_else(|| "a member".to_owned())
    }
}

/// A person in the group, with the name that it has now.
pub(super) fn joined(group: &Group, before: &User, now: Timestamp) -> User {
    let mut user = User { updated_at: now, ..before.clone() };
    user.member_of.insert(group.id.clone(), group.name());
    user
}

/// A person out of the group.
pub(super) fn left(group: &str, before: &User, now: Timestamp) -> User {
    let mut user = User { updated_at: now, ..before.clone() };
    user.member_of.remove(group);
    user
}

async fn people(broker: &Broker, tenant: &str, moves: &[Move]) -> Result<Vec<Option<Stored<User>>>, StoreError> {
    let id = |one: &Move| key::user(tenant, &one.user).id().to_owned();
    let ids: Vec<String> = moves.iter().filter(|one| is_path_id(&one.user)).map(id).collect();
    if ids.is_empty() {
        return Ok(vec![None; moves.len()]);
    }
    let mut found = broker.platform.store.get_many(&key::directory(tenant), &ids).await?.into_iter();
    // Whoever has no id of ours was not asked for.
    let next = |one: &Move| if is_path_id(&one.user) { found.next().flatten() } else { None };
    moves.iter().map(next).map(|record| record.as_ref().map(record::parse).transpose()).collect()
}

/// The path to a text in a body, in names of ours only.
fn find(sent: &Value, text: &str, path: &str) -> Option<String> {
    match sent {
        Value::String(found) => (found == text).then(|| path.to_owned()),
        Value::Array(values) => {
            values.iter().enumerate().find_map(|(index, value)| find(value, text, &format!("{path}[{index}]")))
        }
        Value::Object(parts) => parts.iter().find_map(|(name, value)| {
            let known =
                ["Operations", "value", "members"].into_iter().find(|known| known.eq_ignore_ascii_case(name))?;
            let path = if path.is_empty() { known.to_owned() } else { format!("{path}.{known}") };
            find(value, text, &path)
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// What a directory calls somebody who is no person.
pub(super) fn is_called_group(member: &scim::member::Member) -> bool {
    member.kind.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case(Kind::Group.as_str()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// SC-21: an error says which member it is about and repeats nothing.
    #[test]
    fn a_member_is_named_by_its_place() {
        let patch = json!({ "Operations": [
            { "op": "add", "path": "members", "value": [{ "value": "a" }, { "value": "b" }] },
            { "op": "add", "value": { "MEMBERS": [{ "value": "c" }] } },
        ]});
        for (id, place) in [
            ("b", Some("Operations[0].value[1].value")),
            ("c", Some("Operations[1].value.members[0].value")),
            ("add", None),
        ] {
            assert_eq!(find(&patch, id, "").as_deref(), place, "{id}");
        }
        assert_eq!(find(&json!({ "members": [{ "value": "x" }] }), "x", "").as_deref(), Some("members[0].value"));
    }
}
