//! Signing keys and sealing keys.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures_util::future::join_all;
use http::StatusCode;
use tokio::sync::Barrier;
use vestibule_core::store::{Store, StoreError};
use vestibule_protocol::time::Seconds;
use vestibule_tests::in_process::{TestBroker, signed_in};
use vestibule_tests::watched_store::{Call, Watch, watched};

/// Every process first finds the key ring absent: each waits until all have looked.
pub(super) struct AllLookFirst {
    looked: Barrier,
    first: AtomicUsize,
}

impl AllLookFirst {
    pub(super) fn over(store: &Arc<dyn Store>) -> Arc<dyn Store> {
        watched(store, Self { looked: Barrier::new(PROCESSES), first: AtomicUsize::new(0) }).0
    }
}

#[async_trait]
impl Watch for AllLookFirst {
    async fn after(&self, call: Call<'_>) -> Result<(), StoreError> {
        if !call.writes && self.first.fetch_add(1, Ordering::SeqCst) < PROCESSES {
            self.looked.wait().await;
        }
        Ok(())
    }
}

pub(super) const PROCESSES: usize = 200;

/// ED-4: of 200 processes that start at once, one makes the signing key, and all use it.
#[tokio::test]
async fn two_hundred_cold_starts_leave_one_key() {
    let test = TestBroker::empty().await;
    let store = AllLookFirst::over(&test.store);
    let processes: Vec<_> = (0..PROCESSES).map(|_| test.another_process(Some(Arc::clone(&store)))).collect();
    let answers = join_all(processes.iter().map(|process| process.get("/oauth2/jwks", ""))).await;
    let sets: HashSet<String> = answers.into_iter().map(|reply| reply.body).collect();
    assert_eq!(sets.len(), 1);
    let keys = sets.into_iter().next().expect("a set");
    assert_eq!(keys.matches("\"kid\"").count(), 1, "{keys}");
}

/// TK-16: a key set holds public members only.
#[tokio::test]
async fn private_members_are_not_published() {
    let test = TestBroker::empty().await;
    let set = test.get("/oauth2/jwks", "").await.json();
    let members: Vec<&String> = set["keys"][0].as_object().expect("a key").keys().collect();
    assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
}

/// CK-9, ED-10: a new sealing key in front of the old one changes nothing for logins and secrets under way.
#[tokio::test]
async fn sealing_keys_rotate_with_overlap() {
    let test = TestBroker::new().await;
    let (authorization, cookie) = test.start().await;
    let rotated = test.with_sealing_keys(vec![("k2", 2), ("k1", 1)]);
    signed_in(&rotated.finish(&authorization, &cookie).await);
    let (_, cookie) = rotated.start().await;
    assert!(cookie.contains("=k2."), "the new key seals: {cookie}");
}

/// CK-9: a login that was sealed with a key that is gone is no login, and no fault of ours.
#[tokio::test]
async fn an_unknown_sealing_key_is_an_unknown_login() {
    let test = TestBroker::new().await;
    let (authorization, cookie) = test.start().await;
    let reply = test.with_sealing_keys(vec![("k2", 2)]).finish(&authorization, &cookie).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert!(reply.body.contains("This sign-in has expired"), "{}", reply.body);
}

/// ED-10: a stored secret whose sealing key is gone stops the login with our error, says nothing, and loses nothing.
#[tokio::test]
async fn a_secret_whose_sealing_key_is_gone_is_our_fault() {
    let test = TestBroker::new().await;
    test.tokens().await;
    let reply = test.with_sealing_keys(vec![("k2", 2)]).get("/oauth2/jwks", "").await;
    assert_eq!((reply.status, reply.text("error")), (StatusCode::INTERNAL_SERVER_ERROR, "server_error".to_owned()));
    test.clock.advance(Seconds(61));
    assert_eq!(test.get("/oauth2/jwks", "").await.status, StatusCode::OK);
}
