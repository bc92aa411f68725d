//! PATCH as Entra and Okta send it, as the RFC shows it, and as nobody should.

use serde_json::json;

use super::*;
use crate::scim::schema::ENTERPRISE_USER;

mod generated;
mod groups;
mod refused;

pub(super) fn alice() -> Value {
    json!({
        "userName": "alice@corp.example", "displayName": "Alice Liddell", "active": true, "externalId": "x-1",
        "name": { "givenName": "Alice", "familyName": "Liddell" },
        "emails": [{ "value": "alice@corp.example", "type": "work", "primary": true }],
    })
}

pub(super) fn patch_user(before: &Value, operations: &Value) -> Result<Patched, Error> {
    let body = json!({ "schemas": [PATCH_SCHEMA], "Operations": operations });
    apply(&ResourceType::user(Vec::new()), before, &body)
}

/// What `operations` make of Alice, and only in the attributes that they name.
fn patched(operations: &Value) -> Patched {
    let patched = patch_user(&alice(), operations).unwrap_or_else(|error| panic!("{operations}: {error}"));
    let (mut before, mut after) = (alice(), patched.resource.clone());
    for name in &patched.changed {
        let top = name.strip_prefix(ENTERPRISE_USER).map_or(name.as_str(), |_| ENTERPRISE_USER);
        for resource in [&mut before, &mut after] {
            resource.as_object_mut().unwrap().remove(top);
        }
    }
    assert_eq!(before, after, "{operations}");
    patched
}

fn noted(patched: &Patched, attribute: &str, what: Forgiven) -> bool {
    patched.notes.iter().any(|note| note.attribute == attribute && note.what == what)
}

/// SC-9, SC-12: Entra without its feature flag, Entra with it, Okta's object without a path.
#[test]
fn active_is_turned_off_in_every_dialect() {
    for operation in [
        json!({ "op": "Replace", "path": "active", "value": "False" }),
        json!({ "op": "replace", "path": "ACTIVE", "value": false }),
        json!({ "OP": "Add", "Path": "active", "Value": false }),
        json!({ "op": "replace", "value": { "active": false } }),
        json!({ "op": "replace", "path": null, "value": { "Active": "false" } }),
        json!({ "op": "Replace", "path": "urn:ietf:params:scim:schemas:core:2.0:User:active", "value": [false] }),
        json!({ "op": "replace", "value": { "urn:ietf:params:scim:schemas:core:2.0:User": { "active": false } } }),
    ] {
        let patched = patched(&json!([operation]));
        assert_eq!(
            (&patched.resource["active"], patched.changed.as_slice()),
            (&json!(false), &["active".to_owned()][..])
        );
    }
    let patched = patched(&json!([{ "op": "Replace", "path": "active", "value": "False" }]));
    assert!(noted(&patched, "", Forgiven::OperationCase) && noted(&patched, "active", Forgiven::FromText));
    assert_eq!(patched.notes[0].operation, Some(0));
}

