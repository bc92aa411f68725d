//! Revocation and introspection: what ended is not active at once, whichever process ended it, and whatever raced it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule_core::store::StoreError;
use vestibule_protocol::time::Seconds;
use vestibule_tests::in_process::{ISSUER, TestBroker, claims};
use vestibule_tests::watched_store::{Call, Counter, DiesAfter, Watch, Yields, watched};

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().expect("a token")
}

/// The exact answer for whatever does not count.
fn inactive() -> Value {
    json!({ "active": false })
}

/// TK-9: either token of a family ends both, and whatever came of it; another family of the same person lives on.
#[tokio::test]
async fn any_token_ends_its_family() {
    let test = TestBroker::new().await;
    for kind in ["access_token", "refresh_token"] {
        let (other, first) = (test.tokens().await, test.tokens().await);
        let tokens = test.refresh(text(&first, "refresh_token")).await.json();
        assert_eq!(test.userinfo(text(&tokens, "access_token")).await.status, StatusCode::OK);
        test.revoke(text(&tokens, kind)).await;
        for gone in [&first, &tokens] {
            assert_eq!(test.introspect(text(gone, "access_token")).await, inactive(), "{kind}");
            assert_eq!(test.introspect(text(gone, "refresh_token")).await, inactive(), "{kind}");
        }
        let userinfo = test.userinfo(text(&tokens, "access_token")).await;
        assert_eq!(userinfo.status, StatusCode::UNAUTHORIZED, "{kind}: at once where it was revoked");
        assert_eq!(test.refresh(text(&tokens, "refresh_token")).await.text("error"), "invalid_grant");
        assert_eq!(test.introspect(text(&other, "access_token")).await["active"], true);
        assert_eq!(test.refresh(text(&other, "refresh_token")).await.status, StatusCode::OK);
    }
    assert_eq!(test.audited(&["grant_revoked"]).await.len(), 2, "each family once");
}

/// TK-9: an older refresh token of the family will do; an access token that has expired opens and ends nothing.
#[tokio::test]
async fn an_old_refresh_token_ends_its_family_and_an_expired_access_token_does_not() {
    let test = TestBroker::new().await;
    let first = test.tokens().await;
    let second = test.refresh(text(&first, "refresh_token")).await.json();
    test.clock.advance(Seconds(86_400));
    let third = test.refresh(text(&second, "refresh_token")).await.json();
    test.revoke(text(&second, "access_token")).await;
    assert_eq!(test.introspect(text(&third, "refresh_token")).await["active"], true);
    test.revoke(text(&first, "refresh_token")).await;
    assert_eq!(test.introspect(text(&third, "refresh_token")).await, inactive());
}

/// TK-10: what is said of tokens that count.
#[tokio::test]
async fn introspection_tells_what_the_token_means() {
    let test = TestBroker::new().await;
    let tokens = test.tokens().await;
    let access = claims(&tokens["access_token"]);
    let told = test.introspect(text(&tokens, "access_token")).await;
    for same in ["iss", "sub", "aud", "client_id", "iat", "exp", "jti", "scope", "tenant", "sid"] {
        assert_eq!(told[same], access[same], "{same}");
    }
    assert_eq!((&told["active"], &told["token_type"]), (&json!(true), &json!("Bearer")));
    let refresh = test.introspect(text(&tokens, "refresh_token")).await;
    assert_eq!((&refresh["iss"], &refresh["sub"]), (&json!(ISSUER), &access["sub"]));
    assert_eq!(refresh["exp"].as_i64(), access["iat"].as_i64().map(|iat| iat + 604_800));
    assert_eq!((refresh.get("token_type"), refresh.get("jti")), (None, None), "it is no bearer token");
}

/// TK-10: a refresh token is active for as long as the token endpoint would take it, and asking ends nothing.
#[tokio::test]
async fn a_spent_refresh_token_is_not_active() {
    let test = TestBroker::new().await;
    let first = test.tokens().await;
    let second = test.refresh(text(&first, "refresh_token")).await.json();
    assert_eq!(test.introspect(text(&first, "refresh_token")).await["active"], true, "its answer may have been lost");
    let third = test.refresh(text(&second, "refresh_token")).await.json();
    assert_eq!(test.introspect(text(&first, "refresh_token")).await, inactive());
    assert_eq!(test.introspect(text(&third, "refresh_token")).await["active"], true);
    assert_eq!(test.refresh(text(&third, "refresh_token")).await.status, StatusCode::OK);
}

/// TK-10: whatever has expired is inactive, to the second.
#[tokio::test]
async fn what_has_expired_is_inactive() {
    let test = TestBroker::new().await;
    let tokens = test.tokens().await;
    test.clock.advance(Seconds(86_399));
    assert_eq!(test.introspect(text(&tokens, "access_token")).await["active"], true);
    test.clock.advance(Seconds(1));
    assert_eq!(test.introspect(text(&tokens, "access_token")).await, inactive());
    assert_eq!(test.introspect(text(&tokens, "refresh_token")).await["active"], true);
    test.clock.advance(Seconds(518_400));
    assert_eq!(test.introspect(text(&tokens, "refresh_token")).await, inactive());
}

