//! Sessions that may not go unused.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Barrier;
use vestibule_core::store::StoreError;
use vestibule_protocol::time::Seconds;
use vestibule_tests::in_process::TestBroker;
use vestibule_tests::watched_store::{Call, Watch, watched};

async fn set_lives(test: &TestBroker, lifetimes: Value) {
    test.admin(Method::PUT, "/tenants/acme", &json!({ "name": "Acme", "lifetimes": lifetimes })).await;
}

async fn refreshed(test: &TestBroker, tokens: &Value) -> Option<Value> {
    let reply = test.refresh(tokens["refresh_token"].as_str().expect("a token")).await;
    (reply.status == StatusCode::OK).then(|| reply.json())
}

/// Whether the browser's session signs in without a question.
async fn is_signed_in(test: &TestBroker, cookie: &str) -> bool {
    let there = test.authorize(&[("prompt", "none")], cookie).await.location().expect("a redirect");
    there.query_pairs().any(|(name, _)| name == "code")
}

/// CK-4: a session that is not used for as long as its tenant says is over, for its browser and its applications.
/// Sign-ins and refreshes are use; what a token is shown for is not.
#[tokio::test]
async fn an_unused_session_ends() {
    let test = TestBroker::new().await;
    let without_limit = test.sign_in().await.cookie;
    set_lives(&test, json!({ "access_token": 600, "session_idle": 1_000 })).await;
    let signed = test.sign_in().await;
    let mut tokens = test.redeem(&signed.code).await.json();
    for _ in 0..3 {
        test.clock.advance(Seconds(999));
        tokens = refreshed(&test, &tokens).await.expect("a refresh is use");
        test.clock.advance(Seconds(999));
        assert!(is_signed_in(&test, &signed.cookie).await, "and so is a sign-in");
    }
    test.clock.advance(Seconds(599));
    assert_eq!(test.userinfo(tokens["access_token"].as_str().expect("a token")).await.status, StatusCode::UNAUTHORIZED);
    test.clock.advance(Seconds(401));
    assert!(!is_signed_in(&test, &signed.cookie).await);
    assert_eq!(refreshed(&test, &tokens).await, None);
    assert!(is_signed_in(&test, &without_limit).await, "a session keeps the rule that it began with");
}

/// CK-4, TK-7: use does not carry a session past its end.
#[tokio::test]
async fn use_does_not_extend_a_session() {
    let test = TestBroker::new().await;
    set_lives(&test, json!({ "access_token": 60, "session": 1_500, "session_idle": 700 })).await;
    let signed = test.sign_in().await;
    let mut tokens = test.redeem(&signed.code).await.json();
    for _ in 0..2 {
        test.clock.advance(Seconds(690));
        tokens = refreshed(&test, &tokens).await.expect("a refresh is use");
        assert!(is_signed_in(&test, &signed.cookie).await);
    }
    test.clock.advance(Seconds(120));
    assert!(!is_signed_in(&test, &signed.cookie).await);
    assert_eq!(refreshed(&test, &tokens).await, None);
}

/// The first three commits to sessions happen after what both rest on was read.
struct CommitsMeet {
    together: Barrier,
    seen: AtomicUsize,
}

#[async_trait]
impl Watch for CommitsMeet {
    async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
        if call.writes_to("sessions") && self.seen.fetch_add(1, Ordering::SeqCst) < 3 {
            self.together.wait().await;
        }
        Ok(())
    }
}

/// CK-4: tabs and applications that use a session at the same moment all go on.
#[tokio::test]
async fn a_session_can_be_used_many_times_at_once() {
    let test = TestBroker::new().await;
    set_lives(&test, json!({ "access_token": 60, "session_idle": 700 })).await;
    let signed = test.sign_in().await;
    let tokens = test.redeem(&signed.code).await.json();
    test.clock.advance(Seconds(600));
    let (store, _) = watched(&test.store, CommitsMeet { together: Barrier::new(3), seen: AtomicUsize::new(0) });
    let other = test.another_process(Some(store));
    let tab = || is_signed_in(&other, &signed.cookie);
    let (refresh, one, another) = tokio::join!(refreshed(&other, &tokens), tab(), tab());
    assert!(refresh.is_some() && one && another);
    test.clock.advance(Seconds(600));
    assert!(is_signed_in(&test, &signed.cookie).await, "the use was written down");
}

/// CK-4: a session that may not go unused for as long as an access token is good would end under whoever works with it.
#[tokio::test]
async fn an_idle_limit_is_longer_than_access_tokens() {
    let test = TestBroker::new().await;
    for (lives, path) in [
        (json!({ "session_idle": 3_600 }), "/lifetimes/session_idle"),
        (json!({ "access_token": 600, "session_idle": 600 }), "/lifetimes/session_idle"),
        (json!({ "access_token": 60, "session_idle": 599 }), "/lifetimes/session_idle"),
        (json!({ "access_token": 60, "session_idle": 604_801 }), "/lifetimes/session_idle"),
    ] {
        let reply = test.try_admin(Method::PUT, "/tenants/acme", &json!({ "name": "Acme", "lifetimes": lives })).await;
        assert_eq!((reply.status, reply.json()["problems"][0]["path"].as_str()), (StatusCode::BAD_REQUEST, Some(path)));
    }
}
