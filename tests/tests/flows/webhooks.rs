//! Events to a tenant's webhooks.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule_tests::in_process::deliveries::EVENTS;
use vestibule_tests::in_process::{CALLBACK, TestBroker, claims};

/// A webhook is told of what it wants to know, signed, and of nothing else.
#[tokio::test]
async fn a_webhook_is_told_of_events() {
    let test = TestBroker::new().await;
    let secret =
        test.subscribed(&json!(["user.created", "user.deactivated", "user.reactivated", "session.ended"])).await;
    let session = claims(&test.tokens().await["id_token"]);
    let user = format!("/tenants/acme/users/{}", session["sub"].as_str().expect("a person"));
    test.admin(Method::PUT, &user, &json!({"active": false})).await;
    test.admin(Method::PUT, &user, &json!({"active": true})).await;
    test.admin(Method::DELETE, &user, &Value::Null).await;
    test.quarters_of_an_hour(3).await;
    let told = test.network.received(EVENTS);
    let mut kinds: Vec<String> =
        told.iter().map(|call| call.at("/type").as_str().expect("a type").to_owned()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["session.ended", "user.created", "user.deactivated", "user.reactivated"]);
    for call in &told {
        assert_eq!(call.signatures_by(&secret), 1);
        assert_eq!((call.at("/data/user"), call.at("/data/tenant")), (session["sub"].clone(), json!("acme")));
        assert_eq!(call.at("/timestamp"), "2025-06-15T15:06:40Z");
        assert!(call.header("webhook-id").starts_with("msg_"));
    }
    let ended = told.iter().find(|call| call.at("/type") == "session.ended").expect("the session's end");
    assert_eq!((ended.at("/data/session"), ended.at("/data/connection")), (session["sid"].clone(), json!("idp")));
}

/// What a directory does to people is told too; a person who stays on is not news.
#[tokio::test]
async fn a_directorys_changes_are_told() {
    let test = TestBroker::new().await;
    test.subscribed(&json!(["user.created", "user.deactivated", "user.reactivated", "user.deleted"])).await;
    let id = test.push(&json!({"userName": "ada", "active": true}), None).await;
    let token = test.admin(Method::POST, "/tenants/acme/scim-tokens", &json!({"name": "Again"})).await;
    let token = token["token"].as_str().expect("a token");
    let path = format!("/Users/{id}");
    for (title, active) in [("x", true), ("x", false), ("x", true)] {
        let schemas = json!(["urn:ietf:params:scim:schemas:core:2.0:User"]);
        let body = json!({"schemas": schemas, "userName": "ada", "title": title, "active": active});
        assert_eq!(test.scim(token, Method::PUT, &path, &body).await.status, StatusCode::OK);
    }
    assert_eq!(test.scim(token, Method::DELETE, &path, &Value::Null).await.status, StatusCode::NO_CONTENT);
    test.quarters_of_an_hour(3).await;
    let told = test.network.received(EVENTS);
    let mut kinds: Vec<Value> = told.iter().map(|call| call.at("/type")).collect();
    kinds.sort_unstable_by_key(ToString::to_string);
    assert_eq!(kinds, ["user.created", "user.deactivated", "user.deleted", "user.reactivated"]);
    assert!(told.iter().all(|call| call.at("/data/user") == json!(id)));
}

/// A replay of an event has the name of the first try, and is signed with the secrets of its day, both of them during a
/// change.
#[tokio::test]
async fn an_event_that_comes_again_has_its_name() {
    let test = TestBroker::new().await;
    let first = test.subscribed(&json!(["user.created"])).await;
    test.network.receive(EVENTS, 0);
    test.tokens().await;
    test.quarters_of_an_hour(2).await;
    let before = test.network.received(EVENTS);
    assert!(!before.is_empty());
    assert_eq!(test.items("deliveries").await[0]["failure"]["problem"], "no complete reply in time");
    let second = test.admin(Method::POST, "/tenants/acme/webhook-secret", &Value::Null).await;
    test.network.receive(EVENTS, 200);
    test.quarters_of_an_hour(8).await;
    let after = test.network.received(EVENTS);
    assert_eq!(after.len(), 1);
    assert_eq!(before[0].header("webhook-id"), after[0].header("webhook-id"));
    assert_eq!(before[0].body, after[0].body);
    assert_eq!(after[0].signatures_by(&first), 1);
    assert_eq!(after[0].signatures_by(second["secret"].as_str().expect("a secret")), 1);
}

/// A webhook that is switched off, removed or of another tenant is told nothing.
#[tokio::test]
async fn whoever_did_not_ask_is_told_nothing() {
    let test = TestBroker::new().await;
    test.subscribed(&json!(["user.created"])).await;
    let off = json!({"url": EVENTS, "events": ["user.created"], "enabled": false});
    test.admin(Method::PUT, "/tenants/acme/webhooks/audit", &off).await;
    test.admin(Method::PUT, "/tenants/other", &json!({"name": "Other"})).await;
    let others = json!({"url": EVENTS, "events": ["user.created"]});
    test.admin(Method::PUT, "/tenants/other/webhooks/audit", &others).await;
    test.tokens().await;
    test.quarters_of_an_hour(3).await;
    assert_eq!(test.network.received(EVENTS).len(), 0);
}

/// AZ-13: what is no webhook is refused, with every problem.
#[tokio::test]
async fn impossible_webhooks_are_refused() {
    let test = TestBroker::new().await;
    for (body, path) in [
        (json!({"url": "http://events.example/", "events": ["user.created"]}), "/url"),
        (json!({"url": "https://127.0.0.1/", "events": ["user.created"]}), "/url"),
        (json!({"url": "https://a:b@events.example/", "events": ["user.created"]}), "/url"),
        (json!({"url": EVENTS, "events": []}), "/events"),
        (json!({"url": EVENTS, "events": ["user.created", "user.created"]}), "/events/1"),
        (json!({"url": EVENTS, "events": ["user.exploded"]}), "/events/0"),
        (json!({"url": EVENTS, "events": ["user.created"], "secret": "x"}), "/secret"),
    ] {
        let reply = test.try_admin(Method::PUT, "/tenants/acme/webhooks/audit", &body).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(reply.json()["problems"][0]["path"], path, "{}", reply.body);
    }
    let webhook = json!({"url": EVENTS, "events": ["user.created"]});
    for number in 0..20 {
        test.admin(Method::PUT, &format!("/tenants/acme/webhooks/w{number}"), &webhook).await;
    }
    let reply = test.try_admin(Method::PUT, "/tenants/acme/webhooks/w20", &webhook).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    let client = json!({
        "name": "App", "redirect_uris": [CALLBACK], "client_auth": "none", "backchannel_logout_uri": "https://10.0.0.1/",
    });
    let reply = test.try_admin(Method::PUT, "/clients/other", &client).await;
    assert_eq!(reply.json()["problems"][0]["path"], "/backchannel_logout_uri");
}
