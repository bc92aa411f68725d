//! What a body with problems tells.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::*;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Outer {
    name: String,
    count: u16,
    list: Vec<u8>,
    inner: Inner,
    #[serde(default)]
    perhaps: Option<Inner>,
    #[serde(default = "seven")]
    preset: i64,
    #[serde(default)]
    kind: Kind,
    #[serde(default)]
    texts: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Inner {
    flag: bool,
    address: Url,
}

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Kind {
    #[default]
    First,
    Second,
}

const fn seven() -> i64 {
    7
}

fn good() -> Value {
    json!({
        "name": "n", "count": 3, "list": [1, 2], "inner": {"flag": true, "address": "https://a.example/"},
        "kind": "second", "texts": {"a/b": "c"},
    })
}

/// Paths and problems, sorted.
fn problems(body: &str) -> Vec<(String, String)> {
    let found = match read::<Outer>(body.as_bytes()) {
        Ok(checked) => checked.problems.none(),
        Err(error) => Err(error),
    };
    let Err(AdminError::Problems(found)) = found else { return Vec::new() };
    let mut found: Vec<_> = found.into_iter().map(|problem| (problem.path, problem.problem)).collect();
    found.sort();
    found
}

fn paths(body: &Value) -> Vec<String> {
    problems(&body.to_string()).into_iter().map(|(path, _)| path).collect()
}

#[test]
fn what_fits_is_read_as_it_is() {
    let Checked { input, problems } = read::<Outer>(good().to_string().as_bytes()).unwrap();
    assert!(problems.none().is_ok());
    assert_eq!((input.name.as_str(), input.count, input.list), ("n", 3, vec![1, 2]));
    assert_eq!((input.perhaps, input.preset, input.kind), (None, 7, Kind::Second));
    assert_eq!(input.inner.address.as_str(), "https://a.example/");
    assert!(input.inner.flag);
    assert_eq!(input.texts.get("a/b").map(String::as_str), Some("c"));
}

#[test]
fn everything_wrong_is_told_at_once() {
    let body = json!({
        "name": 1, "count": 70_000, "list": [1, "two", 300], "inner": {"flag": "yes", "adress": ""},
        "perhaps": {}, "preset": "x", "kind": "third", "texts": {"a/b": null}, "more": {"x": 1},
    });
    assert_eq!(
        paths(&body),
        [
            "/count",
            "/inner/address",
            "/inner/adress",
            "/inner/flag",
            "/kind",
            "/list/1",
            "/list/2",
            "/more",
            "/name",
            "/perhaps/address",
            "/perhaps/flag",
            "/preset",
            "/texts/a~1b",
        ]
    );
    assert_eq!(paths(&json!({})), ["/count", "/inner", "/list", "/name"]);
}

#[test]
fn problems_say_what_is_expected_and_quote_nothing() {
    let with = |name: &str, value: Value| {
        let mut body = good();
        body[name] = value;
        problems(&body.to_string()).into_iter().map(|(_, problem)| problem).collect::<Vec<_>>().join("; ")
    };
    for (name, value, problem) in [
        ("name", json!(["secret"]), "must be a string"),
        ("count", json!(70_000), "must be a whole number from 0 to 65535"),
        ("count", json!(-1), "must be a whole number from 0 to 65535"),
        ("count", json!(1.5), "must be a whole number from 0 to 65535"),
        ("list", json!("secret"), "must be an array"),
        ("inner", json!(["secret"]), "must be an object"),
        ("preset", json!("secret"), "must be a whole number"),
        ("kind", json!("secret"), "must be one of first, second"),
        ("kind", json!(5), "must be one of first, second"),
        ("secret", json!("secret"), "is not a field that exists here"),
    ] {
        assert_eq!(with(name, value.clone()), problem, "{name}: {value}");
    }
    let address = json!({"flag": true, "address": "secret"});
    assert!(!with("inner", address).contains("secret"));
}

#[test]
fn what_is_no_object_is_refused_whole() {
    for (body, problem) in [
        ("", "is not JSON at line 1 column 0"),
        ("{", "is not JSON at line 1 column 1"),
        ("{} {}", "is not JSON at line 1 column 4"),
        ("[]", "must be an object"),
        ("null", "must be an object"),
        ("\"secret\"", "must be an object"),
    ] {
        assert_eq!(problems(body), [(String::new(), problem.to_owned())], "{body}");
    }
    assert!(read::<Outer>(&[b'['; 10_000]).is_err(), "deep nesting is no stack overflow");
}

#[test]
fn members_that_are_there_twice_are_problems() {
    let body = good().to_string();
    let twice = body.replacen("\"count\":3", "\"count\":3,\"count\":3", 1);
    assert_eq!(problems(&twice), [("/count".to_owned(), "is there twice".to_owned())]);
    let below = body.replacen("\"flag\":true", "\"flag\":true,\"flag\":true", 1);
    assert_eq!(problems(&below), [("/inner/flag".to_owned(), "is there twice".to_owned())]);
}

#[test]
fn very_many_problems_and_very_long_names_are_cut() {
    let mut body = good();
    body["list"] = (0..500).map(|_| json!("x")).collect();
    body["n".repeat(10_000)] = json!(1);
    let found = problems(&body.to_string());
    assert_eq!(found.len(), 100);
    assert!(found.iter().all(|(path, _)| path.len() <= 101), "{found:?}");
    let mut body = good();
    body["n".repeat(10_000)] = json!(1);
    assert_eq!(paths(&body), [format!("/{}", "n".repeat(100))]);
}
