//! Bodies as Entra and Okta send them, and bodies that nobody should send.

use serde_json::json;

use super::super::schema::{ENTERPRISE_USER, GROUP, USER};
use super::*;

fn user(sent: &Value) -> Result<Body, Error> {
    Body::parse(&ResourceType::user(Vec::new()), sent)
}

fn group(sent: &Value) -> Result<Body, Error> {
    Body::parse(&ResourceType::group(Vec::new()), sent)
}

fn noted(body: &Body) -> Vec<(&str, Forgiven)> {
    body.notes.iter().map(|note| (note.attribute.as_str(), note.what)).collect()
}

/// SC-10, SC-13: Okta's user, with a password, an empty list of groups and what it read from us.
#[test]
fn a_user_of_okta_is_read() {
    let body = user(&json!({
        "schemas": [USER], "id": "ours", "userName": "t@corp.example", "locale": "en-US", "externalId": "00u1",
        "name": { "givenName": "Test", "familyName": "User", "middleName": null },
        "emails": [{ "primary": true, "value": "t@corp.example", "type": "work" }],
        "groups": [], "password": "1mz050nq", "active": true, "meta": { "resourceType": "User" },
    }))
    .unwrap();
    assert_eq!(
        body.resource,
        json!({
            "userName": "t@corp.example", "locale": "en-US", "externalId": "00u1", "active": true,
            "name": { "givenName": "Test", "familyName": "User" },
            "emails": [{ "primary": true, "value": "t@corp.example", "type": "work" }],
        })
    );
    assert_eq!(noted(&body), [("password", Forgiven::Password)]);
}

/// SC-7, SC-12: Entra's user: texts for booleans, the extension, an empty list; and names in another case.
#[test]
fn a_user_of_entra_is_read() {
    let body = user(&json!({
        "schemas": [USER, ENTERPRISE_USER, "urn:example:theirs"], "USERNAME": "e@corp.example", "Active": "True",
        "Emails": [{ "Primary": "true", "Type": "work", "VALUE": "e@corp.example" }], "roles": [], "nickName": null,
        "title": "", ENTERPRISE_USER.to_uppercase(): { "Department": "R&D", "manager": "m1", "employeeNumber": 7, "x": 1 },
        "favouriteColour": "red",
    }))
    .unwrap();
    assert_eq!(
        body.resource,
        json!({
            "userName": "e@corp.example", "active": true,
            "emails": [{ "primary": true, "type": "work", "value": "e@corp.example" }],
            ENTERPRISE_USER: { "department": "R&D", "manager": { "value": "m1" }, "employeeNumber": "7" },
        })
    );
    for note in [
        ("urn:example:theirs", Forgiven::SchemaUnknown),
        ("active", Forgiven::FromText),
        ("favouriteColour", Forgiven::Unknown),
        ("title", Forgiven::Empty),
    ] {
        assert!(noted(&body).contains(&note), "{note:?} in {:?}", body.notes);
    }
    assert!(!serde_json::to_string(&body.notes).unwrap().contains("red"));
    assert_eq!(schemas(&ResourceType::user(Vec::new()), &body.resource), [USER, ENTERPRISE_USER]);
}

