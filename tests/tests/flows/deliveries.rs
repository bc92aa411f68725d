//! Logout tokens to applications: sent once if they are taken, again and again if not, and at last to be looked at.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule_protocol::time::Seconds;
use vestibule_tests::in_process::deliveries::LOGOUT;
use vestibule_tests::in_process::{ISSUER, TestBroker, claims};
use vestibule_tests::watched_store::{DiesAtWrite, Yields, watched};

/// The header and the claims of a logout token.
fn logout_token(test: &TestBroker) -> (Value, Value) {
    let calls = test.network.received(LOGOUT);
    assert_eq!(calls.len(), 1);
    let token = calls[0].field("logout_token");
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().expect("a header")).expect("base64url");
    (serde_json::from_slice(&header).expect("a header"), claims(&json!(token)))
}

/// LO-5: whoever held tokens in a session is told of its end, by a token that can be taken for nothing else.
#[tokio::test]
async fn an_application_is_told_of_a_sign_out() {
    let test = TestBroker::listening(200).await;
    let (tokens, other) = (test.tokens().await, test.tokens().await);
    test.sign_out(&tokens).await;
    test.quarters_of_an_hour(2).await;
    let (header, token) = logout_token(&test);
    assert_eq!(header["typ"], "logout+jwt");
    let session = claims(&tokens["id_token"]);
    for (claim, expected) in [("iss", json!(ISSUER)), ("aud", json!("app")), ("sub", session["sub"].clone())] {
        assert_eq!(token[claim], expected, "{claim}");
    }
    assert_eq!(token["sid"], session["sid"]);
    assert_eq!(token["events"], json!({"http://schemas.openid.net/event/backchannel-logout": {}}));
    let life = token["exp"].as_i64().expect("an end") - token["iat"].as_i64().expect("a beginning");
    assert!((1..=120).contains(&life), "{life}");
    assert!(token["jti"].is_string() && token.get("nonce").is_none());
    assert_eq!(test.refresh(other["refresh_token"].as_str().expect("a token")).await.status, StatusCode::OK);
    assert_eq!(test.items("deliveries").await, Vec::<Value>::new());
}

/// LO-5, TK-5: a logout token opens nothing here.
#[tokio::test]
async fn a_logout_token_is_no_other_token() {
    let test = TestBroker::listening(200).await;
    let (tokens, stays) = (test.tokens().await, test.tokens().await);
    test.sign_out(&tokens).await;
    test.quarters_of_an_hour(2).await;
    let token = test.network.received(LOGOUT)[0].field("logout_token");
    assert_eq!(test.userinfo(&token).await.status, StatusCode::UNAUTHORIZED);
    let reply = test.get(&format!("/oauth2/logout?id_token_hint={token}"), "").await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{}", reply.body);
    assert_eq!(test.refresh(stays["refresh_token"].as_str().expect("a token")).await.status, StatusCode::OK);
}

/// LO-5: every way in which sessions end is told.
#[tokio::test]
async fn every_end_is_told() {
    for end in ["deactivated", "ended", "one", "all", "removed"] {
        let test = TestBroker::listening(200).await;
        let session = claims(&test.tokens().await["id_token"]);
        let user = format!("/tenants/acme/users/{}", session["sub"].as_str().expect("a person"));
        let one = format!("{user}/sessions/{}", session["sid"].as_str().expect("a session"));
        match end {
            "deactivated" => test.admin(Method::PUT, &user, &json!({"active": false})).await,
            "ended" => test.admin(Method::POST, &format!("{user}/end-sessions"), &Value::Null).await,
            "one" => test.admin(Method::DELETE, &one, &Value::Null).await,
            "all" => test.admin(Method::POST, "/tenants/acme/end-sessions", &Value::Null).await,
            _ => test.admin(Method::DELETE, &user, &Value::Null).await,
        };
        test.quarters_of_an_hour(2).await;
        assert_eq!(logout_token(&test).1["sid"], session["sid"], "{end}");
    }
}

