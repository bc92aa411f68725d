//! What holds for any PATCH: thousands of them, drawn from the words that directories use, with a fixed seed.

use serde_json::{Value, json};

use super::super::super::resource::{self, Body};
use super::super::super::schema::{ENTERPRISE_USER, ResourceType};
use super::{alice, patch_user};

fn draw(seed: &mut u64, below: usize) -> usize {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from((*seed >> 33) % below as u64).unwrap()
}

fn pick<'v, T>(seed: &mut u64, from: &'v [T]) -> &'v T {
    &from[draw(seed, from.len())]
}

/// An operation; many of them are wrong.
fn operation(seed: &mut u64) -> Value {
    let department = format!("{ENTERPRISE_USER}:department");
    let manager = format!("{ENTERPRISE_USER}:manager");
    let paths = [
        "displayName",
        "name",
        "name.familyName",
        "NAME.givenName",
        "emails",
        "emails.value",
        "emails[type eq \"work\"]",
        "emails[type eq \"work\"].value",
        "emails[primary eq true].type",
        "emails[value co \"@\"]",
        "active",
        "nickName",
        "phoneNumbers[type eq \"mobile\"].value",
        "roles",
        "externalId",
        "userName",
        "id",
        "groups",
        "nope",
        "emails[",
        &department,
        &manager,
        "addresses[type eq \"work\"].locality",
        "schemas",
        "",
    ];
    let values = [
        json!("x"),
        json!("True"),
        json!(false),
        json!(null),
        json!(""),
        json!([]),
        json!({}),
        json!(7),
        json!({ "value": "b" }),
        json!([{ "value": "a@x.example", "type": "work", "primary": true }, { "value": "b@x.example", "type": "home" }]),
        json!({ "value": "c@x.example", "type": "work", "primary": "True" }),
        json!({ "familyName": "Z" }),
        json!({ "displayName": "D", "name.givenName": "G", "emails[type eq \"work\"].value": "d@x.example" }),
        json!({ "userName": null }),
        json!({ "active": "False", "unknown": 1 }),
        json!([["x"]]),
    ];
    let op = *pick(seed, &["add", "replace", "remove", "Add", "Replace", "Remove", "upsert"]);
    let mut operation = json!({ "op": op });
    if draw(seed, 5) > 0 {
        operation["path"] = (*pick(seed, &paths)).into();
    }
    if draw(seed, 6) > 0 {
        operation["value"] = pick(seed, &values).clone();
    }
    operation
}

/// SC-9: nothing that is drawn panics; a result is as a PUT of it would be; and operations do one after the other in
/// one request what they do in several.
#[test]
fn any_patch_leaves_a_whole_resource() {
    let (mut seed, mut fine, mut split) = (7, 0, 0);
    let user = ResourceType::user(Vec::new());
    for _ in 0..20_000 {
        let first: Vec<Value> = (0..=draw(&mut seed, 3)).map(|_| operation(&mut seed)).collect();
        let Ok(patched) = patch_user(&alice(), &json!(first)) else { continue };
        fine += 1;
        let mut whole = patched.resource.clone();
        whole["schemas"] = resource::schemas(&user, &whole).into();
        let put = Body::parse(&user, &whole).unwrap_or_else(|error| panic!("{error}: {first:?} made {whole}"));
        assert_eq!(put.resource, patched.resource, "{first:?}");
        assert!(put.notes.is_empty(), "{first:?}: {:?}", put.notes);
        let second = vec![operation(&mut seed)];
        let together = patch_user(&alice(), &json!([first.clone(), second.clone()].concat()));
        let apart = patch_user(&patched.resource, &json!(second));
        match (together, apart) {
            (Ok(together), Ok(apart)) => {
                assert_eq!(together.resource, apart.resource, "{first:?} {second:?}");
                split += 1;
            }
            (together, apart) => assert_eq!(together.is_err(), apart.is_err(), "{first:?} {second:?}"),
        }
    }
    assert!(fine > 1_000 && split > 300, "{fine} fine, {split} in two: the words are too wild");
}
