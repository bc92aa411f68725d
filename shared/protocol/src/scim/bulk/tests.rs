//! SC-16: bulk requests, their references, and those that are refused.

use super::*;

fn parse(operations: &Value) -> Result<Bulk, Error> {
    Bulk::parse(&json!({ "schemas": [BULK_REQUEST_SCHEMA], "failOnErrors": 1, "Operations": operations }), 10)
}

fn post(bulk_id: &str, path: &str, members: &[&str]) -> Value {
    let members: Vec<Value> = members.iter().map(|id| json!({ "value": format!("bulkId:{id}") })).collect();
    json!({ "method": "POST", "path": path, "bulkId": bulk_id, "data": { "members": members } })
}

/// SC-16: RFC 7644 §3.7.2, a group before the user that is in it.
#[test]
fn what_is_referred_to_comes_first() {
    let bulk = parse(&json!([
        post("group", "/Groups", &["alice", "alice"]),
        post("alice", "/Users", &[]),
        { "method": "patch", "path": "/Groups/bulkId:group", "version": "W/\"1\"", "data": { "x": ["bulkId:alice"] } },
        { "method": "DELETE", "path": "/Users/u1" },
    ]))
    .unwrap();
    assert_eq!(bulk.fail_on_errors, Some(1));
    assert_eq!(bulk.order().unwrap(), [1, 0, 2, 3]);
    let created = BTreeMap::from([("alice".to_owned(), "a1".to_owned()), ("group".to_owned(), "g1".to_owned())]);
    let mut patch = bulk.operations[2].clone();
    patch.resolve(&created);
    assert_eq!((patch.id.as_deref(), &patch.data), (Some("g1"), &json!({ "x": ["a1"] })));
    let mut group = bulk.operations[0].clone();
    group.resolve(&BTreeMap::new());
    assert_eq!(group.data["members"][0]["value"], "bulkId:alice");
}

/// SC-16
#[test]
fn references_that_lead_nowhere_are_a_conflict() {
    for wrong in [
        json!([post("a", "/Groups", &["b"]), post("b", "/Groups", &["a"])]),
        json!([post("a", "/Groups", &["a"])]),
        json!([post("a", "/Groups", &["x"])]),
        json!([{ "method": "DELETE", "path": "/Users/bulkId:x" }]),
        json!([
            { "method": "DELETE", "path": "/Users/u1", "bulkId": "d" },
            { "method": "PATCH", "path": "/Users/bulkId:d", "data": {} },
        ]),
    ] {
        assert_eq!(parse(&wrong).unwrap().order().unwrap_err().status, 409, "{wrong}");
    }
}

/// SC-16: nothing is tried if something can't be read.
#[test]
fn what_is_no_bulk_request_is_refused() {
    for wrong in [
        json!({ "method": "GET", "path": "/Users/1" }),
        json!({ "path": "/Users/1", "data": {} }),
        json!({ "method": "POST", "path": "/Users", "data": {} }),
        json!({ "method": "POST", "path": "/Users", "bulkId": "", "data": {} }),
        json!({ "method": "POST", "path": "/Users/1", "bulkId": "b", "data": {} }),
        json!({ "method": "PUT", "path": "/Users", "data": {} }),
        json!({ "method": "PUT", "path": "/Users/", "data": {} }),
        json!({ "method": "PUT", "path": "/Users/1/x", "data": {} }),
        json!({ "method": "PUT", "path": "/UsersX/1", "data": {} }),
        json!({ "method": "PUT", "path": "https://x.example/Users/1", "data": {} }),
        json!({ "method": "PUT", "path": "/Users/1" }),
        json!({ "method": "PATCH", "path": "/Users/1", "data": [] }),
        json!({ "method": "DELETE", "path": "/Users/1", "version": 1 }),
        json!("x"),
    ] {
        let error = parse(&json!([{ "method": "DELETE", "path": "/Users/1" }, wrong])).unwrap_err();
        assert_eq!((error.status, error.scim_type), (400, Some(ScimType::InvalidSyntax)), "{wrong}");
        assert!(error.detail.starts_with("Operations[1]: "), "{error}");
    }
    assert!(parse(&json!([post("a", "/Users", &[]), post("a", "/Users", &[])])).is_err());
    assert_eq!(parse(&json!(vec![json!({ "method": "DELETE", "path": "/Users/1" }); 11])).unwrap_err().status, 413);
    for wrong in [
        json!([]),
        json!({ "Operations": [] }),
        json!({ "schemas": [BULK_REQUEST_SCHEMA] }),
        json!({ "schemas": [BULK_REQUEST_SCHEMA], "Operations": [], "failOnErrors": 0 }),
        json!({ "schemas": [BULK_REQUEST_SCHEMA], "Operations": [], "failOnErrors": "1" }),
    ] {
        assert!(Bulk::parse(&wrong, 10).is_err(), "{wrong}");
    }
}

/// SC-3, SC-16: every status is text.
#[test]
fn the_answer_says_what_became_of_each() {
    let bulk = parse(&json!([post("a", "/Users", &[]), { "method": "DELETE", "path": "/Users/1" }])).unwrap();
    let made = bulk.operations[0].result(201, Some("https://s.example/Users/2"), Some("W/\"1\""), None);
    let error = Error::status(404, "there is no such user");
    let gone = bulk.operations[1].result(404, None, None, Some(&error));
    assert_eq!(
        response(&[made, gone]),
        json!({ "schemas": [BULK_RESPONSE_SCHEMA], "Operations": [
            { "method": "POST", "bulkId": "a", "status": "201", "location": "https://s.example/Users/2", "version": "W/\"1\"" },
            { "method": "DELETE", "status": "404", "response": error.body() },
        ] })
    );
}
