//! Sessions whose identity providers are asked again, every quarter of an hour: how often, and what comes of good answers.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule_core::store::Partition;
use vestibule_testkit::{Account, Document, Lie};
use vestibule_tests::in_process::{ALICE, TestBroker, claims};
use vestibule_tests::watched_store::{Counter, watched};

async fn refreshed(test: &TestBroker, tokens: &Value) -> StatusCode {
    test.refresh(tokens["refresh_token"].as_str().expect("a token")).await.status
}

fn user(tokens: &Value) -> String {
    claims(&tokens["access_token"])["sub"].as_str().expect("a subject").to_owned()
}

/// ED-5: a session is examined every quarter of an hour, with one request to its provider, and goes on.
#[tokio::test]
async fn a_session_is_examined_every_quarter_of_an_hour() {
    let test = TestBroker::new().await;
    let tokens = test.tokens().await;
    let before = test.idp.requests("/token");
    assert_eq!(test.minutes(60).await, 4);
    assert_eq!((test.idp.requests("/token") - before, test.idp.requests("/userinfo")), (4, 1));
    assert_eq!(refreshed(&test, &tokens).await, StatusCode::OK);
    assert_eq!(test.idp.unexpected(), Vec::<String>::new());
}

/// ED-5: slots that were missed are caught up with at the next tick that comes, once.
#[tokio::test]
async fn missed_slots_are_caught_up_with() {
    let test = TestBroker::new().await;
    let tokens = test.tokens().await;
    test.pass(3 * 3_600);
    assert_eq!(test.minutes(15).await, 1);
    assert_eq!(test.minutes(15).await, 1);
    assert_eq!(refreshed(&test, &tokens).await, StatusCode::OK);
}

/// Many sessions of one partition are examined in one tick, each once.
#[tokio::test]
async fn many_sessions_are_examined_in_steps() {
    let test = TestBroker::new().await;
    for _ in 0..60 {
        test.sign_in().await;
    }
    let before = test.idp.requests("/token");
    assert_eq!(test.minutes(15).await, 60);
    assert_eq!((test.idp.requests("/token") - before, test.among_sessions("watch#").await), (60, 60));
}

/// What the provider says is written down as at a sign-in; a rule takes back what it granted.
#[tokio::test]
async fn news_of_a_person_arrive_without_a_sign_in() {
    let test = TestBroker::new().await;
    let rules = json!({ "rules": [{ "claim": "level", "value": "high", "grants": "team", "name": "seniors" }] });
    test.admin(Method::PUT, "/tenants/acme/mapping", &rules).await;
    let alice =
        |name: &str, level: &str| Account::new(ALICE, "password", "alice-1", name).with_claim("level", json!(level));
    let teams = async |user: &str| {
        let access = test.admin(Method::GET, &format!("/tenants/acme/users/{user}/access"), &Value::Null).await;
        access["teams"].as_array().map_or(0, Vec::len)
    };
    test.idp.add_account(alice("Alice", "high"));
    let user = user(&test.tokens().await);
    assert_eq!(teams(&user).await, 1);
    for lie in [None, Some(Lie::NoRotation), Some(Lie::NoIdTokenOnRefresh)] {
        if let Some(lie) = lie {
            test.idp.lie(lie);
        }
        let name = format!("Alice {lie:?}");
        test.idp.add_account(alice(&name, "low"));
        test.minutes(15).await;
        assert_eq!((&test.user(&user).await["profile"]["name"], teams(&user).await), (&json!(name), 0));
        test.idp.add_account(alice(&name, "high"));
        test.minutes(15).await;
        assert_eq!(teams(&user).await, 1, "{lie:?}");
    }
    assert_eq!(test.audited(&["session_ended"]).await.len(), 0);
}

/// Userinfo is asked where the ID token says less than both said at the sign-in, and only there.
#[tokio::test]
async fn userinfo_is_asked_where_it_says_more() {
    let test = TestBroker::new().await;
    test.idp.say(Document::Userinfo, "department", json!("tin"));
    let tokens = test.tokens().await;
    assert_eq!(test.idp.requests("/userinfo"), 1);
    test.minutes(30).await;
    assert_eq!(test.idp.requests("/userinfo"), 3);
    test.idp.be_honest();
    test.minutes(15).await;
    assert_eq!(test.idp.requests("/userinfo"), 4, "to see that it says no more");
    test.minutes(45).await;
    assert_eq!(test.idp.requests("/userinfo"), 4);
    assert_eq!(refreshed(&test, &tokens).await, StatusCode::OK);
}