/// SC-19, SC-21: members are apart, each once, and none is dropped.
#[test]
fn a_group_s_members_are_apart() {
    let body = group(&json!({
        "schemas": [GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
        "displayName": "Tour guides",
        "members": [{ "value": "b", "display": "Bob", "$ref": null }, { "value": "a", "type": "Group" }, { "value": "b" }],
    }))
    .unwrap();
    assert_eq!(body.resource, json!({ "displayName": "Tour guides" }));
    let member = |id: &str, kind: Option<&str>| Member { id: id.to_owned(), kind: kind.map(str::to_owned) };
    assert_eq!(noted(&body).len(), 1, "{:?}", body.notes);
    assert_eq!(body.members, [member("a", Some("Group")), member("b", None)]);
    for wrong in [
        json!([{}]),
        json!([null]),
        json!([{ "display": "x" }]),
        json!([{ "value": "" }]),
        json!([["a"]]),
        json!([true]),
    ] {
        assert!(group(&json!({ "schemas": [GROUP], "displayName": "x", "members": wrong })).is_err(), "{wrong}");
    }
}

/// SC-3
#[test]
fn what_is_of_another_type_is_refused_by_name() {
    for (attribute, wrong) in [
        ("userName", json!(null)),
        ("userName", json!("")),
        ("userName", json!(["a", "b"])),
        ("userName", json!({ "value": "a" })),
        ("userName", json!(true)),
        ("active", json!("yes")),
        ("active", json!(1)),
        ("name", json!("Alice")),
        ("name", json!([{ "givenName": "a" }, { "givenName": "b" }])),
        ("name.givenName", json!({ "x": 1 })),
        ("emails", json!([["a@b"]])),
        ("emails", json!([{ "value": "a", "primary": true }, { "value": "b", "primary": true }])),
        ("emails.value", json!({ "x": 1 })),
        ("emails.primary", json!("maybe")),
        ("photos.value", json!(1)),
        ("x509Certificates.value", json!("ä")),
        ("roles", json!((0..201).map(|number| number.to_string()).collect::<Vec<_>>())),
    ] {
        let (top, part) = attribute.split_once('.').unwrap_or((attribute, ""));
        let value = if part.is_empty() { wrong.clone() } else { json!({ part: wrong }) };
        let value = if part.is_empty() || top == "name" { value } else { json!([value]) };
        let mut body = json!({ "schemas": [USER], "userName": "a" });
        body[top] = value;
        let error = user(&body).unwrap_err();
        assert_eq!((error.status, error.scim_type), (400, Some(ScimType::InvalidValue)), "{attribute} {wrong}");
        assert!(error.detail.contains(attribute), "{attribute}: {error}");
    }
}

#[test]
fn what_is_no_user_is_refused() {
    for wrong in [
        json!([]),
        json!("x"),
        json!({ "schemas": USER, "userName": "a" }),
        json!({ "schemas": [GROUP], "userName": "a" }),
        json!({ "schemas": [], "userName": "a" }),
        json!({ "schemas": [USER], "userName": "a", "USERNAME": "b" }),
    ] {
        assert_eq!(user(&wrong).unwrap_err().scim_type, Some(ScimType::InvalidSyntax), "{wrong}");
    }
    for wrong in [json!({ "schemas": [USER] }), json!({ "schemas": [USER], "userName": "a", ENTERPRISE_USER: "x" })] {
        assert_eq!(user(&wrong).unwrap_err().scim_type, Some(ScimType::InvalidValue), "{wrong}");
    }
    let body = user(&json!({ "userName": "a" })).unwrap();
    assert_eq!(noted(&body), [("schemas", Forgiven::SchemasMissing)]);
}

/// SC-10: what is written once stays.
#[test]
fn a_put_does_not_change_what_is_immutable() {
    let own = json!({ "id": "urn:example:hr", "name": "HR", "attributes": [
        { "name": "badge", "mutability": "immutable" },
        { "name": "desk", "type": "complex", "subAttributes": [{ "name": "floor", "mutability": "immutable" }, { "name": "seat" }] },
    ]});
    let types = ResourceType::user(vec![serde_json::from_value(own).unwrap()]);
    let body = |hr: Value| Body::parse(&types, &json!({ "userName": "a", "urn:example:hr": hr })).unwrap();
    let before = body(json!({ "badge": "1", "desk": { "floor": "2", "seat": "a" } })).resource;
    for (after, fine) in [
        (json!({ "badge": "1", "desk": { "floor": "2", "seat": "b" } }), true),
        (json!({ "badge": "2", "desk": { "floor": "2" } }), false),
        (json!({ "desk": { "floor": "2" } }), false),
        (json!({ "badge": "1", "desk": { "floor": "3" } }), false),
        (json!({ "badge": "1" }), false),
    ] {
        let result = body(after.clone()).check_replaces(&types, &before);
        assert_eq!(
            result.map_err(|error| error.scim_type),
            if fine { Ok(()) } else { Err(Some(ScimType::Mutability)) },
            "{after}"
        );
    }
    assert!(body(json!({ "badge": "9" })).check_replaces(&types, &json!({ "userName": "a" })).is_ok());
}
