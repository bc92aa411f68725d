//! What the audit log says of a directory: who did what, what was before, what it meant for people.

use http::Method;
use serde_json::{Value, json};
use vestibule_protocol::time::Seconds;
use vestibule_tests::in_process::TestBroker;
use vestibule_tests::scim::USER;

/// What directories did, once the ticks have written it down.
async fn events(test: &TestBroker) -> Vec<Value> {
    for _ in 0..15 {
        assert_eq!(test.broker.tick().await.expect("a tick").failed, 0);
        test.clock.advance(Seconds(60));
    }
    let page = test.admin(Method::GET, "/tenants/acme/audit?from=2025-06-15", &Value::Null).await;
    let events = page["events"].as_array().expect("events").iter();
    events.filter(|event| event["kind"] == "provisioned").cloned().collect()
}

/// SC-22: each write is in the audit log, with who did it, what was before and what is.
#[tokio::test]
async fn every_write_is_audited() {
    let test = TestBroker::new().await;
    let token = test.scim_token().await;
    let user = test.scim_user(&token, "ada").await;
    let path = format!("/Users/{user}");
    let long = "x".repeat(500);
    test.scim_patch(&token, &path, &json!([{"op": "Replace", "path": "title", "value": long}])).await;
    test.scim_patch(&token, &path, &json!([{"op": "replace", "path": "title", "value": long}])).await;
    test.scim(&token, Method::DELETE, &path, &Value::Null).await;
    for _ in 0..15 {
        test.broker.tick().await.expect("a tick");
        test.clock.advance(Seconds(60));
    }
    let page = test.admin(Method::GET, "/tenants/acme/audit?from=2025-06-15", &Value::Null).await;
    let events: Vec<&Value> =
        page["events"].as_array().expect("events").iter().filter(|event| event["kind"] == "provisioned").collect();
    let mut changes: Vec<&str> = events.iter().filter_map(|event| event["change"].as_str()).collect();
    changes.sort_unstable();
    assert_eq!(changes, ["created", "deleted", "replaced"], "what changes nothing is no change");
    for event in &events {
        assert_eq!((&event["object"], &event["user"]), (&json!(path), &json!(user)));
        assert_eq!(event["by"]["name"], "Directory");
        assert!(!event.to_string().contains(&token));
    }
    let replaced = events.iter().find(|event| event["change"] == "replaced").expect("a change");
    assert_eq!(replaced["attributes"], json!([{"name": "title", "after": "x".repeat(200)}]));
    assert_eq!(replaced["notes"], json!([{"operation": 0, "what": "operation_case"}]));
}

/// SC-22: who came into a group and who left it is told, in as many events as there are commits; so is its end.
#[tokio::test]
async fn members_are_in_the_log() {
    let test = TestBroker::new().await;
    let token = test.scim_token().await;
    let mut people = Vec::new();
    for number in 0..40 {
        people.push(test.scim_user(&token, &format!("person-{number}")).await);
    }
    let group = test.scim_group(&token, "Ops", &people).await;
    let path = format!("/Groups/{group}");
    let leave = json!([
        {"op": "remove", "path": format!("members[value eq \"{}\"]", people[0])},
        {"op": "replace", "path": "displayName", "value": "Operations"},
    ]);
    assert_eq!(test.scim_patch(&token, &path, &leave).await.status, 204);
    assert_eq!(test.scim(&token, Method::DELETE, &path, &Value::Null).await.status, 204);
    let events = events(&test).await;
    let told = |change: &str, membership: &str| {
        let events = events.iter().filter(|event| event["object"] == json!(path) && event["change"] == change);
        let people = events.filter_map(|event| event["people"].as_array()).flatten();
        people.filter(|person| person["membership"] == membership).count()
    };
    assert_eq!(told("created", "joined"), 30, "the first commit");
    assert_eq!(told("replaced", "joined"), 10, "the second");
    assert_eq!(told("replaced", "left"), 1);
    assert_eq!(told("deleted", "left"), 39);
    let renamed =
        events.iter().find(|event| event["attributes"][0]["before"] == "Ops" && event["change"] == "replaced");
    let renamed = renamed.expect("the new name");
    assert_eq!(renamed["attributes"], json!([{"name": "displayName", "before": "Ops", "after": "Operations"}]));
    assert_eq!(renamed["people"], json!([{"user": people[0], "membership": "left"}]));
}

/// SC-22: what a change means for people's rights is told with it: a new person, who joins, a new name, an end.
#[tokio::test]
async fn rights_are_in_the_log() {
    let test = TestBroker::new().await;
    let token = test.scim_token().await;
    let mapping = json!({
        "roles": [{"name": "admin"}, {"name": "viewer"}],
        "scim": {"groups": "group_display_names", "type": "userType"},
        "rules": [
            {"claim": "groups", "value": "Admins", "grants": "role", "name": "admin"},
            {"claim": "groups", "value": "/${*}", "grants": "team"},
            {"claim": "type", "value": "*", "grants": "business_unit"},
        ],
    });
    test.admin(Method::PUT, "/tenants/acme/mapping", &mapping).await;
    let body = json!({"schemas": [USER], "userName": "ada", "userType": "Works"});
    let made = test.scim(&token, Method::POST, "/Users", &body).await.scim();
    let user = made["id"].as_str().expect("an id").to_owned();
    let group = test.scim_group(&token, "Admins", std::slice::from_ref(&user)).await;
    let path = format!("/Groups/{group}");
    let rename = json!([{"op": "replace", "path": "displayName", "value": "/ops"}]);
    assert_eq!(test.scim_patch(&token, &path, &rename).await.status, 204);
    assert_eq!(test.scim(&token, Method::DELETE, &path, &Value::Null).await.status, 204);
    let works = json!([{"op": "remove", "path": "userType"}]);
    test.scim_patch(&token, &format!("/Users/{user}"), &works).await;
    let events = events(&test).await;
    for expected in [
        json!({"user": user, "gained": {"business_units": ["Works"]}}),
        json!({"user": user, "membership": "joined", "gained": {"roles": ["admin"]}}),
        json!({"user": user, "gained": {"teams": ["ops"]}, "lost": {"roles": ["admin"]}}),
        json!({"user": user, "membership": "left", "lost": {"teams": ["ops"]}}),
        json!({"user": user, "lost": {"business_units": ["Works"]}}),
    ] {
        let told = events.iter().filter_map(|event| event["people"].as_array()).flatten();
        assert_eq!(told.filter(|person| **person == expected).count(), 1, "{expected} in {events:?}");
    }
}
