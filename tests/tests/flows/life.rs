//! How long things live.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule_protocol::time::Seconds;
use vestibule_tests::Reply;
use vestibule_tests::client_key::{ASSERTION_TYPE, ClientKey};
use vestibule_tests::in_process::{CALLBACK, ISSUER, TestBroker, claims, signed_in};

/// AZ-7: a code is good for 60 seconds, and not for one more.
#[tokio::test]
async fn a_code_dies_after_sixty_seconds() {
    let test = TestBroker::new().await;
    let (young, old) = (test.sign_in().await, test.sign_in().await);
    test.clock.advance(Seconds(59));
    assert_eq!(test.redeem(&young.code).await.status, StatusCode::OK);
    test.clock.advance(Seconds(1));
    let reply = test.redeem(&old.code).await;
    assert_eq!((reply.status, reply.text("error")), (StatusCode::BAD_REQUEST, "invalid_grant".to_owned()));
}

/// RP-1: a login may take ten minutes.
#[tokio::test]
async fn a_login_dies_after_ten_minutes() {
    let test = TestBroker::new().await;
    let (first, second) = (test.start().await, test.start().await);
    test.clock.advance(Seconds(599));
    test.idp_clock.advance(Seconds(599));
    signed_in(&test.finish(&first.0, &first.1).await);
    test.clock.advance(Seconds(1));
    let reply = test.finish(&second.0, &second.1).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert!(reply.body.contains("This sign-in has expired"), "{}", reply.body);
}

/// TK-7, TK-8: a refresh family ends seven days after the login, however often it is used.
#[tokio::test]
async fn refreshing_does_not_extend_a_family() {
    let test = TestBroker::new().await;
    let mut tokens = test.tokens().await;
    assert_eq!((&tokens["expires_in"], &tokens["refresh_token_expires_in"]), (&json!(86_400), &json!(604_800)));
    for _ in 0..6 {
        test.clock.advance(Seconds(86_400));
        tokens = test.refresh(tokens["refresh_token"].as_str().expect("a token")).await.json();
    }
    assert_eq!(tokens["refresh_token_expires_in"], 86_400);
    test.clock.advance(Seconds(86_400));
    let reply = test.refresh(tokens["refresh_token"].as_str().expect("a token")).await;
    assert_eq!(reply.text("error"), "invalid_grant");
}

/// TK-4: an access token is good for a day.
#[tokio::test]
async fn an_access_token_dies_after_a_day() {
    let test = TestBroker::new().await;
    let tokens = test.tokens().await;
    let access_token = tokens["access_token"].as_str().expect("a token");
    test.clock.advance(Seconds(86_399));
    assert_eq!(test.userinfo(access_token).await.status, StatusCode::OK);
    test.clock.advance(Seconds(1));
    assert_eq!(test.userinfo(access_token).await.status, StatusCode::UNAUTHORIZED);
}

/// TK-6: for half a minute, whoever lost the answer to a refresh gets the same one.
#[tokio::test]
async fn a_lost_answer_is_given_again() {
    let test = TestBroker::new().await;
    let tokens = test.tokens().await;
    let token = tokens["refresh_token"].as_str().expect("a token");
    let first = test.refresh(token).await.text("refresh_token");
    test.clock.advance(Seconds(29));
    let again = test.refresh(token).await.text("refresh_token");
    assert_eq!(first, again);
    assert_eq!(test.refresh(&again).await.status, StatusCode::OK);
}

/// TK-6: later the lost answer is replaced, and whoever uses the lost one after all ends the family.
#[tokio::test]
async fn a_late_answer_replaces_the_lost_one() {
    let test = TestBroker::new().await;
    let tokens = test.tokens().await;
    let token = tokens["refresh_token"].as_str().expect("a token");
    let lost = test.refresh(token).await.text("refresh_token");
    test.clock.advance(Seconds(30));
    let replaced = test.refresh(token).await.text("refresh_token");
    assert_ne!(lost, replaced);
    assert_eq!(test.refresh(&lost).await.text("error"), "invalid_grant");
    assert_eq!(test.refresh(&replaced).await.text("error"), "invalid_grant", "the family is over");
}

