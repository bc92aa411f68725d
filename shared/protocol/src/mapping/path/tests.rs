//! Paths over claims as providers send them.

use serde_json::{Value, json};

use super::*;

fn claims(json: Value) -> Claims {
    let Value::Object(members) = json else { panic!("no object") };
    Claims::from(members)
}

fn found(path: &str, json: Value) -> Value {
    let claims = claims(json);
    Value::Array(path.parse::<ClaimPath>().unwrap().find(&claims).into_iter().cloned().collect())
}

#[test]
fn an_exact_name_goes_first_whatever_is_in_it() {
    for name in ["groups", "a.b", "cognito:groups", "https://corp.example/roles", "$score", "a b", "ä", "*", "a[0]"] {
        assert_eq!(found(name, json!({ name: 1, "a": { "b": 2 } })), json!([1]), "{name}");
    }
    assert_eq!(found("$.a", json!({ "$.a": 1, "a": 2 })), json!([1]), "even where it could be JSONPath");
}

#[test]
fn dots_lead_into_objects_and_lists() {
    let keycloak = json!({
        "realm_access": { "roles": ["a", "b"] },
        "resource_access": { "my.app": { "roles": ["c"] }, "my": { "app": { "roles": ["d"] } } },
    });
    assert_eq!(found("realm_access.roles", keycloak.clone()), json!([["a", "b"]]));
    assert_eq!(found("resource_access.my.app.roles", keycloak), json!([["c"]]), "the longest name first");
    let listed = json!({ "groups": [{ "name": "x" }, 7, { "name": ["y", "z"] }, { "other": 1 }] });
    assert_eq!(found("groups.name", listed), json!(["x", ["y", "z"]]));
    assert_eq!(found("a.b.c", json!({ "a.b": { "x": 1 }, "a": { "b.c": 2 } })), json!([2]), "a dead end is left");
}

#[test]
fn a_dollar_begins_jsonpath() {
    let json = json!({ "teams": [{ "n": "x", "lead": true }, { "n": "y" }], "o'k": 1 });
    assert_eq!(found("$.teams[?@.lead == true].n", json.clone()), json!(["x"]));
    assert_eq!(found("$.teams[*].n", json.clone()), json!(["x", "y"]));
    assert_eq!(found("$.teams[-1].n", json.clone()), json!(["y"]));
    assert_eq!(found("$..n", json.clone()), json!(["x", "y"]));
    assert_eq!(found("$['o\\'k']", json.clone()), json!([1]));
    assert_eq!(found("$.teams[?length(@.n) == 1 && count(@.*) > 1].n", json.clone()), json!(["x"]));
    assert_eq!(found("$['a..b', 'c$(']", json!({ "a..b": 1, "c$(": 2 })), json!([1, 2]), "in quotes all is a name");
}

#[test]
fn what_is_not_there_is_nothing() {
    for path in ["b", "a.x", "a.", ".a", ".", "a.b.c", "$.b", "$.a[0]", "n", "n.x", "$.n"] {
        assert_eq!(found(path, json!({ "a": { "b": 1 }, "n": null })), json!([]), "{path}");
    }
}

#[test]
fn one_value_is_no_list_and_no_second() {
    let claims = claims(json!({ "a": "x", "l": ["x"], "o": {}, "m": [{ "v": 1 }, { "v": 2 }] }));
    let only = |path: &str| path.parse::<ClaimPath>().unwrap().only(&claims).cloned();
    assert_eq!(only("a"), Some(json!("x")));
    assert_eq!(only("m.v"), None);
    assert_eq!((only("l"), only("o"), only("none")), (None, None, None));
    assert_eq!(only("$.l[0]"), Some(json!("x")));
}

#[test]
fn what_cannot_be_a_path_is_refused() {
    for form in ["", "a\nb", &"x".repeat(256)] {
        assert_eq!(form.parse::<ClaimPath>(), Err(PathError::Form));
    }
    for broken in ["$.", "$[", "$[?", "$.a[", "$.a b", "$[01]", "$.a[?match(@.b, 'x')]", "$[?search(@, 'x')]"] {
        assert!(matches!(broken.parse::<ClaimPath>(), Err(PathError::JsonPath(_))), "{broken}");
    }
    for costly in [
        "$..a..b",
        "$[?@..a]",
        "$[?$.a]",
        "$[*,*][*,*][*,*,*,*]",
        "$[?(((((((@.a)))))))]",
        "$[?@[?@[?@[?@[?@[?@[?@.a]]]]]]]",
    ] {
        assert!(matches!(costly.parse::<ClaimPath>(), Err(PathError::Costly(_))), "{costly}");
    }
}

#[test]
fn it_is_written_and_read_as_its_text() {
    for text in ["groups", "$.a[0]", "a.b"] {
        let path: ClaimPath = serde_json::from_value(json!(text)).unwrap();
        assert_eq!((serde_json::to_value(&path).unwrap(), path.as_str()), (json!(text), text));
    }
    let wrong = serde_json::from_value::<ClaimPath>(json!("$.secret[")).unwrap_err().to_string();
    assert!(wrong.contains("JSONPath that cannot be read") && !wrong.contains("secret"), "{wrong}");
}
