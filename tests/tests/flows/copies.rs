//! Configuration that another process changed: followed within a minute, without a restart.

use http::{Method, StatusCode};
use serde_json::json;
use vestibule_protocol::time::Seconds;
use vestibule_tests::in_process::{CALLBACK, TestBroker};

/// ED-2, ED-3: a process that did not make a change follows it when its copy is a minute old, and the one that made it
/// at once.
#[tokio::test]
async fn a_change_elsewhere_is_followed_within_a_minute() {
    let test = TestBroker::new().await;
    let other = test.another_process(None);
    assert_eq!(other.start_reply().await.status, StatusCode::SEE_OTHER);
    let moved = json!({
        "name": "App", "tenants": ["acme"], "redirect_uris": ["https://app.example/elsewhere"],
        "client_auth": "client_secret_post",
    });
    test.admin(Method::PUT, "/clients/app", &moved).await;
    assert_eq!(test.start_reply().await.status, StatusCode::BAD_REQUEST, "{CALLBACK} is registered no more");
    test.clock.advance(Seconds(59));
    assert_eq!(other.start_reply().await.status, StatusCode::SEE_OTHER, "a copy serves for a minute");
    test.clock.advance(Seconds(1));
    assert_eq!(other.start_reply().await.status, StatusCode::BAD_REQUEST);
}

/// ED-2: what revokes does not wait for copies: a person who was deactivated elsewhere neither refreshes nor signs in.
#[tokio::test]
async fn a_revocation_elsewhere_counts_at_once() {
    let test = TestBroker::new().await;
    let other = test.another_process(None);
    let signed = other.sign_in().await;
    let tokens = other.redeem(&signed.code).await.json();
    let user = vestibule_tests::in_process::claims(&tokens["id_token"])["sub"].as_str().expect("a name").to_owned();
    test.admin(Method::PUT, &format!("/tenants/acme/users/{user}"), &json!({ "active": false })).await;
    let refreshed = other.refresh(tokens["refresh_token"].as_str().expect("a token")).await;
    assert_eq!(refreshed.text("error"), "invalid_grant");
    let silent = other.authorize(&[("prompt", "none")], &signed.cookie).await.location().expect("a redirect");
    assert!(silent.query_pairs().any(|(name, value)| name == "error" && value == "login_required"), "{silent}");
}