/// TK-6: once the next token was used, the one before is a replay, however soon it comes.
#[tokio::test]
async fn a_used_answer_is_not_given_again() {
    let test = TestBroker::new().await;
    let tokens = test.tokens().await;
    let token = tokens["refresh_token"].as_str().expect("a token");
    let next = test.refresh(token).await.text("refresh_token");
    let latest = test.refresh(&next).await.text("refresh_token");
    assert_eq!(test.refresh(token).await.text("error"), "invalid_grant");
    assert_eq!(test.refresh(&latest).await.text("error"), "invalid_grant", "the family is over");
}

/// LO-1: an ID token that has expired still says whom to sign out.
#[tokio::test]
async fn an_expired_hint_signs_out() {
    let test = TestBroker::new().await;
    let tokens = test.tokens().await;
    test.clock.advance(Seconds(100_000));
    let hint = tokens["id_token"].as_str().expect("a token");
    assert!(claims(&tokens["id_token"])["exp"].as_i64() < Some(1_750_000_000 + 100_000));
    let reply = test.get(&format!("/oauth2/logout?id_token_hint={hint}"), "").await;
    assert!(reply.body.contains("You are signed out"), "{}", reply.body);
    let refresh = test.refresh(tokens["refresh_token"].as_str().expect("a token")).await;
    assert_eq!(refresh.text("error"), "invalid_grant");
}

/// ED-2: what a process remembers of a session is at most a minute old; the token endpoint remembers nothing.
#[tokio::test]
async fn a_session_that_ended_elsewhere_is_over_within_a_minute() {
    let test = TestBroker::new().await;
    let tokens = test.tokens().await;
    let access_token = tokens["access_token"].as_str().expect("a token");
    assert_eq!(test.userinfo(access_token).await.status, StatusCode::OK);
    let elsewhere = test.another_process(None);
    let hint = tokens["id_token"].as_str().expect("a token");
    elsewhere.get(&format!("/oauth2/logout?id_token_hint={hint}"), "").await;
    assert_eq!(elsewhere.userinfo(access_token).await.status, StatusCode::UNAUTHORIZED, "nothing in its memory");
    let refresh = test.refresh(tokens["refresh_token"].as_str().expect("a token")).await;
    assert_eq!(refresh.text("error"), "invalid_grant", "at once");
    test.clock.advance(Seconds(60));
    assert_eq!(test.userinfo(access_token).await.status, StatusCode::UNAUTHORIZED, "after a minute");
}

/// AZ-7: what an application holds of a tenant that is gone, or that it no longer serves, is worth nothing.
#[tokio::test]
async fn a_tenant_that_is_gone_takes_its_tokens_along() {
    let test = TestBroker::new().await;
    let (tokens, code) = (test.tokens().await, test.sign_in().await.code);
    test.admin(Method::DELETE, "/tenants/acme", &Value::Null).await;
    let refresh = test.refresh(tokens["refresh_token"].as_str().expect("a token")).await;
    assert_eq!(refresh.text("error"), "invalid_grant");
    assert_eq!(test.redeem(&code).await.text("error"), "invalid_grant");
    let userinfo = test.userinfo(tokens["access_token"].as_str().expect("a token")).await;
    assert_eq!(userinfo.status, StatusCode::UNAUTHORIZED);
}

/// A tenant that was removed by mistake comes back with its connection and its people.
#[tokio::test]
async fn a_tenant_comes_back_whole() {
    let test = TestBroker::new().await;
    let before = test.tokens().await;
    test.admin(Method::DELETE, "/tenants/acme", &Value::Null).await;
    test.admin(Method::PUT, "/tenants/acme", &json!({ "name": "Acme" })).await;
    let after = test.tokens().await;
    assert_eq!(claims(&after["id_token"])["sub"], claims(&before["id_token"])["sub"]);
    let refresh = test.refresh(before["refresh_token"].as_str().expect("a token")).await;
    assert_eq!(refresh.status, StatusCode::OK, "{}", refresh.body);
}

