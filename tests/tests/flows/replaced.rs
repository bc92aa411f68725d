//! A browser has one session: what a new sign-in ends, and what it must leave alone. CK-3.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule_protocol::time::Seconds;
use vestibule_testkit::Account;
use vestibule_tests::Reply;
use vestibule_tests::in_process::{SignedIn, TestBroker, claims, signed_in};

const BOB: &str = "bob@corp.example";

/// A browser with a session of alice's, and the refresh token that the application holds in it, a second ago.
async fn with_session(test: &TestBroker) -> (String, String) {
    let SignedIn { code, cookie } = test.sign_in().await;
    let tokens = test.redeem(&code).await.json();
    test.clock.advance(Seconds(1));
    (cookie, tokens["refresh_token"].as_str().expect("a token").to_owned())
}

/// Signs somebody in at the provider, in a browser with these cookies.
async fn sign_in_again(test: &TestBroker, username: &str, cookie: &str) -> Reply {
    let (authorization, login) = TestBroker::started(&test.authorize(&[("prompt", "login")], cookie).await);
    test.finish_as(username, &authorization, &format!("{login}; {cookie}")).await
}

async fn is_alive(test: &TestBroker, cookie: &str) -> bool {
    let there = test.authorize(&[("prompt", "none")], cookie).await.location().expect("a redirect");
    there.query_pairs().any(|(name, _)| name == "code")
}

/// The older session, the refresh tokens in it and a code that was not redeemed are dead; the new ones live.
#[tokio::test]
async fn a_new_sign_in_ends_the_older_session() {
    let test = TestBroker::new().await;
    let (cookie, refresh_token) = with_session(&test).await;
    let there = test.authorize(&[], &cookie).await.location().expect("a redirect");
    let unredeemed = Reply::one_param(&there, "code");
    let new = signed_in(&sign_in_again(&test, "alice@corp.example", &cookie).await);
    assert_ne!(new.cookie, cookie);
    assert!(!is_alive(&test, &cookie).await && is_alive(&test, &new.cookie).await);
    assert_eq!(test.refresh(&refresh_token).await.text("error"), "invalid_grant");
    assert_eq!(test.redeem(&unredeemed).await.text("error"), "invalid_grant");
    let tokens = test.redeem(&new.code).await;
    assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.body);
    assert_eq!(test.refresh(&tokens.text("refresh_token")).await.status, StatusCode::OK);
    for _ in 0..15 {
        test.broker.tick().await.expect("a tick");
        test.clock.advance(Seconds(60));
    }
    let page = test.admin(Method::GET, "/tenants/acme/audit?from=2025-06-15", &Value::Null).await;
    let replaced = page["events"].as_array().into_iter().flatten().find(|event| event["kind"] == "session_replaced");
    assert_eq!(replaced.expect("an event")["user"], claims(&tokens.json()["id_token"])["sub"]);
}

/// Whoever had the browser before is signed out by the next person.
#[tokio::test]
async fn another_persons_session_ends_too() {
    let test = TestBroker::new().await;
    test.idp.add_account(Account::new(BOB, "password", "bob-1", "Bob"));
    let (cookie, refresh_token) = with_session(&test).await;
    signed_in(&sign_in_again(&test, BOB, &cookie).await);
    assert!(!is_alive(&test, &cookie).await);
    assert_eq!(test.refresh(&refresh_token).await.text("error"), "invalid_grant");
}

/// Two tabs sign in at once: the one that is first has a session that began while the other was under way.
#[tokio::test]
async fn a_login_under_way_does_not_disturb_another_tab() {
    let test = TestBroker::new().await;
    let (first, second) = (test.start().await, test.start().await);
    test.clock.advance(Seconds(1));
    let one = signed_in(&test.finish(&first.0, &first.1).await);
    let two = signed_in(&test.finish(&second.0, &format!("{}; {}", second.1, one.cookie)).await);
    for tab in [one, two] {
        let tokens = test.redeem(&tab.code).await;
        assert_eq!(test.refresh(&tokens.text("refresh_token")).await.status, StatusCode::OK, "{}", tokens.body);
    }
}

/// Another browser's session stays, and so does one whose cookie was guessed at.
#[tokio::test]
async fn only_this_browsers_session_ends() {
    let test = TestBroker::new().await;
    let (elsewhere, refresh_token) = with_session(&test).await;
    let (here, _) = with_session(&test).await;
    let (locator, _) = elsewhere.split_once('.').expect("a handle");
    let (_, secret) = here.split_once('.').expect("a handle");
    for cookie in [here.clone(), format!("{locator}.{secret}"), locator.to_owned(), String::new()] {
        signed_in(&sign_in_again(&test, "alice@corp.example", &cookie).await);
        test.clock.advance(Seconds(1));
    }
    assert!(is_alive(&test, &elsewhere).await);
    assert_eq!(test.refresh(&refresh_token).await.status, StatusCode::OK);
}

/// A sign-in that is refused ends nothing.
#[tokio::test]
async fn a_refused_sign_in_ends_nothing() {
    let test = TestBroker::new().await;
    test.idp.add_account(Account::new(BOB, "password", "bob-1", "Bob"));
    let (authorization, login) = test.start().await;
    let bob = test.redeem(&signed_in(&test.finish_as(BOB, &authorization, &login).await).code).await.json();
    let user = claims(&bob["id_token"])["sub"].as_str().expect("a user").to_owned();
    test.admin(Method::PUT, &format!("/tenants/acme/users/{user}"), &json!({"active": false})).await;
    let (cookie, refresh_token) = with_session(&test).await;
    assert_eq!(sign_in_again(&test, BOB, &cookie).await.status, StatusCode::FORBIDDEN);
    let (_, login) = TestBroker::started(&test.authorize(&[("prompt", "login")], &cookie).await);
    let state = login.trim_start_matches("__Host-login-").split('=').next().expect("an id").to_owned();
    let denied = format!("/oauth2/callback?error=access_denied&iss=https%3A%2F%2Fidp.example&state={state}");
    let there = test.get(&denied, &format!("{login}; {cookie}")).await.location().expect("a redirect");
    assert_eq!(Reply::one_param(&there, "error"), "access_denied");
    assert!(is_alive(&test, &cookie).await);
    assert_eq!(test.refresh(&refresh_token).await.status, StatusCode::OK);
}
