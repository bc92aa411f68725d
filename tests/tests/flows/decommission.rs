//! The dry run of a decommission: what it says is what happens, and it does nothing.

use std::collections::BTreeSet;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule_tests::in_process::deliveries::{EVENTS, LOGOUT};
use vestibule_tests::in_process::{TestBroker, claims};

fn user_of(tokens: &Value) -> String {
    claims(&tokens["id_token"])["sub"].as_str().expect("a person").to_owned()
}

async fn preview(test: &TestBroker, user: &str) -> Value {
    test.admin(Method::GET, &format!("/tenants/acme/users/{user}/decommission/preview"), &Value::Null).await
}

/// CK-5, ED-7: sessions, refresh families, applications and webhooks that are named are those that end and are told.
#[tokio::test]
async fn what_is_said_is_what_happens() {
    let test = TestBroker::listening(200).await;
    test.subscribed(&json!(["user.deactivated", "session.ended", "user.created"])).await;
    let only_people = json!({ "url": EVENTS, "events": ["user.deactivated"] });
    test.admin(Method::PUT, "/tenants/acme/webhooks/people", &only_people).await;
    for (id, events, enabled) in [("off", "user.deactivated", false), ("other", "user.created", true)] {
        let webhook = json!({ "url": EVENTS, "events": [events], "enabled": enabled });
        test.admin(Method::PUT, &format!("/tenants/acme/webhooks/{id}"), &webhook).await;
    }
    // One session in which the application signed in twice, one with one family, one without any.
    let first = test.sign_in().await;
    let tokens = test.redeem(&first.code).await.json();
    let again = signed_in_again(&test, &first.cookie).await;
    let other = test.tokens().await;
    test.sign_in().await;
    test.quarters_of_an_hour(2).await;
    test.network.received(EVENTS);

    let user = user_of(&tokens);
    let said = preview(&test, &user).await;
    assert_eq!(
        (&said["active"], &said["session_count"], &said["more_sessions"]),
        (&json!(true), &json!(3), &json!(false))
    );
    let application = json!([{ "client": "app", "refresh_families": 3, "told": true }]);
    assert_eq!(said["applications"], application);
    let people = json!({ "webhook": "people", "events": ["user.deactivated"] });
    let audit = json!({ "webhook": "audit", "events": ["user.deactivated", "session.ended"] });
    assert_eq!(said["webhooks"], json!([audit, people]));
    let sessions = said["sessions"].as_array().expect("sessions");
    let named: BTreeSet<&str> = sessions.iter().filter_map(|session| session["id"].as_str()).collect();
    assert_eq!(sessions.iter().filter(|session| session["clients"] == json!(["app"])).count(), 2);
    assert_eq!(preview(&test, &user).await, said, "a look changes nothing");
    for token in [&tokens, &again, &other] {
        assert_eq!(test.introspect(token["access_token"].as_str().expect("a token")).await["active"], true);
    }
    assert!(test.audited(&["user_deactivated", "session_ended"]).await.is_empty());
    assert!(test.network.received(LOGOUT).is_empty() && test.network.received(EVENTS).is_empty());

    test.admin(Method::PUT, &format!("/tenants/acme/users/{user}"), &json!({ "active": false })).await;
    let ended = test.audited(&["session_ended"]).await;
    assert_eq!(ended.iter().filter_map(|event| event["session"].as_str()).collect::<BTreeSet<_>>(), named);
    test.quarters_of_an_hour(2).await;
    assert_eq!(test.network.received(LOGOUT).len(), 2, "one for each session with tokens");
    let told: Vec<Value> = test.network.received(EVENTS).iter().map(|call| call.at("/type")).collect();
    assert_eq!(told.iter().filter(|kind| **kind == "user.deactivated").count(), 2);
    assert_eq!(told.iter().filter(|kind| **kind == "session.ended").count(), 3);
    let nothing = json!({
        "active": false, "session_count": 0, "more_sessions": false, "sessions": [], "applications": [], "webhooks": [],
    });
    assert_eq!(preview(&test, &user).await, nothing);
}

async fn signed_in_again(test: &TestBroker, cookie: &str) -> Value {
    let reply = test.authorize(&[], cookie).await;
    let location = reply.location().expect("a way back");
    let code = location.query_pairs().find(|(name, _)| name == "code").expect("a code").1.into_owned();
    test.redeem(&code).await.json()
}

/// Of many sessions the first are shown, and it says that there are more.
#[tokio::test]
async fn many_sessions_are_counted() {
    let test = TestBroker::new().await;
    let user = user_of(&test.tokens().await);
    for _ in 0..20 {
        test.sign_in().await;
    }
    let said = preview(&test, &user).await;
    assert_eq!((&said["session_count"], &said["more_sessions"]), (&json!(21), &json!(true)));
    assert_eq!(said["sessions"].as_array().map(Vec::len), Some(20));
    for _ in 0..80 {
        test.sign_in().await;
    }
    let said = preview(&test, &user).await;
    assert_eq!((&said["session_count"], &said["more_sessions"]), (&json!(100), &json!(true)));
}

/// An application that does not want to know is not told. Nobody is nobody, in whatever tenant.
#[tokio::test]
async fn whoever_is_not_told_is_said_to_be_not_told() {
    let test = TestBroker::new().await;
    let user = user_of(&test.tokens().await);
    let said = preview(&test, &user).await;
    assert_eq!(said["applications"], json!([{ "client": "app", "refresh_families": 1, "told": false }]));
    assert_eq!(said["webhooks"], json!([]));
    test.subscribed(&json!(["session.ended", "user.created"])).await;
    assert_eq!(preview(&test, &user).await["webhooks"], json!([{ "webhook": "audit", "events": ["session.ended"] }]));
    test.admin(Method::PUT, "/tenants/other", &json!({ "name": "Other" })).await;
    for (tenant, user) in [("acme", "nobody"), ("other", user.as_str()), ("none", &user), ("acme", &"x".repeat(300))] {
        let path = format!("/tenants/{tenant}/users/{user}/decommission/preview");
        assert_eq!(test.try_admin(Method::GET, &path, &Value::Null).await.status, StatusCode::NOT_FOUND, "{tenant}");
    }
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let path = format!("/tenants/acme/users/{user}/decommission/preview");
        assert_eq!(test.try_admin(method, &path, &json!({})).await.status, StatusCode::METHOD_NOT_ALLOWED);
    }
}
