//! Administrators' tokens in time: they end, and their last use is known to the hour without a write a request.

use axum::body::Body;
use http::{Method, Request, header};
use serde_json::{Value, json};
use vestibule_core::store::key;
use vestibule_protocol::time::{Seconds, Timestamp};
use vestibule_tests::Reply;
use vestibule_tests::in_process::TestBroker;

async fn ask(test: &TestBroker, token: &str, path: &str) -> Reply {
    let request = Request::get(format!("/admin/v1{path}")).header(header::AUTHORIZATION, format!("Bearer {token}"));
    test.send(request.body(Body::empty()).expect("a request")).await
}

async fn make(test: &TestBroker, members: Value) -> (String, String) {
    let made = test.admin(Method::POST, "/tokens", &members).await;
    let member = |name: &str| made[name].as_str().expect("a text").to_owned();
    (member("id"), member("token"))
}

fn now(test: &TestBroker) -> i64 {
    test.broker.platform.clock.now().seconds()
}

#[tokio::test]
async fn a_token_ends_when_it_says() {
    let test = TestBroker::new().await;
    let members = json!({"name": "an hour", "scopes": ["deployment:read"], "expires_at": now(&test) + 3600});
    let (id, token) = make(&test, members).await;
    assert_eq!(ask(&test, &token, "/tenants").await.status, 200);
    test.clock.advance(Seconds(3599));
    assert_eq!(ask(&test, &token, "/tenants").await.status, 200);
    test.clock.advance(Seconds(1));
    for process in [&test, &test.another_process(None)] {
        assert_eq!(ask(process, &token, "/tenants").await.status, 401);
    }
    assert_eq!(test.try_admin(Method::GET, &format!("/tokens/{id}"), &Value::Null).await.status, 404);
    assert_eq!(test.admin(Method::GET, "/tokens", &Value::Null).await["items"], json!([]));
}

/// One write an hour and token, however often it is used; a delete that comes in between stands.
#[tokio::test]
async fn the_last_use_is_known_to_the_hour() {
    let test = TestBroker::new().await;
    let (id, token) = make(&test, json!({"name": "busy", "scopes": ["deployment"]})).await;
    let version = async || {
        let found = key::admin_token(&id).get(&*test.store).await.expect("a store").expect("a token");
        (found.version, found.value.last_used_at.map(Timestamp::seconds))
    };
    let (unused, never) = version().await;
    assert_eq!(never, None);
    ask(&test, &token, "/tenants").await;
    let (first, used) = version().await;
    assert_ne!(first, unused);
    assert_eq!(used, Some(now(&test) - now(&test).rem_euclid(3600)));
    for _ in 0..5 {
        ask(&test, &token, "/tenants").await;
    }
    assert_eq!(version().await.0, first, "nothing was written");
    test.clock.advance(Seconds(3600));
    ask(&test, &token, "/tenants").await;
    assert_ne!(version().await.0, first);
    test.admin(Method::DELETE, &format!("/tokens/{id}"), &Value::Null).await;
    test.clock.advance(Seconds(3600));
    assert_eq!(ask(&test, &token, "/tenants").await.status, 401);
    assert!(key::admin_token(&id).get(&*test.store).await.expect("a store").is_none(), "use does not bring it back");
}

/// ED-10: what is stored of a token does not open anything.
#[tokio::test]
async fn a_token_is_stored_hashed() {
    let test = TestBroker::new().await;
    let (_, token) = make(&test, json!({"name": "stored", "scopes": ["deployment"]})).await;
    let secret = token.split_once('.').expect("two parts").1;
    let page = test.store.list(&key::admin_tokens(), key::ADMIN_TOKEN, None, 10).await.expect("a store");
    assert_eq!(page.records.len(), 1);
    assert!(!page.records[0].value.contains(secret), "{}", page.records[0].value);
    let stored: Value = serde_json::from_str(&page.records[0].value).expect("JSON");
    let hash = stored["secret"].as_str().expect("a hash");
    assert_eq!(ask(&test, &token.replace(secret, hash), "/tenants").await.status, 401, "the hash is no secret");
}
