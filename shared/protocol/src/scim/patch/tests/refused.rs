//! PATCH that is refused, and what stays as it was then.

use serde_json::json;

use super::super::*;
use super::{alice, patch_user};
use crate::scim::schema::ENTERPRISE_USER;

/// SC-9: the error says which operation, and why.
#[test]
fn what_can_t_be_done_has_its_own_error() {
    let manager_name = format!("{ENTERPRISE_USER}:manager.displayName");
    for (operation, scim_type) in [
        (json!({ "op": "upsert", "path": "active", "value": false }), ScimType::InvalidSyntax),
        (json!({ "path": "active", "value": false }), ScimType::InvalidSyntax),
        (json!({ "op": 1, "path": "active", "value": false }), ScimType::InvalidSyntax),
        (json!("replace"), ScimType::InvalidSyntax),
        (json!({ "op": "remove" }), ScimType::NoTarget),
        (json!({ "op": "remove", "path": "" }), ScimType::NoTarget),
        (json!({ "op": "remove", "value": { "active": true } }), ScimType::NoTarget),
        (json!({ "op": "replace", "path": "emails[type eq \"nope\"].value", "value": "x" }), ScimType::NoTarget),
        (json!({ "op": "replace", "path": "phoneNumbers.value", "value": "x" }), ScimType::NoTarget),
        (json!({ "op": "add", "path": "emails[type ne \"work\"].value", "value": "x" }), ScimType::NoTarget),
        (
            json!({ "op": "add", "path": "emails[type eq \"a\" or type eq \"b\"].value", "value": "x" }),
            ScimType::NoTarget,
        ),
        (
            json!({ "op": "add", "path": "emails[type eq \"a\" and type eq \"b\"].value", "value": "x" }),
            ScimType::NoTarget,
        ),
        (json!({ "op": "replace", "path": "emails[type eq", "value": "x" }), ScimType::InvalidPath),
        (json!({ "op": "replace", "path": "emails[type eq \"work\"].", "value": "x" }), ScimType::InvalidPath),
        (json!({ "op": "replace", "path": "emails[type eq \"work\"].nope", "value": "x" }), ScimType::InvalidPath),
        (json!({ "op": "replace", "path": "emails.value[type eq \"work\"]", "value": "x" }), ScimType::InvalidPath),
        (json!({ "op": "replace", "path": "emails[active eq true]", "value": "x" }), ScimType::InvalidPath),
        (json!({ "op": "replace", "path": "name[givenName pr]", "value": "x" }), ScimType::InvalidPath),
        (json!({ "op": "replace", "path": "userName pr", "value": "x" }), ScimType::InvalidPath),
        (json!({ "op": "replace", "path": "nope", "value": "x" }), ScimType::InvalidPath),
        (json!({ "op": "replace", "path": "name.nope", "value": "x" }), ScimType::InvalidPath),
        (json!({ "op": "add", "path": "urn:example:unknown:2.0:User:x", "value": "y" }), ScimType::InvalidPath),
        (json!({ "op": "add", "path": ["active"], "value": true }), ScimType::InvalidPath),
        (json!({ "op": "replace", "value": { "emails[type eq": "x" } }), ScimType::InvalidPath),
        (json!({ "op": "replace", "path": "id", "value": "x" }), ScimType::Mutability),
        (json!({ "op": "remove", "path": "meta" }), ScimType::Mutability),
        (json!({ "op": "add", "path": "groups", "value": [{ "value": "g" }] }), ScimType::Mutability),
        (json!({ "op": "add", "path": manager_name, "value": "Boss" }), ScimType::Mutability),
        (json!({ "op": "remove", "path": "userName" }), ScimType::Mutability),
        (json!({ "op": "replace", "path": "userName", "value": null }), ScimType::Mutability),
        (json!({ "op": "replace", "value": { "userName": "" } }), ScimType::Mutability),
        (json!({ "op": "replace", "path": "active" }), ScimType::InvalidValue),
        (json!({ "op": "add" }), ScimType::InvalidValue),
        (json!({ "op": "add", "value": "x" }), ScimType::InvalidValue),
        (json!({ "op": "replace", "path": "active", "value": "maybe" }), ScimType::InvalidValue),
        (json!({ "op": "replace", "path": "displayName", "value": { "a": 1 } }), ScimType::InvalidValue),
        (json!({ "op": "replace", "path": "displayName", "value": ["a", "b"] }), ScimType::InvalidValue),
        (json!({ "op": "replace", "path": "name", "value": "Alice" }), ScimType::InvalidValue),
        (json!({ "op": "replace", "path": ENTERPRISE_USER, "value": "x" }), ScimType::InvalidValue),
        (json!({ "op": "add", "path": "emails", "value": [["x"]] }), ScimType::InvalidValue),
        (
            json!({ "op": "add", "path": "emails", "value": [{ "value": "a", "primary": true }, { "value": "b", "primary": true }] }),
            ScimType::InvalidValue,
        ),
    ] {
        // A good operation first: nothing of it stays, because nothing is given back but the error.
        let good = json!({ "op": "replace", "path": "displayName", "value": "Changed" });
        let error = patch_user(&alice(), &json!([good, operation])).unwrap_err();
        assert_eq!((error.status, error.scim_type), (400, Some(scim_type)), "{operation}: {error}");
        let at_the_end = error.detail.contains("can't be removed");
        assert!(at_the_end || error.detail.starts_with("Operations[1]: "), "{error}");
    }
}