/// Whoever would not be let in any more is out; they stay who they are.
#[tokio::test]
async fn whoever_would_not_be_let_in_is_out() {
    for without_role in [false, true] {
        let test = TestBroker::new().await;
        let tokens = test.tokens().await;
        if without_role {
            let rule = json!({ "claim": "level", "value": "high", "grants": "role", "name": "admin" });
            let mapping = json!({ "roles": [{ "name": "admin" }], "rules": [rule] });
            test.admin(Method::PUT, "/tenants/acme/mapping", &mapping).await;
        } else {
            test.connect(&json!({ "sign_in": { "domains": ["other.example"] } })).await;
        }
        test.minutes(15).await;
        assert_eq!(refreshed(&test, &tokens).await, StatusCode::BAD_REQUEST);
        assert!(test.is_active(&user(&tokens)).await);
        let events = test.audited(&["session_ended"]).await;
        assert_eq!((events.len(), &events[0]["reason"]), (1, &json!("not_admitted")));
    }
}

/// What is kept of a provider ends with its session, however that ends.
#[tokio::test]
async fn what_is_kept_ends_with_the_session() {
    let test = TestBroker::new().await;
    let tokens = test.tokens().await;
    assert_eq!(test.among_sessions("watch#").await, 1);
    let hint = tokens["id_token"].as_str().expect("a token");
    test.get(&format!("/oauth2/logout?id_token_hint={hint}"), "").await;
    assert_eq!(test.among_sessions("watch#").await, 0);
    let idle = json!({ "name": "Acme", "lifetimes": { "session_idle": 7_200, "access_token": 600 } });
    test.admin(Method::PUT, "/tenants/acme", &idle).await;
    test.tokens().await;
    assert!(test.minutes(119).await >= 7);
    // No session is used by being examined.
    test.pass(60);
    assert_eq!((test.among_sessions("session#").await, test.among_sessions("watch#").await), (0, 1));
    let asked = test.idp.requests("/token");
    test.minutes(15).await;
    assert_eq!((test.among_sessions("watch#").await, test.idp.requests("/token")), (0, asked));
}

/// ED-2: that a session is watched costs a sign-in no call to the store.
#[tokio::test]
async fn watching_costs_a_sign_in_nothing() {
    let first = TestBroker::new().await;
    let (store, counter) = watched(&first.store, Counter::default());
    let test = first.another_process(Some(store));
    test.tokens().await;
    let (authorization, login) = test.start().await;
    counter.calls();
    test.finish(&authorization, &login).await;
    assert_eq!(counter.calls(), (2, vec!["sessions".to_owned()]));
    assert_eq!(test.among_sessions("watch#").await, 2);
}

/// ED-10: a provider's refresh token is sealed where it lies: with a session, and with a sign-in that waits.
#[tokio::test]
async fn tokens_of_providers_are_sealed() {
    let test = TestBroker::new().await;
    test.tokens().await;
    let asks = json!({ "name": "Acme", "checkpoint": { "justification": { "prompt": "Why?" } } });
    test.admin(Method::PUT, "/tenants/acme", &asks).await;
    let (authorization, login) = test.start().await;
    test.finish(&authorization, &login).await;
    test.minutes(15).await;
    assert_eq!((test.among_sessions("watch#").await, test.idp.refresh_tokens().len()), (1, 2));
    let mut stored = String::new();
    for shard in 0..8 {
        let partition = Partition::new(format!("sessions:acme:{shard}"));
        let page = test.store.list(&partition, "", None, 1_000).await.expect("a list");
        stored.extend(page.records.into_iter().map(|record| record.value));
    }
    assert!(stored.contains("\"tokens\":\"k1."), "something is sealed");
    for token in test.idp.refresh_tokens() {
        assert!(!stored.contains(&token));
    }
}
