//! Users and groups on their way into a list: read, asked whether they fulfil the filter, and shown.

use serde_json::Value;
use vestibule_protocol::scim::schema::Kind;

use super::{Asked, too_many};
use crate::Broker;
use crate::error::Error;
use crate::model::group::{Group, Touch};
use crate::model::user::User;
use crate::scim::shown;
use crate::store::record::{self, RecordKey};
use crate::store::{MAX_READS, Record, key};

/// Most members of all groups on one page together.
const MAX_MEMBERS: usize = 20_000;

/// A resource as it is shown, but for the members of a group.
pub(super) struct Found {
    pub(super) id: String,
    pub(super) resource: Value,
}

/// What the ids of a kind's records start with.
pub(super) const fn prefix(kind: Kind) -> &'static str {
    match kind {
        Kind::User => key::USER,
        Kind::Group => key::GROUP,
    }
}

/// Reads records of the kind that is asked for.
pub(super) async fn read(broker: &Broker, asked: &Asked<'_>, records: &[Record]) -> Result<Vec<Found>, Error> {
    let mut found = Vec::with_capacity(records.len());
    if asked.resource_type.kind() == Kind::User {
        for record in records {
            let user = record::parse::<User>(record)?;
            let id = user.value.id.clone();
            found.push(Found { id, resource: shown::user(asked.base, asked.resource_type, user) });
        }
        return Ok(found);
    }
    for records in records.chunks(MAX_READS) {
        let groups = records.iter().map(record::parse::<Group>).collect::<Result<Vec<_>, _>>()?;
        let touches: Vec<RecordKey<Touch>> =
            groups.iter().map(|group| key::group_touch(asked.tenant, &group.value.id)).collect();
        let ids: Vec<String> = touches.iter().map(|touch| touch.id().to_owned()).collect();
        let touches = broker.platform.store.get_many(&key::directory(asked.tenant), &ids).await?;
        for (group, touch) in groups.into_iter().zip(touches) {
            let touch = touch.as_ref().map(record::parse::<Touch>).transpose()?;
            let resource = shown::group(asked.base, asked.resource_type, &group, touch.as_ref(), &[]);
            found.push(Found { id: group.value.id, resource });
        }
    }
    Ok(found)
}

/// Those of them that fulfil the filter.
pub(super) async fn fulfilling(broker: &Broker, asked: &Asked<'_>, found: Vec<Found>) -> Result<Vec<Found>, Error> {
    let Some(condition) = &asked.condition else { return Ok(found) };
    let mut fulfilling = Vec::new();
    for mut one in found {
        if asked.resource_type.kind() == Kind::Group {
            // A filter that asks for somebody by id needs their record, any other about members all of them.
            let members = match condition.values_asked("members") {
                Some(ids) if ids.is_empty() => Vec::new(),
                Some(ids) => those_in(broker, asked, &one.id, &ids).await?,
                None => all_in(broker, asked, &one.id, MAX_MEMBERS).await?,
            };
            with_members(asked, &mut one, &members);
        }
        if condition.holds_for(&one.resource) {
            fulfilling.push(one);
        }
    }
    Ok(fulfilling)
}

/// The page as it is shown, as JSON texts.
pub(super) async fn show(broker: &Broker, asked: &Asked<'_>, page: Vec<Found>) -> Result<Vec<String>, Error> {
    let members = asked.resource_type.kind() == Kind::Group && asked.projection.shows("members");
    let mut left = MAX_MEMBERS;
    let mut shown = Vec::with_capacity(page.len());
    for mut one in page {
        if members {
            let ids = all_in(broker, asked, &one.id, left).await?;
            left -= ids.len();
            with_members(asked, &mut one, &ids);
        }
        asked.projection.apply(&mut one.resource);
        shown.push(one.resource.to_string());
    }
    Ok(shown)
}

fn with_members(asked: &Asked<'_>, group: &mut Found, ids: &[String]) {
    let Some(resource) = group.resource.as_object_mut() else { return };
    if ids.is_empty() {
        resource.remove("members");
    } else {
        resource.insert("members".to_owned(), shown::members(asked.base, ids));
    }
}

/// Which of these people are in a group. More of them than one read takes are too many for a filter.
async fn those_in(broker: &Broker, asked: &Asked<'_>, group: &str, ids: &[&str]) -> Result<Vec<String>, Error> {
    let mut ids: Vec<&str> = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let records: Vec<String> = ids.iter().map(|id| key::member(asked.tenant, group, id).id().to_owned()).collect();
    let found = broker.platform.store.get_many(&key::directory(asked.tenant), &records).await?;
    let inside = ids.iter().zip(found).filter(|(_, record)| record.is_some());
    Ok(inside.map(|(id, _)| (*id).to_owned()).collect())
}

/// Everybody in a group, if they are not more than `most`.
async fn all_in(broker: &Broker, asked: &Asked<'_>, group: &str, most: usize) -> Result<Vec<String>, Error> {
    let members = shown::members_of(broker, asked.tenant, group).await?;
    if members.len() > most {
        return Err(too_many(
            "the groups have more than 20000 members together: ask with excludedAttributes=members, or for fewer",
        ));
    }
    Ok(members)
}
