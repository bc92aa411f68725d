//! What is different between two states of an object, for the audit log.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::model::provisioned::AttributeChange;

/// Most attributes in an event.
const MAX_ATTRIBUTES: usize = 20;
/// Most characters of a value in one.
const MAX_VALUE: usize = 200;

/// The attributes that differ, by name: those of a part with the part's name before them, `part.attribute`, those of a
/// SCIM extension `urn:…:attribute`. Lists are told whole.
pub(crate) fn differences(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<AttributeChange> {
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

fn flat(attributes: &Map<String, Value>) -> BTreeMap<String, &Value> {
    let mut flat = BTreeMap::new();
    let mut open: Vec<(String, &Map<String, Value>)> = vec![(String::new(), attributes)];
    while let Some((prefix, attributes)) = open.pop() {
        for (name, value) in attributes {
            let path = format!("{prefix}{name}");
            match value {
                Value::Object(parts) => {
                    open.push((format!("{path}{}", if path.starts_with("urn:") { ':' } else { '.' }), parts));
                }
                value => drop(flat.insert(path, value)),
            }
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