/// LO-5: what is not taken comes again after longer and longer pauses, each time with another token; then it is a dead
/// letter, which an administrator sees, sends again, removes.
#[tokio::test]
async fn what_is_not_taken_becomes_a_dead_letter() {
    let test = TestBroker::listening(503).await;
    let tokens = test.tokens().await;
    test.sign_out(&tokens).await;
    test.quarters_of_an_hour(2).await;
    let first = test.network.received(LOGOUT);
    assert!((1..=2).contains(&first.len()), "{}", first.len());
    let waiting = test.items("deliveries").await;
    assert_eq!(waiting[0]["message"], "backchannel_logout");
    assert_eq!((&waiting[0]["client"], &waiting[0]["failure"]["problem"]), (&json!("app"), &json!("it answered 503")));
    assert!(waiting[0]["next_try_at"].is_i64(), "{waiting:?}");

    test.quarters_of_an_hour(4 * 24 * 3).await;
    let tries = first.len() + test.network.received(LOGOUT).len();
    assert_eq!(tries, 10);
    assert_eq!(test.items("deliveries").await, Vec::<Value>::new());
    let dead = test.items("dead-letters").await;
    assert_eq!((dead.len(), &dead[0]["tries"]), (1, &json!(10)));
    let path = format!("/tenants/acme/dead-letters/{}", dead[0]["id"].as_str().expect("an id"));
    assert_eq!(test.admin(Method::GET, &path, &Value::Null).await["client"], "app");

    let again = test.admin(Method::POST, &format!("{path}/replay"), &Value::Null).await;
    assert_eq!(again, json!({"delivered": false}));
    assert_eq!(test.items("deliveries").await.len(), 1, "it is tried anew");
    assert_eq!(test.items("dead-letters").await, Vec::<Value>::new());
    test.quarters_of_an_hour(4 * 24 * 3).await;
    test.network.receive(LOGOUT, 200);
    test.network.received(LOGOUT);
    let dead = test.items("dead-letters").await[0]["id"].as_str().expect("an id").to_owned();
    let path = format!("/tenants/acme/dead-letters/{dead}");
    let reply = test.admin(Method::POST, &format!("{path}/replay"), &Value::Null).await;
    assert_eq!(reply, json!({"delivered": true}));
    assert_eq!(logout_token(&test).1["sid"], claims(&tokens["id_token"])["sid"]);
    for (method, path) in [(Method::POST, format!("{path}/replay")), (Method::DELETE, path)] {
        assert_eq!(test.try_admin(method, &path, &Value::Null).await.status, StatusCode::NOT_FOUND);
    }
}

/// A dead letter goes when an administrator removes it, and by itself after a month.
#[tokio::test]
async fn dead_letters_do_not_stay() {
    let test = TestBroker::listening(400).await;
    for _ in 0..2 {
        test.sign_out(&test.tokens().await).await;
    }
    test.quarters_of_an_hour(4 * 24 * 3).await;
    let dead = test.items("dead-letters").await;
    assert_eq!(dead.len(), 2);
    let path = format!("/tenants/acme/dead-letters/{}", dead[0]["id"].as_str().expect("an id"));
    test.admin(Method::DELETE, &path, &Value::Null).await;
    assert_eq!(test.items("dead-letters").await.len(), 1);
    test.clock.advance(Seconds(30 * 86_400));
    assert_eq!(test.items("dead-letters").await.len(), 0);
}

/// ED-5: of overlapping ticks one sends.
#[tokio::test]
async fn overlapping_ticks_send_once() {
    let test = TestBroker::listening(200).await;
    test.queue.hold();
    for _ in 0..5 {
        test.sign_out(&test.tokens().await).await;
    }
    assert_eq!(test.network.received(LOGOUT).len(), 0);
    let others: Vec<TestBroker> = (0..4).map(|_| test.another_process(Some(watched(&test.store, Yields).0))).collect();
    for _ in 0..45 {
        futures_util::future::join_all(others.iter().map(|other| other.broker.tick())).await;
        test.clock.advance(Seconds(60));
    }
    assert_eq!(test.network.received(LOGOUT).len(), 5);
}

/// LO-5: wherever the process dies, the application is told.
#[tokio::test]
async fn a_crash_loses_no_message() {
    for writes in 0..3 {
        let test = TestBroker::listening(200).await;
        test.queue.hold();
        test.sign_out(&test.tokens().await).await;
        test.queue.lose();
        test.queue.release();
        let dying = test.another_process(Some(watched(&test.store, DiesAtWrite::to("deliveries", writes)).0));
        dying.quarters_of_an_hour(2).await;
        test.quarters_of_an_hour(3).await;
        let told = test.network.received(LOGOUT).len();
        // Whoever dies after the answer sends again.
        assert_eq!(told, if writes == 2 { 2 } else { 1 }, "{writes}");
        assert_eq!(test.items("deliveries").await, Vec::<Value>::new());
    }
}

/// An application that is gone, or wants it no more, is not sent to, and keeps nobody waiting.
#[tokio::test]
async fn whoever_is_gone_is_told_nothing() {
    let test = TestBroker::listening(500).await;
    test.sign_out(&test.tokens().await).await;
    test.quarters_of_an_hour(2).await;
    assert_eq!(test.items("deliveries").await.len(), 1);
    test.network.received(LOGOUT);
    test.admin(Method::DELETE, "/clients/app", &Value::Null).await;
    test.quarters_of_an_hour(8).await;
    assert_eq!(test.network.received(LOGOUT).len(), 0);
    assert_eq!(test.items("deliveries").await, Vec::<Value>::new());
    assert_eq!(test.items("dead-letters").await, Vec::<Value>::new());
}
