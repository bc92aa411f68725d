//! Lives of sessions and tokens that somebody set.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use http::{Method, StatusCode};
use serde_json::json;
use vestibule_core::platform::Clock;
use vestibule_protocol::time::{Seconds, Timestamp};
use vestibule_tests::Reply;
use vestibule_tests::in_process::{CALLBACK, TestBroker, claims};

/// The test's application with other lives.
async fn set_lives(test: &TestBroker, access: i64, refresh: i64) {
    let client = json!({
        "name": "App", "tenants": ["acme"], "redirect_uris": [CALLBACK], "client_auth": "client_secret_post",
        "access_token_life": access, "refresh_token_life": refresh,
    });
    test.admin(Method::PUT, "/clients/app", &client).await;
}

/// TK-7, TK-8: an application can have shorter lives; its tokens end by them.
#[tokio::test]
async fn an_application_has_lives_of_its_own() {
    let test = TestBroker::new().await;
    set_lives(&test, 60, 600).await;
    let tokens = test.tokens().await;
    assert_eq!((&tokens["expires_in"], &tokens["refresh_token_expires_in"]), (&json!(60), &json!(600)));
    let access = claims(&tokens["access_token"]);
    assert_eq!(access["exp"].as_i64().zip(access["iat"].as_i64()).map(|(exp, iat)| exp - iat), Some(60));
    let access_token = tokens["access_token"].as_str().expect("a token");
    test.clock.advance(Seconds(59));
    assert_eq!(test.userinfo(access_token).await.status, StatusCode::OK);
    test.clock.advance(Seconds(1));
    assert_eq!(test.userinfo(access_token).await.status, StatusCode::UNAUTHORIZED);
    let token = tokens["refresh_token"].as_str().expect("a token");
    let next = test.refresh(token).await.json();
    assert_eq!((&next["expires_in"], &next["refresh_token_expires_in"]), (&json!(60), &json!(540)));
    test.clock.advance(Seconds(540));
    assert_eq!(test.refresh(next["refresh_token"].as_str().expect("a token")).await.text("error"), "invalid_grant");
}

/// TK-7: what a session gives out late ends with the session.
#[tokio::test]
async fn nothing_outlasts_its_session() {
    let test = TestBroker::new().await;
    let cookie = test.sign_in().await.cookie;
    test.clock.advance(Seconds(604_000));
    let there = test.authorize(&[], &cookie).await.location().expect("a redirect");
    let tokens = test.redeem(&Reply::one_param(&there, "code")).await.json();
    assert_eq!(tokens["refresh_token_expires_in"], 800);
    test.clock.advance(Seconds(800));
    assert_eq!(test.refresh(tokens["refresh_token"].as_str().expect("a token")).await.text("error"), "invalid_grant");
}

/// A clock that is a second further each time somebody looks.
struct Hurrying(AtomicI64);

impl Clock for Hurrying {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

/// TK-8: what is left of a family is counted from the moment that it begins, however long the signatures take.
#[tokio::test]
async fn a_new_family_has_its_whole_life() {
    let test = TestBroker::new().await;
    set_lives(&test, 60, 600).await;
    let code = test.sign_in().await.code;
    let slow = test.with_platform(|platform| platform.clock = Arc::new(Hurrying(AtomicI64::new(1_750_000_000))));
    assert_eq!(slow.redeem(&code).await.json()["refresh_token_expires_in"], 600);
}
