//! The checkpoint in time, and what is kept of an answer.

use axum::body::Body;
use http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use url::form_urlencoded;
use vestibule_core::store::Partition;
use vestibule_protocol::time::Seconds;
use vestibule_tests::Reply;
use vestibule_tests::dns::WEBHOOK;
use vestibule_tests::in_process::{TestBroker, signed_in};
use vestibule_tests::watched_store::{Counter, watched};

const WHY: &str = "Looking into ticket 4711.";

async fn guard(test: &TestBroker, when: &str) {
    let checkpoint = json!({ "when": when, "justification": {} });
    test.admin(Method::PUT, "/tenants/acme", &json!({ "name": "Acme", "checkpoint": checkpoint })).await;
}

/// The cookie of a sign-in that waits, as `name=value`.
fn held(reply: &Reply) -> String {
    let cookies = reply.set_cookies();
    let held = cookies.iter().find(|cookie| cookie.starts_with("__Host-checkpoint-"));
    held.unwrap_or_else(|| panic!("{} {}", reply.status, reply.body)).split(';').next().expect("a pair").to_owned()
}

async fn asked(test: &TestBroker) -> String {
    let (authorization, login) = test.start().await;
    held(&test.finish(&authorization, &login).await)
}

/// Answers from our own page; `cookies` begin with the one of the sign-in that waits.
async fn answer(test: &TestBroker, cookies: &str, why: &str) -> Reply {
    let (name, _) = cookies.split_once('=').expect("a pair");
    let login = name.strip_prefix("__Host-checkpoint-").expect("a sign-in that waits");
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("login", login), ("justification", why)])
        .finish();
    let request = Request::post("/oauth2/checkpoint")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::COOKIE, cookies)
        .header("sec-fetch-site", "same-origin");
    test.send(request.body(Body::from(body)).expect("a request")).await
}

async fn events(test: &TestBroker) -> Vec<Value> {
    for _ in 0..15 {
        test.broker.tick().await.expect("a tick");
        test.clock.advance(Seconds(60));
    }
    let page = test.admin(Method::GET, "/tenants/acme/audit?from=2025-06-15", &Value::Null).await;
    page["events"].as_array().expect("events").clone()
}

/// RP-1: the person has ten minutes.
#[tokio::test]
async fn a_question_waits_for_ten_minutes() {
    let test = TestBroker::new().await;
    guard(&test, "once_per_session").await;
    let (young, old) = (asked(&test).await, asked(&test).await);
    test.clock.advance(Seconds(599));
    signed_in(&answer(&test, &young, WHY).await);
    test.clock.advance(Seconds(1));
    let reply = answer(&test, &old, WHY).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert!(reply.body.contains("This sign-in has expired"), "{}", reply.body);
}

/// CK-5: whoever is being asked while all sessions of the tenant are ended has to start again.
#[tokio::test]
async fn an_end_of_all_sessions_includes_who_is_being_asked() {
    let test = TestBroker::new().await;
    guard(&test, "once_per_session").await;
    let waiting = asked(&test).await;
    test.admin(Method::POST, "/tenants/acme/end-sessions", &Value::Null).await;
    let reply = answer(&test, &waiting, WHY).await;
    assert_eq!(reply.location(), None, "{} {}", reply.status, reply.body);
    assert!(reply.status.is_client_error(), "{} {}", reply.status, reply.body);
    signed_in(&answer(&test, &asked(&test).await, WHY).await);
}

/// The answer is in the session and in the audit log, once, with who, where and when.
#[tokio::test]
async fn the_answer_is_kept() {
    let test = TestBroker::new().await;
    guard(&test, "every_sign_in").await;
    let cookie = asked(&test).await;
    answer(&test, &cookie, "short").await;
    let session = signed_in(&answer(&test, &cookie, WHY).await).cookie;
    let sessions = async || {
        let mut found = Vec::new();
        for shard in 0..8 {
            let partition = Partition::new(format!("sessions:acme:{shard}"));
            found.extend(test.store.list(&partition, "session#", None, 100).await.expect("a page").records);
        }
        found.into_iter().map(|found| serde_json::from_str::<Value>(&found.value).expect("JSON")).collect::<Vec<_>>()
    };
    assert_eq!(sessions().await[0]["subject"]["justification"], WHY);
    let continued = held(&test.authorize(&[], &session).await);
    let reply = answer(&test, &format!("{continued}; {session}"), "And the next ticket.").await;
    let there = reply.location().unwrap_or_else(|| panic!("{}", reply.body));
    assert!(!Reply::one_param(&there, "code").is_empty());
    let kept = sessions().await;
    assert_eq!((kept.len(), &kept[0]["subject"]["justification"]), (1, &json!("And the next ticket.")));
    let events = events(&test).await;
    let said = |kind: &str| -> Vec<&Value> {
        events.iter().filter(|event| event["kind"] == kind).map(|event| &event["justification"]).collect()
    };
    assert_eq!(said("signed_in"), [WHY]);
    assert_eq!(said("session_continued"), ["And the next ticket."]);
}