/// TK-15: a used statement is remembered for as long as it could be used again.
#[tokio::test]
async fn a_statement_is_remembered_until_it_is_over() {
    let test = TestBroker::new().await;
    let key = ClientKey::new().await;
    let client = json!({
        "name": "Signs", "redirect_uris": [CALLBACK], "client_auth": "private_key_jwt",
        "jwks": { "keys": [key.jwk()] },
    });
    test.admin(Method::PUT, "/clients/signs", &client).await;
    let now = 1_750_000_000;
    let claims = json!({ "iss": "signs", "sub": "signs", "aud": ISSUER, "jti": "1", "exp": now + 300 });
    let assertion = key.sign(&claims).await;
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", "none"),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", assertion.as_str()),
    ];
    let mut told = Vec::new();
    for later in [0, 1, 299, 59, 1, 1_000] {
        test.clock.advance(Seconds(later));
        told.push(test.post("/oauth2/token", &form).await.text("error"));
    }
    let refused = "invalid_client";
    assert_eq!(told, ["invalid_grant", refused, refused, refused, refused, refused]);
}

/// TK-12: a request that was sent ahead waits for ninety seconds.
#[tokio::test]
async fn a_pushed_request_dies_after_ninety_seconds() {
    let test = TestBroker::new().await;
    let form = [
        ("client_id", "app"),
        ("client_secret", "secret-of-the-application-0123456789"),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", "openid"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
    ];
    let (young, old) = (test.post("/oauth2/par", &form).await, test.post("/oauth2/par", &form).await);
    assert_eq!((young.status, &young.json()["expires_in"]), (StatusCode::CREATED, &json!(90)));
    let start = async |pushed: &Reply| {
        let target = format!("/oauth2/authorize?client_id=app&request_uri={}", pushed.text("request_uri"));
        test.get(&target, "").await.status
    };
    test.clock.advance(Seconds(89));
    assert_eq!(start(&young).await, StatusCode::SEE_OTHER);
    test.clock.advance(Seconds(1));
    assert_eq!(start(&old).await, StatusCode::BAD_REQUEST);
}

/// TK-12: from the first question on a pushed request waits for ten minutes, however often the person is asked.
#[tokio::test]
async fn a_pushed_request_waits_for_the_person() {
    let test = TestBroker::new().await;
    let client = json!({
        "name": "App", "redirect_uris": [CALLBACK], "client_auth": "client_secret_post",
        "require_pushed_requests": true,
    });
    test.admin(Method::PUT, "/clients/app", &client).await;
    let form = [
        ("client_id", "app"),
        ("client_secret", "secret-of-the-application-0123456789"),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", "openid"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
        ("login_hint", "somebody@nowhere.example"),
    ];
    for (later, started) in [(Seconds(0), true), (Seconds(1), false)] {
        let name = test.post("/oauth2/par", &form).await.text("request_uri");
        let target = format!("/oauth2/authorize?client_id=app&request_uri={name}");
        test.clock.advance(Seconds(80));
        assert_eq!(test.get(&target, "").await.status, StatusCode::OK, "asked");
        test.clock.advance(Seconds(500));
        let lost = format!("{target}&login_hint=other@nowhere.example");
        assert!(test.get(&lost, "").await.body.contains("other@nowhere.example"), "asked again");
        test.clock.advance(Seconds(99 + later.0));
        let reply = test.get(&format!("{target}&tenant=acme&connection=idp"), "").await;
        assert_eq!(reply.status == StatusCode::SEE_OTHER, started, "{later:?}: {}", reply.body);
    }
}
