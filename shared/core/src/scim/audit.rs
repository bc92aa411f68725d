//! The audit event that every commit of a directory owes.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use vestibule_protocol::scim::note::Note;

use super::access::ScimCaller;
use crate::Broker;
use crate::error::Error;
use crate::model::effect::{AuditEvent, AuditKind, ChangeKind, Effect};
use crate::model::provisioned::{AttributeChange, Membership, PersonChange, Provisioned, Provisioner, Rights};
use crate::model::user::User;
use crate::outbox;
use crate::store::{Write, key};

/// Most attributes in an event.
const MAX_ATTRIBUTES: usize = 20;
/// Most characters of a value in one.
const MAX_VALUE: usize = 200;

/// What a commit did.
pub(super) struct Done {
    pub(super) object: String,
    pub(super) change: ChangeKind,
    pub(super) attributes: Vec<AttributeChange>,
    pub(super) people: Vec<PersonChange>,
    pub(super) notes: Vec<Note>,
}

impl ScimCaller {
    /// Who acts, for the audit log.
    pub(super) fn client(&self) -> Provisioner {
        Provisioner { id: self.id.clone(), name: self.name.clone() }
    }
}

/// The event, to be part of the commit in the tenant's directory that does it.
pub(super) fn owe(broker: &Broker, tenant: &str, by: Provisioner, done: Done) -> Result<Write, Error> {
    let Done { object, change, attributes, people, notes } = done;
    let user = object.strip_prefix("/Users/").map(str::to_owned);
    let kind = AuditKind::Provisioned(Box::new(Provisioned { object, change, by, attributes, people, notes }));
    let time = broker.platform.clock.now();
    let event = AuditEvent { time, kind, user, connection: None, client: None, session: None };
    let effect = Effect::Audit { tenant: tenant.to_owned(), event };
    Ok(outbox::owe(broker, key::directory(tenant), &effect)?.write)
}

/// What a change meant for a person; `None` when it meant nothing.
pub(super) fn person(before: &User, after: &User, membership: Option<Membership>) -> Option<PersonChange> {
    let gained = Rights::missing(&after.access, &before.access);
    let lost = Rights::missing(&before.access, &after.access);
    let is_told = membership.is_some() || !gained.is_empty() || !lost.is_empty();
    is_told.then(|| PersonChange { user: after.id.clone(), membership, gained, lost })
}

/// The attributes that differ, by name.
pub(super) fn differences(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<AttributeChange> {
    let (before, after) = (flat(before), flat(after));
    let names = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)));
    let change = |name: &String| {
        let (before, after) = (before.get(name).copied(), after.get(name).copied());
        (before != after).then(|| AttributeChange {
            name: name.clone(),
            before: before.map(short),
            after: after.map(short),
        })
    };
    names.filter_map(change).take(MAX_ATTRIBUTES).collect()
}

/// Attributes by name, those of extensions with their schema before it.
fn flat(attributes: &Map<String, Value>) -> BTreeMap<String, &Value> {
    let mut flat = BTreeMap::new();
    for (name, value) in attributes {
        match value {
            Value::Object(parts) if name.starts_with("urn:") => {
                flat.extend(parts.iter().map(|(part, value)| (format!("{name}:{part}"), value)));
            }
            value => drop(flat.insert(name.clone(), value)),
        }
    }
    flat
}

fn short(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.chars().take(MAX_VALUE).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// SC-22
    #[test]
    fn an_event_tells_what_is_different() {
        let object = |value: Value| value.as_object().cloned().unwrap();
        let before =
            object(json!({ "userName": "a", "title": "x", "active": true, "urn:example:x": { "badge": "1", "b": 1 } }));
        let after = object(
            json!({ "userName": "a", "nickName": "n".repeat(300), "active": false, "urn:example:x": { "badge": "2", "b": 1 } }),
        );
        let told: Vec<_> = differences(&before, &after);
        let told: Vec<_> = told
            .iter()
            .map(|change| (change.name.as_str(), change.before.as_deref(), change.after.as_deref()))
            .collect();
        let long = "n".repeat(200);
        assert_eq!(
            told,
            [
                ("active", Some("true"), Some("false")),
                ("title", Some("x"), None),
                ("urn:example:x:badge", Some("1"), Some("2")),
                ("nickName", None, Some(long.as_str())),
            ]
        );
        let many: Map<String, Value> = (0..30).map(|number| (number.to_string(), Value::Bool(true))).collect();
        assert_eq!(differences(&Map::new(), &many).len(), MAX_ATTRIBUTES);
    }
}
