//! What is shown of a resource, and what never is.

use serde_json::json;

use super::super::schema::{ENTERPRISE_USER, Schema, USER};
use super::*;

const OWN: &str = "urn:example:hr:User";

fn types() -> ResourceType {
    let own: Schema = serde_json::from_value(json!({ "id": OWN, "name": "HR", "attributes": [
        { "name": "badge", "returned": "request" }, { "name": "pin", "mutability": "writeOnly" },
        { "name": "desk", "type": "complex", "subAttributes": [
            { "name": "floor", "returned": "request" }, { "name": "seat" }, { "name": "key", "returned": "always" },
        ] },
    ] }))
    .unwrap();
    ResourceType::user(vec![own])
}

fn resource() -> Value {
    json!({
        "schemas": [USER], "id": "1", "meta": { "version": "W/\"1\"", "location": "l" }, "userName": "a", "password": "p",
        "name": { "givenName": "A", "familyName": "B" }, "unknown": 1,
        "emails": [{ "value": "a@b", "type": "work" }, { "value": "c@d" }],
        ENTERPRISE_USER: { "department": "D", "manager": { "value": "m" } },
        OWN: { "badge": "7", "pin": "1234", "desk": { "floor": "2", "seat": "a", "key": "k" } },
    })
}

fn show(attributes: &[&str], excluded: &[&str]) -> Result<Value, Error> {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let types = types();
    let mut shown = resource();
    Projection::new(&types, &owned(attributes), &owned(excluded))?.apply(&mut shown);
    assert!(shown["id"] == "1" && shown["schemas"] == json!([USER]), "always: {shown}");
    assert!(shown.get("password").is_none() && shown[OWN].get("pin").is_none(), "never: {shown}");
    Ok(shown)
}

/// What is shown beside the id and the schemas.
fn beside(attributes: &[&str], excluded: &[&str]) -> Value {
    let mut shown = show(attributes, excluded).unwrap();
    for always in ["id", "schemas"] {
        shown.as_object_mut().unwrap().remove(always);
    }
    shown
}

/// SC-13
#[test]
fn without_a_choice_the_usual_is_shown() {
    let shown = show(&[], &[]).unwrap();
    assert_eq!(shown["name"], resource()["name"]);
    assert_eq!(shown["meta"], resource()["meta"]);
    assert_eq!(shown[OWN], json!({ "desk": { "seat": "a", "key": "k" } }));
    assert!(shown.get("unknown").is_none());
}

/// SC-13, SC-7
#[test]
fn only_what_is_named_is_shown() {
    // What is always shown of an attribute is shown when something of the attribute is.
    assert_eq!(beside(&["USERNAME"], &[]), json!({ "userName": "a" }));
    assert_eq!(
        beside(&["emails.value", "name.givenname"], &[]),
        json!({
            "emails": [{ "value": "a@b" }, { "value": "c@d" }], "name": { "givenName": "A" },
        })
    );
    assert_eq!(beside(&["emails.value", "emails"], &[])["emails"], resource()["emails"]);
    let department = format!("{ENTERPRISE_USER}:department");
    assert_eq!(beside(&[&department], &[]), json!({ ENTERPRISE_USER: { "department": "D" } }));
    assert_eq!(beside(&[ENTERPRISE_USER], &[]), json!({ ENTERPRISE_USER: resource()[ENTERPRISE_USER] }));
    assert_eq!(beside(&["urn:example:hr:User:badge"], &[]), json!({ OWN: { "badge": "7" } }));
    assert_eq!(
        beside(&["urn:example:hr:User:desk.floor"], &[]),
        json!({ OWN: { "desk": { "floor": "2", "key": "k" } } })
    );
    for nothing in ["password", "urn:example:hr:User:pin", "title", "id"] {
        assert_eq!(beside(&[nothing], &[]), json!({}), "{nothing}");
    }
}

/// SC-13
#[test]
fn what_is_excluded_is_not_shown() {
    let shown = beside(&[], &["emails", "name.givenName", "meta", "id", "unheard", "a b", ENTERPRISE_USER]);
    let expected =
        json!({ "userName": "a", "name": { "familyName": "B" }, OWN: { "desk": { "seat": "a", "key": "k" } } });
    assert_eq!(shown, expected);
    let group = ResourceType::group(Vec::new());
    let has_members = |attributes: &[String], excluded: &[String]| {
        Projection::new(&group, attributes, excluded).unwrap().shows("members")
    };
    assert!(
        has_members(&[], &[])
            && has_members(&["members.value".to_owned()], &[])
            && has_members(&[], &["members.type".to_owned()])
    );
    assert!(!has_members(&[], &["Members".to_owned()]) && !has_members(&["displayName".to_owned()], &[]));
}

/// SC-13
#[test]
fn what_can_t_be_chosen_is_refused() {
    for wrong in ["unheard", "a b", "", "name.unheard", "urn:example:other", "emails[type eq \"work\"]"] {
        assert_eq!(show(&[wrong], &[]).unwrap_err().scim_type, Some(ScimType::InvalidValue), "{wrong}");
    }
    assert!(show(&["userName"], &["emails"]).is_err());
    assert!(show(&["userName"; MAX_NAMES + 1], &[]).is_err());
}