/// SC-9: Entra's update of a person: six operations, value filters, paths as keys.
#[test]
fn what_entra_changes_is_changed() {
    let employee = format!("{ENTERPRISE_USER}:employeeNumber");
    let six = patched(&json!([
        { "op": "Replace", "path": "displayName", "value": "Pvlo" },
        { "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "p@corp.example" },
        { "op": "Replace", "path": "name.givenName", "value": "Gtfd" },
        { "op": "Replace", "path": "name.familyName", "value": "Pkqf" },
        { "op": "Replace", "path": "externalId", "value": "new" },
        { "op": "Replace", "path": employee, "value": "Eqpj" },
    ]));
    assert_eq!(six.resource["emails"], json!([{ "value": "p@corp.example", "type": "work", "primary": true }]));
    assert_eq!(six.resource[ENTERPRISE_USER], json!({ "employeeNumber": "Eqpj" }));
    assert_eq!(six.changed, ["externalId", "name", "displayName", "emails", &employee]);
    let keys = patched(&json!([{ "op": "replace", "value": {
        "displayName": "Bjfe", "name.givenName": "Kkom", &employee: "Aklq", "emails[type eq \"work\"].value": "q@corp.example",
        ENTERPRISE_USER: { "department": "R&D", "manager.value": "m" }, "unheard": 1, "id": "x", "meta.version": "1", "urn:x:y:z": 1, "a b": 1,
    } }]));
    assert_eq!(keys.resource["name"], json!({ "givenName": "Kkom", "familyName": "Liddell" }));
    assert_eq!(keys.resource["emails"][0]["value"], "q@corp.example");
    let extension = json!({ "employeeNumber": "Aklq", "department": "R&D", "manager": { "value": "m" } });
    assert_eq!(keys.resource[ENTERPRISE_USER], extension);
    for (name, what) in [
        ("unheard", Forgiven::Unknown),
        ("meta.version", Forgiven::ReadOnly),
        ("urn:x:y:z", Forgiven::Unknown),
        ("a b", Forgiven::Unknown),
    ] {
        assert!(noted(&keys, name, what), "{name}");
    }
}

/// SC-9: Entra gives somebody a first value of a type.
#[test]
fn an_add_makes_the_value_that_its_filter_asks_for() {
    let add = |path: &str| patched(&json!([{ "op": "Add", "path": path, "value": "+1" }]));
    let made = add("phoneNumbers[type eq \"mobile\"].value");
    assert_eq!(made.resource["phoneNumbers"], json!([{ "type": "mobile", "value": "+1" }]));
    assert!(noted(&made, "phoneNumbers.value", Forgiven::Created));
    let made = add("phoneNumbers[type eq \"work\" and primary eq \"True\"].value");
    assert_eq!(made.resource["phoneNumbers"], json!([{ "type": "work", "primary": true, "value": "+1" }]));
    let made = add("emails[type eq \"home\"].value");
    assert_eq!(made.resource["emails"][1], json!({ "type": "home", "value": "+1" }));
    assert_eq!(add("roles.value").resource["roles"], json!([{ "value": "+1" }]));
    let key = patched(&json!([{ "op": "replace", "value": { "emails[type eq \"home\"].value": "h@home.example" } }]));
    assert_eq!(key.resource["emails"][1], json!({ "type": "home", "value": "h@home.example" }));
    let replaced = patched(&json!([
        { "op": "replace", "path": "emails[type eq \"work\"]", "value": { "value": "b@corp.example" } },
    ]));
    assert_eq!(replaced.resource["emails"], json!([{ "type": "work", "value": "b@corp.example" }]));
}

/// SC-9: a value that any other filter chose is replaced as a whole.
#[test]
fn a_chosen_value_is_replaced_as_a_whole() {
    let value = json!({ "value": "b@corp.example", "display": "B" });
    let replaced = patched(&json!([{ "op": "replace", "path": "emails[value co \"alice\"]", "value": value }]));
    assert_eq!(replaced.resource["emails"], json!([value]));
    let added = patched(&json!([{ "op": "add", "path": "emails[value co \"alice\"]", "value": { "display": "A" } }]));
    let both = json!([{ "value": "alice@corp.example", "type": "work", "primary": true, "display": "A" }]);
    assert_eq!(added.resource["emails"], both);
}

/// SC-9: a manager as text, as an object, as a list of one, or by its part.
#[test]
fn a_manager_is_set_in_every_form_and_cleared_in_every_form() {
    let path = format!("{ENTERPRISE_USER}:manager");
    let part = format!("{path}.value");
    for (path, value) in [
        (&path, json!("m1")),
        (&path, json!({ "value": "m1", "displayName": "Boss" })),
        (&path, json!([{ "value": "m1" }])),
        (&part, json!("m1")),
    ] {
        let set = patched(&json!([{ "op": "Add", "path": path, "value": value }]));
        assert_eq!(set.resource[ENTERPRISE_USER], json!({ "manager": { "value": "m1" } }), "{value}");
        assert_eq!(set.changed, [format!("{ENTERPRISE_USER}:manager")]);
        for cleared in [
            json!({ "op": "Replace", "path": path, "value": null }),
            json!({ "op": "Replace", "path": path, "value": "" }),
            json!({ "op": "Remove", "path": path, "value": "m1" }),
            json!({ "op": "remove", "path": ENTERPRISE_USER }),
            json!({ "op": "replace", "value": { ENTERPRISE_USER: { "manager": { "value": "" } } } }),
        ] {
            let cleared = patch_user(&set.resource, &json!([cleared])).unwrap();
            assert_eq!(cleared.resource, alice());
        }
    }
}

/// SC-9: RFC 7644 §3.5.2.1 to §3.5.2.3 on attributes with several values.
#[test]
fn values_are_added_replaced_and_removed() {
    let emails = |operations: Value| patched(&operations).resource["emails"].clone();
    let home = json!({ "value": "h@home.example", "type": "home", "primary": true });
    let both = emails(json!([{ "op": "add", "path": "emails", "value": [home] }]));
    let work = json!({ "value": "alice@corp.example", "type": "work", "primary": false });
    assert_eq!(both, json!([work, home]));
    assert_eq!(emails(json!([{ "op": "add", "value": { "emails": home } }])), both);
    let again =
        json!([{ "op": "add", "path": "emails", "value": [{ "value": "ALICE@corp.example", "display": "A" }] }]);
    assert_eq!(emails(again).as_array().unwrap().len(), 1);
    assert_eq!(emails(json!([{ "op": "replace", "path": "emails", "value": [home] }])), json!([home]));
    let moved = json!([
        { "op": "add", "path": "emails", "value": [{ "value": "h@home.example", "type": "home" }] },
        { "op": "replace", "path": "emails[type eq \"home\"].primary", "value": "True" },
    ]);
    assert_eq!(emails(moved), both);
    for none in [
        json!({ "op": "remove", "path": "emails" }),
        json!({ "op": "remove", "path": "emails[type eq \"work\"]" }),
        json!({ "op": "Remove", "path": "emails[type eq \"work\"].value" }),
        json!({ "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "" }),
        json!({ "op": "Remove", "path": "emails", "value": [{ "value": "alice@corp.example", "type": "work" }] }),
        json!({ "op": "replace", "path": "emails", "value": [] }),
        json!({ "op": "replace", "value": { "emails": null } }),
    ] {
        assert_eq!(emails(json!([none])), Value::Null, "{none}");
    }
    for same in [
        json!({ "op": "Remove", "path": "emails", "value": [] }),
        json!({ "op": "Remove", "path": "emails", "value": [{ "value": "other" }] }),
        json!({ "op": "remove", "path": "emails[type eq \"home\"]" }),
        json!({ "op": "remove", "path": "emails.display" }),
        json!({ "op": "remove", "path": "nickName" }),
        json!({ "op": "add", "path": "emails", "value": [] }),
        json!({ "op": "replace", "value": {} }),
    ] {
        assert_eq!(patched(&json!([same])).changed, Vec::<String>::new(), "{same}");
    }
}

/// SC-9: what is not named stays; null and empty texts clear; a password is never kept.
#[test]
fn parts_that_are_not_named_stay() {
    let name = |operation: Value| patched(&json!([operation])).resource["name"].clone();
    let given = json!({ "givenName": "Alice", "familyName": "Carroll" });
    assert_eq!(name(json!({ "op": "replace", "path": "name", "value": { "familyName": "Carroll" } })), given);
    assert_eq!(name(json!({ "op": "add", "value": { "name": { "FAMILYNAME": "Carroll" } } })), given);
    assert_eq!(
        name(json!({ "op": "replace", "path": "name.givenName", "value": "" })),
        json!({ "familyName": "Liddell" })
    );
    assert_eq!(
        name(json!({ "op": "replace", "path": "name", "value": { "givenName": null, "familyName": null } })),
        Value::Null
    );
    assert_eq!(name(json!({ "op": "remove", "path": "name" })), Value::Null);
    for operation in [
        json!({ "op": "replace", "value": { "password": "n3w" } }),
        json!({ "op": "Replace", "path": "password", "value": "n3w" }),
    ] {
        let patched = patched(&json!([operation]));
        assert!(patched.changed.is_empty() && noted(&patched, "password", Forgiven::Password));
        assert!(!format!("{patched:?}").contains("n3w"));
    }
}
