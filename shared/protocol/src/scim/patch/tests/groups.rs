//! Members of groups: what Entra and Okta push, without reading who is in the group.

use serde_json::json;

use super::super::*;
use crate::scim::member::MemberChanges;

fn patch(operations: &Value) -> Result<Patched, Error> {
    let body = json!({ "schemas": [PATCH_SCHEMA], "Operations": operations });
    apply(&ResourceType::group(Vec::new()), &json!({ "displayName": "Guides" }), &body)
}

/// `-*` for everybody, `+a`, `-b`.
fn summary(changes: &MemberChanges) -> String {
    let clears = changes.clears().then(|| "-*".to_owned());
    let added = changes.added().map(|member| format!("+{}", member.id));
    clears.into_iter().chain(added).chain(changes.removed().map(|id| format!("-{id}"))).collect::<Vec<_>>().join(" ")
}

/// SC-9, SC-19
#[test]
fn members_come_and_go_one_by_one() {
    for (operations, expected) in [
        (json!([{ "op": "Add", "path": "members", "value": [{ "$ref": null, "value": "a" }] }]), "+a"),
        (json!([{ "op": "add", "path": "members", "value": { "value": "a", "type": "User" } }]), "+a"),
        (
            json!([{ "op": "add", "value": { "members": [{ "value": "a" }, { "value": "b", "display": "B" }] } }]),
            "+a +b",
        ),
        (json!([{ "op": "Remove", "path": "members", "value": [{ "value": "a" }] }]), "-a"),
        (
            json!([{ "op": "Remove", "path": "members", "value": [{ "$ref": null, "value": "a" }, { "value": "b" }] }]),
            "-a -b",
        ),
        (json!([{ "op": "remove", "path": "members[value eq \"a\"]" }]), "-a"),
        (json!([{ "op": "remove", "path": "MEMBERS[VALUE EQ \"A\" or value eq \"b\"]" }]), "-A -b"),
        (json!([{ "op": "remove", "path": "members" }]), "-*"),
        (json!([{ "op": "remove", "path": "members", "value": null }]), "-*"),
        (json!([{ "op": "remove", "path": "members", "value": [] }]), ""),
        (json!([{ "op": "replace", "path": "members", "value": [{ "value": "b" }] }]), "-* +b"),
        (json!([{ "op": "replace", "value": { "members": [], "id": "g", "displayName": "Guides" } }]), "-*"),
        (json!([{ "op": "add", "path": "members[value eq \"a\"]", "value": { "display": "A" } }]), "+a"),
        (
            json!([
                { "op": "remove", "path": "members[value eq \"a\"]" },
                { "op": "add", "path": "members", "value": [{ "value": "b", "display": "bob" }] },
                { "op": "Remove", "path": "members", "value": [{ "value": "b" }] },
                { "op": "Add", "path": "members", "value": [{ "value": "a" }] },
            ]),
            "+a -b",
        ),
    ] {
        let patched = patch(&operations).unwrap_or_else(|error| panic!("{operations}: {error}"));
        assert_eq!(summary(&patched.members), expected, "{operations}");
        assert_eq!(patched.resource, json!({ "displayName": "Guides" }), "{operations}");
        assert!(patched.changed.is_empty(), "{operations}");
    }
}

/// SC-9: a rename, or the same name again, which Okta sends at each change, touches nobody.
#[test]
fn a_rename_leaves_the_members() {
    let renamed = patch(&json!([{ "op": "replace", "value": { "id": "g", "displayName": "Leaders" } }])).unwrap();
    assert_eq!((renamed.changed.as_slice(), renamed.members.is_empty()), (&["displayName".to_owned()][..], true));
    let same = patch(&json!([{ "op": "replace", "value": { "id": "g", "displayName": "Guides" } }])).unwrap();
    assert!(same.changed.is_empty() && same.members.is_empty());
    let other = patch(&json!([{ "op": "Replace", "path": "externalId", "value": "o" }])).unwrap();
    assert!(other.members.is_empty());
}

/// SC-9, SC-21: nobody is dropped or chosen by a filter that we would have to guess.
#[test]
fn what_can_t_be_done_to_members_is_refused() {
    for (operation, scim_type) in [
        (
            json!({ "op": "replace", "path": "members[value eq \"a\"]", "value": { "value": "b" } }),
            ScimType::Mutability,
        ),
        (json!({ "op": "replace", "path": "members[value eq \"a\"].display", "value": "b" }), ScimType::Mutability),
        (json!({ "op": "remove", "path": "members.value" }), ScimType::Mutability),
        (json!({ "op": "remove", "path": "members[type eq \"User\"]" }), ScimType::InvalidPath),
        (json!({ "op": "remove", "path": "members[value sw \"a\"]" }), ScimType::InvalidPath),
        (json!({ "op": "remove", "path": "members[not (value eq \"a\")]" }), ScimType::InvalidPath),
        (json!({ "op": "remove", "path": "members[value pr]" }), ScimType::InvalidPath),
        (json!({ "op": "remove", "path": "members[nope eq \"a\"]" }), ScimType::InvalidPath),
        (
            json!({ "op": "add", "path": "members", "value": [{ "value": "a" }, { "display": "b" }] }),
            ScimType::InvalidValue,
        ),
        (json!({ "op": "add", "path": "members", "value": [null] }), ScimType::InvalidValue),
        (json!({ "op": "add", "path": "members", "value": "" }), ScimType::InvalidValue),
        (
            json!({ "op": "remove", "path": "members", "value": [{ "value": 1.5, "x": [] }, []] }),
            ScimType::InvalidValue,
        ),
        (json!({ "op": "remove", "path": "displayName" }), ScimType::Mutability),
        (json!({ "op": "replace", "path": "displayName", "value": "" }), ScimType::Mutability),
        (json!({ "op": "replace", "path": "userName", "value": "x" }), ScimType::InvalidPath),
    ] {
        assert_eq!(patch(&json!([operation])).unwrap_err().scim_type, Some(scim_type), "{operation}");
    }
}
