//! Several requests in one (RFC 7644 §3.7).

use http::Method;
use serde_json::{Value, json};
use vestibule_tests::Reply;
use vestibule_tests::scim::{Directory, GROUP, PATCH, USER};

const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

async fn bulk(directory: &Directory, operations: Value, fail_on_errors: Option<u64>) -> Reply {
    let mut body = json!({ "schemas": [BULK], "Operations": operations });
    if let Some(most) = fail_on_errors {
        body["failOnErrors"] = most.into();
    }
    directory.call(Method::POST, "/Bulk", Some(&body)).await
}

fn user(bulk_id: &str, name: &str) -> Value {
    json!({ "method": "POST", "path": "/Users", "bulkId": bulk_id, "data": { "schemas": [USER], "userName": name } })
}

fn statuses(reply: &Reply) -> Vec<String> {
    assert_eq!(reply.status, 200, "{}", reply.body);
    let answer = reply.scim();
    assert_eq!(answer["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:BulkResponse"]));
    let operations = answer["Operations"].as_array().expect("operations").iter();
    operations.map(|operation| operation["status"].as_str().expect("a text").to_owned()).collect()
}

/// SC-16: RFC 7644 §3.7.2: a group that comes before the person who is in it, a change of what was just made, a deletion.
#[tokio::test]
async fn operations_refer_to_each_other() {
    let directory = Directory::new().await;
    let leaving = directory.user("leaving@corp.example").await;
    let group = json!({ "schemas": [GROUP], "displayName": "Tea", "members": [{ "value": "bulkId:ada" }] });
    let rename =
        json!({ "schemas": [PATCH], "Operations": [{ "op": "replace", "path": "displayName", "value": "Ada" }] });
    let reply = bulk(
        &directory,
        json!([
            { "method": "POST", "path": "/Groups", "bulkId": "tea", "data": group },
            user("ada", "ada@corp.example"),
            { "method": "PATCH", "path": "/Users/bulkId:ada", "data": rename },
            { "method": "DELETE", "path": format!("/Users/{leaving}") },
        ]),
        None,
    )
    .await;
    assert_eq!(statuses(&reply), ["201", "201", "200", "204"]);
    let answer = reply.scim();
    let made = answer["Operations"][1]["location"].as_str().expect("an address");
    assert_eq!(answer["Operations"][1]["bulkId"], "ada");
    let id = made.rsplit('/').next().expect("an id");
    let ada = directory.call(Method::GET, &format!("/Users/{id}"), None).await.scim();
    assert_eq!((&ada["displayName"], &ada["meta"]["location"]), (&json!("Ada"), &json!(made)));
    assert_eq!(ada["groups"][0]["display"], "Tea");
    assert_eq!(directory.call(Method::GET, &format!("/Users/{leaving}"), None).await.status, 404);
}

/// SC-16: an error is its operation's alone, until there are as many as the request allows.
#[tokio::test]
async fn errors_are_counted() {
    let directory = Directory::new().await;
    directory.user("taken@corp.example").await;
    let operations = json!([
        user("1", "taken@corp.example"),
        user("2", "free@corp.example"),
        { "method": "DELETE", "path": "/Users/nobody" },
        user("4", "other@corp.example"),
        { "method": "PATCH", "path": "/Groups/bulkId:5", "data": { "schemas": [PATCH], "Operations": [] } },
        { "method": "POST", "path": "/Groups", "bulkId": "5", "data": { "schemas": [GROUP] } },
    ]);
    let all = bulk(&directory, operations.clone(), None).await;
    assert_eq!(statuses(&all), ["409", "201", "404", "201", "404", "400"]);
    let first = &all.scim()["Operations"][0]["response"];
    assert_eq!((&first["scimType"], &first["status"]), (&json!("uniqueness"), &json!("409")));
    assert_eq!(all.scim()["Operations"][0].get("location"), None);
    // Two are made already: of the same request only the first two errors are seen now.
    assert_eq!(statuses(&bulk(&directory, operations.clone(), Some(2)).await), ["409", "409"]);
    assert_eq!(statuses(&bulk(&directory, operations, Some(1)).await), ["409"]);
    let stale = json!([{
        "method": "PUT", "path": format!("/Users/{}", directory.user("last@corp.example").await), "version": "W/\"stale\"",
        "data": { "schemas": [USER], "userName": "last@corp.example" },
    }]);
    assert_eq!(statuses(&bulk(&directory, stale, None).await), ["412"]);
}

/// SC-16: what cannot be done as a whole is not begun.
#[tokio::test]
async fn requests_that_cannot_work_are_refused() {
    let directory = Directory::new().await;
    let circle = json!([
        { "method": "POST", "path": "/Groups", "bulkId": "a", "data": { "schemas": [GROUP], "displayName": "A", "members": [{ "value": "bulkId:b" }] } },
        { "method": "POST", "path": "/Groups", "bulkId": "b", "data": { "schemas": [GROUP], "displayName": "B", "members": [{ "value": "bulkId:a" }] } },
    ]);
    let many: Vec<Value> =
        (0..101).map(|number| user(&number.to_string(), &format!("n{number}@corp.example"))).collect();
    let good = user("1", "good@corp.example");
    for (operations, status) in [
        (circle, 409),
        (json!(many), 413),
        (json!([good, { "method": "GET", "path": "/Users" }]), 400),
        (json!([good, { "method": "POST", "path": "/Users", "data": {} }]), 400),
        (json!([good, good]), 400),
        (json!([good, { "method": "POST", "path": "/Me", "bulkId": "2", "data": {} }]), 400),
        (json!({}), 400),
    ] {
        let reply = bulk(&directory, operations, None).await;
        assert_eq!(
            (reply.status.as_u16(), reply.scim()["status"].as_str()),
            (status, Some(status.to_string().as_str()))
        );
    }
    let large =
        json!([{ "method": "POST", "path": "/Users", "bulkId": "1", "data": { "x": "x".repeat(1024 * 1024) } }]);
    assert_eq!(bulk(&directory, large, None).await.status, 413);
    let other = directory.call(Method::POST, "/Bulk", Some(&json!({ "Operations": [] }))).await;
    assert_eq!((other.status.as_u16(), other.scim()["scimType"].as_str()), (400, Some("invalidSyntax")));
    assert_eq!(directory.query("/Users", &[]).await.scim()["totalResults"], 0, "nothing was begun");
}
