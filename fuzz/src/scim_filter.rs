//! SCIM filters, as any directory may send them.

use serde_json::{Value, json};
use vestibule_protocol::scim::condition::{Condition, fold};
use vestibule_protocol::scim::filter::Filter;
use vestibule_protocol::scim::schema::{ENTERPRISE_USER, ResourceType};
use vestibule_protocol::scim::sort::SortBy;

/// A filter that is read is written and read again as itself; the schemas understand it or say why not; its negation
/// holds where it does not; and what it says an index can answer holds for nobody else.
pub fn scim_filter(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (user, group) = (ResourceType::user(Vec::new()), ResourceType::group(Vec::new()));
    // Any text may be an attribute's name too.
    drop(SortBy::parse(&user, text));
    let Ok(filter) = Filter::parse(text) else { return };
    assert_eq!(Filter::parse(&filter.to_string()).as_ref(), Ok(&filter), "{filter} is read as something else");
    for (resource_type, resources) in [(&user, people()), (&group, groups())] {
        let Ok(condition) = Condition::new(&filter, resource_type) else { continue };
        let negation = Condition::new(&Filter::Not(Box::new(filter.clone())), resource_type);
        let negation = negation.expect("what is understood is understood negated");
        for resource in &resources {
            let holds = condition.holds_for(resource);
            assert_ne!(holds, negation.holds_for(resource), "{filter} and its negation");
            for name in ["id", "userName", "externalId", "displayName"] {
                let Some(must) = condition.must_equal(name).filter(|_| holds) else { continue };
                let has = resource[name].as_str().unwrap_or_default();
                assert!(has == must || fold(has) == must, "{filter} holds for {has} and an index would not say so");
            }
        }
    }
}

fn people() -> Vec<Value> {
    vec![
        json!({
            "id": "a", "userName": "alice@corp.example", "externalId": "X", "displayName": "Alice", "active": true,
            "name": { "familyName": "Liddell" }, "meta": { "lastModified": "2020-01-01T00:00:00Z", "resourceType": "User" },
            "emails": [{ "value": "alice@corp.example", "type": "work", "primary": true }, { "value": "A@home.example" }],
            "groups": [{ "value": "g" }], (ENTERPRISE_USER): { "department": "Tea", "manager": { "value": "b" } },
        }),
        json!({ "id": "b", "userName": "B", "active": false }),
    ]
}

fn groups() -> Vec<Value> {
    vec![json!({ "id": "g", "displayName": "G", "members": [{ "value": "a", "type": "User" }, { "value": "b" }] })]
}