/// A session that began before the tenant had a checkpoint passes it once, and is the same session after.
#[tokio::test]
async fn a_session_from_before_passes_too() {
    let test = TestBroker::new().await;
    let session = test.sign_in().await.cookie;
    guard(&test, "once_per_session").await;
    let silent = test.authorize(&[("prompt", "none")], &session).await.location().expect("a redirect");
    assert_eq!(Reply::one_param(&silent, "error"), "interaction_required");
    let waiting = held(&test.authorize(&[], &session).await);
    let reply = answer(&test, &format!("{waiting}; {session}"), WHY).await;
    let there = reply.location().unwrap_or_else(|| panic!("{}", reply.body));
    assert_eq!(test.redeem(&Reply::one_param(&there, "code")).await.status, StatusCode::OK);
    assert!(reply.set_cookies().iter().all(|cookie| !cookie.starts_with("__Host-session")));
    let silent = test.authorize(&[("prompt", "none")], &session).await.location().expect("a redirect");
    assert!(!Reply::one_param(&silent, "code").is_empty());
}

/// A session that ended while the person was writing signs nobody in.
#[tokio::test]
async fn an_answer_revives_no_session() {
    let test = TestBroker::new().await;
    let session = test.sign_in().await;
    let id_token = test.redeem(&session.code).await.text("id_token");
    guard(&test, "once_per_session").await;
    let waiting = held(&test.authorize(&[], &session.cookie).await);
    test.get(&format!("/oauth2/logout?id_token_hint={id_token}"), "").await;
    let reply = answer(&test, &format!("{waiting}; {}", session.cookie), WHY).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{}", reply.body);
}

/// The connection is gone, or the setting, while the person writes: the first ends it, the second lets them through.
#[tokio::test]
async fn settings_may_change_meanwhile() {
    let test = TestBroker::new().await;
    guard(&test, "once_per_session").await;
    let (first, second) = (asked(&test).await, asked(&test).await);
    test.connect(&json!({ "enabled": false })).await;
    assert_eq!(answer(&test, &first, WHY).await.status, StatusCode::FORBIDDEN);
    test.connect(&json!({})).await;
    test.admin(Method::PUT, "/tenants/acme", &json!({ "name": "Acme" })).await;
    signed_in(&answer(&test, &second, "").await);
}

/// ED-2: a question costs one commit to ask; its page a read; its answer takes the sign-in and commits.
#[tokio::test]
async fn a_question_costs_few_storage_calls() {
    let test = TestBroker::new().await;
    guard(&test, "once_per_session").await;
    let (store, counter) = watched(&test.store, Counter::default());
    let test = test.another_process(Some(store));
    signed_in(&answer(&test, &asked(&test).await, WHY).await);
    let (authorization, login) = test.start().await;
    counter.calls();
    let cookie = held(&test.finish(&authorization, &login).await);
    assert_eq!(counter.calls(), (2, vec!["sessions".to_owned()]));
    let (name, _) = cookie.split_once('=').expect("a pair");
    let page = name.replace("__Host-checkpoint-", "/oauth2/checkpoint?login=");
    assert_eq!(test.get(&page, &cookie).await.status, StatusCode::OK);
    assert_eq!(counter.calls(), (1, Vec::new()));
    signed_in(&answer(&test, &cookie, WHY).await);
    assert_eq!(counter.calls(), (0, vec!["sessions".to_owned(); 2]));
}

/// A webhook's secret that was replaced signs for another day, and is out of use then. CK-9.
#[tokio::test]
async fn a_replaced_secret_signs_for_a_day() {
    let test = TestBroker::new().await;
    let checkpoint = json!({ "webhook": { "url": WEBHOOK } });
    test.admin(Method::PUT, "/tenants/acme", &json!({ "name": "Acme", "checkpoint": checkpoint })).await;
    let path = "/tenants/acme/webhook-secret";
    let mut secrets = Vec::new();
    for _ in 0..3 {
        secrets.push(test.admin(Method::POST, path, &Value::Null).await["secret"].as_str().expect("text").to_owned());
    }
    for (later, expected) in [(0, [0, 1, 1]), (86_399, [0, 1, 1]), (1, [0, 0, 1])] {
        for clock in [&test.clock, &test.idp_clock] {
            clock.advance(Seconds(later));
        }
        test.sign_in().await;
        let told = test.network.told();
        let signed: Vec<usize> = secrets.iter().map(|secret| told[0].signatures_by(secret)).collect();
        assert_eq!(signed, expected, "after {later} more");
    }
    let stored = test.store.list(&Partition::new("tenant:acme"), "webhook-secrets", None, 1).await.expect("a page");
    for secret in &secrets {
        assert!(!stored.records[0].value.contains(secret.trim_start_matches("whsec_")), "sealed");
    }
}