/// SC-9
#[test]
fn what_is_no_patch_is_refused() {
    let user = ResourceType::user(Vec::new());
    let operation = json!({ "op": "replace", "path": "active", "value": false });
    for body in [
        json!([]),
        json!({}),
        json!({ "schemas": [PATCH_SCHEMA] }),
        json!({ "schemas": [PATCH_SCHEMA], "Operations": [] }),
        json!({ "schemas": [PATCH_SCHEMA], "Operations": operation }),
        json!({ "schemas": ["urn:other"], "Operations": [operation] }),
        json!({ "schemas": PATCH_SCHEMA, "Operations": [operation] }),
    ] {
        assert_eq!(apply(&user, &alice(), &body).unwrap_err().scim_type, Some(ScimType::InvalidSyntax), "{body}");
    }
    let without = apply(&user, &alice(), &json!({ "operations": [operation] })).unwrap();
    assert_eq!(without.notes[0].what, Forgiven::SchemasMissing);
    let many = vec![operation; MAX_OPERATIONS + 1];
    assert_eq!(patch_user(&alice(), &json!(many)).unwrap_err().status, 413);
    let values: Vec<String> = (0..201).map(|number| number.to_string()).collect();
    assert!(patch_user(&alice(), &json!([{ "op": "add", "path": "roles", "value": values }])).is_err());
}

/// SC-9: any piece of a path gives a result or an error with a keyword, with it as `path` and as a key.
#[test]
fn pieces_of_paths_are_told_apart() {
    let path = format!("{ENTERPRISE_USER}:manager.value emails[type eq \"wörk\" and (primary pr)].value");
    for (at, _) in path.char_indices() {
        for piece in [&path[..at], &path[at..]] {
            for action in ["add", "replace", "remove"] {
                let at_path = json!({ "op": action, "path": piece, "value": "x" });
                let as_key = json!({ "op": action, "value": { piece: "x" } });
                for operation in [at_path, as_key] {
                    if let Err(error) = patch_user(&alice(), &json!([operation])) {
                        assert!(error.status == 400 && error.scim_type.is_some(), "{piece}: {error}");
                    }
                }
            }
        }
    }
}

/// SC-9: whatever operations come in whatever order, the result is a resource that a PUT of it would give back
/// unchanged, or an error.
#[test]
fn what_a_patch_makes_is_normal() {
    let values = [
        json!("x"),
        json!(""),
        json!(null),
        json!(true),
        json!("True"),
        json!(7),
        json!([]),
        json!(["x", "y"]),
        json!({ "value": "x", "primary": true }),
        json!([{ "value": "y", "type": "home", "primary": "true" }]),
        json!({ "givenName": "G", "familyName": null }),
        json!({ "name.givenName": "N", "emails": [{ "value": "z" }] }),
    ];
    let manager = format!("{ENTERPRISE_USER}:manager");
    let paths = [
        "userName",
        "active",
        "name",
        "name.givenName",
        "emails",
        "emails.value",
        "emails[type eq \"work\"]",
        "roles",
        "emails[type eq \"home\"].value",
        "emails[primary eq true].primary",
        "",
        ENTERPRISE_USER,
        &manager,
    ];
    let (user, mut seed, mut fine) = (ResourceType::user(Vec::new()), 3_u64, 0);
    let mut draw = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    for _ in 0..3_000 {
        let mut resource = alice();
        for _ in 0..3 {
            let op = ["add", "replace", "Remove"][draw(3)];
            let operation = json!({ "op": op, "path": paths[draw(paths.len())], "value": values[draw(values.len())] });
            if let Ok(patched) = patch_user(&resource, &json!([operation])) {
                resource = patched.resource;
                fine += 1;
            }
        }
        let body =
            crate::scim::resource::Body::parse(&user, &resource).unwrap_or_else(|error| panic!("{resource}: {error}"));
        assert_eq!(body.resource, resource);
    }
    assert!(fine > 2_000, "{fine}");
}
