//! Ticks that overlap, and processes that die between the provider's answer and their own commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use http::StatusCode;
use serde_json::{Value, json};
use vestibule_core::store::StoreError;
use vestibule_testkit::{FakeOidcIdp, Lie};
use vestibule_tests::in_process::{ALICE, TestBroker, claims};
use vestibule_tests::watched_store::{Call, Watch, Yields, watched};

fn user(tokens: &Value) -> String {
    claims(&tokens["access_token"])["sub"].as_str().expect("a subject").to_owned()
}

fn token(tokens: &Value) -> &str {
    tokens["refresh_token"].as_str().expect("a token")
}

/// ED-5: of ticks that overlap, one asks about each session: no refresh token is used twice.
#[tokio::test]
async fn ticks_that_overlap_ask_once() {
    let test = TestBroker::new().await;
    let sessions = [test.tokens().await, test.tokens().await, test.tokens().await];
    let before = test.idp.requests("/token");
    let others = [(); 4].map(|()| test.another_process(Some(watched(&test.store, Yields).0)));
    for _ in 0..15 {
        test.pass(60);
        let ticks = others.iter().map(|other| other.broker.tick());
        for report in futures_util::future::join_all(ticks).await {
            assert_eq!(report.expect("a tick").failed, 0);
        }
    }
    assert_eq!(test.idp.requests("/token") - before, sessions.len());
    for tokens in &sessions {
        assert_eq!(test.refresh(token(tokens)).await.status, StatusCode::OK);
    }
}

/// A process that dies once the provider has been asked for tokens: nothing is written any more.
struct DiesWithTheAnswer {
    idp: Arc<FakeOidcIdp>,
    asked: usize,
}

#[async_trait]
impl Watch for DiesWithTheAnswer {
    async fn before(&self, _: Call<'_>) -> Result<(), StoreError> {
        let alive = self.idp.requests("/token") == self.asked;
        if alive { Ok(()) } else { Err(StoreError::Unavailable("the process died".into())) }
    }
}

/// A quarter of an hour in which the process dies that examines the session.
async fn dies(test: &TestBroker) {
    let asked = test.idp.requests("/token");
    let watch = DiesWithTheAnswer { idp: Arc::clone(&test.idp), asked };
    let dying = test.another_process(Some(watched(&test.store, watch).0));
    for _ in 0..15 {
        test.pass(60);
        // What a dead process answers, nobody hears.
        let _ = dying.broker.tick().await;
    }
    assert_eq!(test.idp.requests("/token"), asked + 1, "it died with the answer");
}

/// ED-6: the new refresh token is lost. The provider refuses the old one, and takes back what it gave, because it was used
/// twice; that says nothing of the person. They keep their session to the limit of those that cannot be watched.
#[tokio::test]
async fn a_lost_answer_costs_nobody_their_session() {
    let test = TestBroker::new().await;
    let mut tokens = test.tokens().await;
    let user = user(&tokens);
    dies(&test).await;
    test.minutes(11 * 60).await;
    tokens = test.refresh(token(&tokens)).await.json();
    assert!(tokens["refresh_token"].is_string() && test.is_active(&user).await, "{tokens}");
    test.minutes(2 * 60).await;
    assert_eq!(test.refresh(token(&tokens)).await.text("error"), "invalid_grant");
    let events = test.audited(&["session_ended", "user_deactivated"]).await;
    let reasons: Vec<_> = events.iter().map(|event| &event["reason"]).collect();
    assert_eq!((reasons, test.is_active(&user).await), (vec![&json!("unvouched")], true));
}

/// Where refresh tokens stay good, a lost answer is none: the next examination gets another, and all is as before.
#[tokio::test]
async fn a_lost_answer_is_asked_for_again() {
    let test = TestBroker::new().await;
    test.idp.lie(Lie::NoRotation);
    let tokens = test.tokens().await;
    dies(&test).await;
    assert_eq!(test.minutes(15).await, 1);
    test.idp.set_active(ALICE, false);
    test.minutes(15).await;
    assert!(!test.is_active(&user(&tokens)).await, "a refusal is definitive again");
}

/// A process that dies after it wrote down what it found: the next one carries it out, and asks nobody again.
struct DiesAtTheDirectory {
    idp: Arc<FakeOidcIdp>,
    asked: usize,
    dead: AtomicBool,
}

#[async_trait]
impl Watch for DiesAtTheDirectory {
    async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
        let dies = call.writes_to("directory") && self.idp.requests("/token") > self.asked;
        self.dead.fetch_or(dies, Ordering::SeqCst);
        if self.dead.load(Ordering::SeqCst) { Err(StoreError::Unavailable("the process died".into())) } else { Ok(()) }
    }
}

#[tokio::test]
async fn what_was_found_is_carried_out() {
    let test = TestBroker::new().await;
    let user = user(&test.tokens().await);
    test.idp.set_active(ALICE, false);
    let asked = test.idp.requests("/token");
    let watch = DiesAtTheDirectory { idp: Arc::clone(&test.idp), asked, dead: AtomicBool::new(false) };
    let dying = test.another_process(Some(watched(&test.store, watch).0));
    for _ in 0..15 {
        test.pass(60);
        let _ = dying.broker.tick().await;
    }
    assert!(test.is_active(&user).await, "it died before");
    test.minutes(15).await;
    assert_eq!((test.is_active(&user).await, test.idp.requests("/token")), (false, asked + 1));
    assert_eq!(test.audited(&["user_deactivated"]).await.len(), 1);
}