/// TK-10, ED-7, CK-5: a process that has just said "active" says "inactive" right after another one ended the session, by
/// whatever way.
#[tokio::test]
async fn introspection_follows_every_end_at_once() {
    let test = TestBroker::new().await;
    for way in ["revoked", "signed out", "deactivated", "sessions ended", "removed"] {
        let tokens = test.tokens().await;
        let asking = test.another_process(None);
        let tokens_shown = ["access_token", "refresh_token"];
        for kind in tokens_shown {
            assert_eq!(asking.introspect(text(&tokens, kind)).await["active"], true, "{way}");
        }
        let user = claims(&tokens["id_token"])["sub"].as_str().expect("a user").to_owned();
        let path = format!("/tenants/acme/users/{user}");
        match way {
            "revoked" => test.revoke(text(&tokens, "refresh_token")).await,
            "signed out" => {
                let hint = text(&tokens, "id_token");
                test.get(&format!("/oauth2/logout?id_token_hint={hint}"), "").await;
            }
            "deactivated" => {
                test.admin(Method::PUT, &path, &json!({ "active": false })).await;
            }
            "sessions ended" => {
                test.admin(Method::POST, &format!("{path}/end-sessions"), &Value::Null).await;
            }
            _ => {
                test.admin(Method::DELETE, &path, &Value::Null).await;
            }
        }
        for kind in tokens_shown {
            assert_eq!(asking.introspect(text(&tokens, kind)).await, inactive(), "{way}: {kind}");
        }
        if way == "deactivated" {
            test.admin(Method::PUT, &path, &json!({ "active": true })).await;
            assert_eq!(asking.introspect(text(&tokens, "access_token")).await, inactive(), "nothing revives");
        }
    }
}

/// TK-10, CK-5: a process dies right after it closed the gate, before it ended a session. Nothing in it is active.
#[tokio::test]
async fn a_closed_gate_is_enough() {
    let test = TestBroker::new().await;
    let tokens = test.tokens().await;
    let path = format!("/tenants/acme/users/{}", claims(&tokens["id_token"])["sub"].as_str().expect("a user"));
    let dying = test.another_process(Some(watched(&test.store, DiesAfter::commit_to("sessions")).0));
    let answer = dying.try_admin(Method::PUT, &path, &json!({ "active": false })).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    for kind in ["access_token", "refresh_token"] {
        assert_eq!(test.introspect(text(&tokens, kind)).await, inactive(), "{kind}");
    }
}

/// A refresh that lands right before the first commit to the sessions.
struct RefreshesFirst {
    elsewhere: TestBroker,
    token: String,
    done: AtomicBool,
    got: Arc<Mutex<Option<Value>>>,
}

#[async_trait]
impl Watch for RefreshesFirst {
    async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
        if call.writes_to("sessions") && !self.done.swap(true, Ordering::SeqCst) {
            let tokens = self.elsewhere.refresh(&self.token).await.json();
            *self.got.lock().expect("nobody panicked") = Some(tokens);
        }
        Ok(())
    }
}

/// TK-9: a refresh between the revocation's read and its commit does not save the family.
#[tokio::test]
async fn a_refresh_that_races_a_revocation_does_not_survive_it() {
    let test = TestBroker::new().await;
    let tokens = test.tokens().await;
    let token = text(&tokens, "refresh_token").to_owned();
    let got = Arc::new(Mutex::new(None));
    let elsewhere = test.another_process(None);
    let watch = RefreshesFirst { elsewhere, token: token.clone(), done: AtomicBool::new(false), got: Arc::clone(&got) };
    test.another_process(Some(watched(&test.store, watch).0)).revoke(&token).await;
    let newer = got.lock().expect("nobody panicked").take().expect("the refresh came first");
    assert_eq!(test.introspect(text(&newer, "access_token")).await, inactive());
    assert_eq!(test.refresh(text(&newer, "refresh_token")).await.text("error"), "invalid_grant");
}

/// Of many revocations at once, one is in the log.
#[tokio::test]
async fn many_revocations_are_one() {
    let test = TestBroker::new().await;
    let tokens = test.tokens().await;
    let racing = test.another_process(Some(watched(&test.store, Yields).0));
    futures_util::future::join_all((0..8).map(|_| racing.revoke(text(&tokens, "refresh_token")))).await;
    assert_eq!(test.audited(&["grant_revoked"]).await.len(), 1);
}

/// ED-2: what each costs of the store, on a warm process.
#[tokio::test]
async fn each_asks_the_store_once() {
    let test = TestBroker::new().await;
    let (store, counter) = watched(&test.store, Counter::default());
    let test = test.another_process(Some(store));
    let tokens = test.tokens().await;
    counter.calls();
    for _ in 0..2 {
        test.introspect(text(&tokens, "access_token")).await;
        assert_eq!(counter.calls(), (1, vec![]), "grant, session and gate together");
    }
    test.introspect(text(&tokens, "refresh_token")).await;
    assert_eq!(counter.calls(), (2, vec![]), "whose it is, its grant says");
    test.revoke(text(&tokens, "access_token")).await;
    assert_eq!(counter.calls(), (1, vec!["sessions".to_owned()]));
}
