//! Stored people and groups as SCIM shows them (RFC 7643 §3.1), whole: what of it is left out, a projection says.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};
use vestibule_protocol::scim::instant;
use vestibule_protocol::scim::resource;
use vestibule_protocol::scim::schema::{ENTERPRISE_USER, Kind, ResourceType};
use vestibule_protocol::time::Timestamp;

use super::tag;
use crate::Broker;
use crate::error::Error;
use crate::model::group::{Group, Touch};
use crate::model::user::{GroupName, User};
use crate::store::record::{self, Stored};
use crate::store::{MAX_READS, key};

/// Most records of one page of a list.
const PAGE: usize = 1_000;

/// The address of the SCIM server.
pub fn base(broker: &Broker) -> String {
    format!("{}/scim/v2", broker.config.issuer)
}

/// The address of a resource.
pub(super) fn location(base: &str, kind: Kind, id: &str) -> String {
    format!("{base}{}/{id}", kind.endpoint())
}

/// A person. Of their manager, the name is not known here.
pub fn user(base: &str, types: &ResourceType, found: Stored<User>) -> Value {
    let tag = tag::user(&found.version);
    let user = found.value;
    let mut shown = user.attributes;
    shown.insert("active".to_owned(), user.active.into());
    let groups = groups(base, &user.member_of);
    if !groups.is_empty() {
        shown.insert("groups".to_owned(), groups.into());
    }
    if let Some(manager) = manager(&mut shown)
        && let Some(id) = manager.get("value").and_then(Value::as_str)
    {
        let location = location(base, Kind::User, id);
        manager.insert("$ref".to_owned(), location.into());
    }
    let record = About { base, id: &user.id, created: user.created_at, modified: user.updated_at };
    finish(types, shown, &record, tag)
}

/// The groups that a person is in, by their ids.
pub(super) fn groups(base: &str, member_of: &BTreeMap<String, GroupName>) -> Vec<Value> {
    let shown = |(id, group): (&String, &GroupName)| {
        let location = location(base, Kind::Group, id);
        json!({ "value": id, "$ref": location, "display": group.display, "type": "direct" })
    };
    member_of.iter().map(shown).collect()
}

/// A group; `members` are the ids of those who are in it, as far as they are shown.
pub fn group(
    base: &str,
    types: &ResourceType,
    found: &Stored<Group>,
    touch: Option<&Stored<Touch>>,
    members: &[String],
) -> Value {
    let group = &found.value;
    let mut shown = group.attributes.clone();
    if !members.is_empty() {
        shown.insert("members".to_owned(), self::members(base, members));
    }
    let modified = touch.map_or(group.updated_at, |touch| group.updated_at.max(touch.value.at));
    let record = About { base, id: &group.id, created: group.created_at, modified };
    finish(types, shown, &record, tag::group(found, touch))
}

/// The members of a group, by their ids.
pub(super) fn members(base: &str, ids: &[String]) -> Value {
    ids.iter().map(|id| json!({ "value": id, "$ref": location(base, Kind::User, id), "type": "User" })).collect()
}

/// What is known of a resource beside its attributes.
pub(super) struct About<'a> {
    pub(super) base: &'a str,
    pub(super) id: &'a str,
    pub(super) created: Timestamp,
    pub(super) modified: Timestamp,
}

/// What a resource says of itself (RFC 7643 §3.1).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Meta {
    resource_type: &'static str,
    created: String,
    last_modified: String,
    location: String,
    version: String,
}

impl Meta {
    pub(super) fn new(kind: Kind, about: &About<'_>, tag: String) -> Self {
        Self {
            resource_type: kind.as_str(),
            created: instant::write(about.created),
            last_modified: instant::write(about.modified),
            location: location(about.base, kind, about.id),
            version: tag,
        }
    }
}

fn finish(types: &ResourceType, mut shown: Map<String, Value>, about: &About<'_>, tag: String) -> Value {
    shown.insert("id".to_owned(), about.id.into());
    let meta = Meta::new(types.kind(), about, tag);
    shown.insert("meta".to_owned(), json!(meta));
    let mut shown = Value::Object(shown);
    let schemas = resource::schemas(types, &shown);
    if let Some(members) = shown.as_object_mut() {
        members.insert("schemas".to_owned(), schemas.into());
    }
    shown
}

fn manager(attributes: &mut Map<String, Value>) -> Option<&mut Map<String, Value>> {
    attributes.get_mut(ENTERPRISE_USER)?.get_mut("manager")?.as_object_mut()
}

/// Puts the name of a person's manager, as it is now, into the shown person.
pub(super) async fn name_manager(broker: &Broker, tenant: &str, shown: &mut Value) -> Result<(), Error> {
    let Some(manager) = shown.as_object_mut().and_then(manager) else { return Ok(()) };
    let id = manager.get("value").and_then(Value::as_str).filter(|id| crate::handle::is_path_id(id));
    let Some(id) = id else { return Ok(()) };
    let found = key::user(tenant, id).get(&*broker.platform.store).await?;
    let name = found.and_then(|found| found.value.attributes.get("displayName").cloned());
    manager.extend(name.map(|name| ("displayName".to_owned(), name)));
    Ok(())
}

/// Gives a person's groups the names that they have now, and leaves out those that are gone: where a group has very many
/// members, its new name or its end reaches their records late.
pub(super) async fn name_groups(broker: &Broker, tenant: &str, user: &mut User) -> Result<(), Error> {
    let ids: Vec<String> = user.member_of.keys().map(|id| key::group(tenant, id).id().to_owned()).collect();
    let mut groups = BTreeMap::new();
    for page in ids.chunks(MAX_READS) {
        let found = broker.platform.store.get_many(&key::directory(tenant), page).await?;
        for found in found.into_iter().flatten() {
            let group = record::parse::<Group>(&found)?.value;
            let name = group.name();
            groups.insert(group.id, name);
        }
    }
    user.member_of = groups;
    Ok(())
}

/// The ids of everybody in a group, in order.
pub async fn members_of(broker: &Broker, tenant: &str, group: &str) -> Result<Vec<String>, Error> {
    let prefix = key::members_of(group);
    let mut members = Vec::new();
    let mut after = None;
    loop {
        let page = broker.platform.store.list(&key::directory(tenant), &prefix, after.as_deref(), PAGE).await?;
        let ids = page.records.iter().filter_map(|record| record.id.strip_prefix(&prefix));
        members.extend(ids.map(str::to_owned));
        after = page.next;
        if after.is_none() {
            return Ok(members);
        }
    }
}
