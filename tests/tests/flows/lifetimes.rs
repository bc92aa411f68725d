//! Lives of sessions and tokens that somebody set.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use http::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule_core::platform::Clock;
use vestibule_protocol::time::{Seconds, Timestamp};
use vestibule_tests::Reply;
use vestibule_tests::in_process::{CALLBACK, TestBroker, claims, signed_in};

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

async fn set_tenants_lives(test: &TestBroker, lifetimes: Value) {
    test.admin(Method::PUT, "/tenants/acme", &json!({ "name": "Acme", "lifetimes": lifetimes })).await;
}

/// How long a token lives, by its own words.
fn life(token: &Value) -> Option<i64> {
    let claims = claims(token);
    claims["exp"].as_i64().zip(claims["iat"].as_i64()).map(|(exp, iat)| exp - iat)
}

/// TK-8: where tenant and application both set a life, the shorter counts; what nobody sets is as before.
#[tokio::test]
async fn the_shorter_life_counts() {
    let test = TestBroker::new().await;
    for (tenants, access, refresh, id) in [
        (json!({}), 3_600, 7_200, 3_600),
        (json!({ "access_token": 600, "refresh_token": 1_200 }), 600, 1_200, 3_600),
        (json!({ "access_token": 86_400, "refresh_token": 604_800, "id_token": 60 }), 3_600, 7_200, 60),
        (json!({ "id_token": 86_400, "session": 900 }), 3_600, 900, 86_400),
    ] {
        set_lives(&test, 3_600, 7_200).await;
        set_tenants_lives(&test, tenants.clone()).await;
        let tokens = test.tokens().await;
        assert_eq!((life(&tokens["access_token"]), life(&tokens["id_token"])), (Some(access), Some(id)), "{tenants}");
        let told = (&tokens["expires_in"], &tokens["refresh_token_expires_in"]);
        assert_eq!(told, (&json!(access), &json!(refresh)), "{tenants}");
    }
}

/// TK-7, CK-4: a tenant's sessions end when it says, and their cookies, codes and refresh families with them. What began
/// before keeps the end that it had.
#[tokio::test]
async fn a_session_ends_when_its_tenant_says() {
    let test = TestBroker::new().await;
    let before = test.sign_in().await.cookie;
    set_tenants_lives(&test, json!({ "session": 600 })).await;
    let (authorization, login) = test.start().await;
    let reply = test.finish(&authorization, &login).await;
    let kept = reply.set_cookies().into_iter().find(|cookie| cookie.starts_with("__Host-session=")).expect("a cookie");
    assert!(kept.contains("; Max-Age=600;"), "{kept}");
    let signed = signed_in(&reply);
    let tokens = test.redeem(&signed.code).await.json();
    assert_eq!(tokens["refresh_token_expires_in"], 600);
    let silent = async |cookie: &str| {
        let there = test.authorize(&[("prompt", "none")], cookie).await.location().expect("a redirect");
        there.query_pairs().any(|(name, _)| name == "code")
    };
    test.clock.advance(Seconds(599));
    assert!(silent(&signed.cookie).await);
    test.clock.advance(Seconds(1));
    assert!(!silent(&signed.cookie).await && silent(&before).await);
    let refreshed = test.refresh(tokens["refresh_token"].as_str().expect("a token")).await;
    assert_eq!(refreshed.text("error"), "invalid_grant");
}
