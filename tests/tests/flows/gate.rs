//! The gate: a login or refresh that races a deactivation does not slip through.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use http::{Method, StatusCode};
use serde_json::json;
use vestibule_core::store::StoreError;
use vestibule_tests::in_process::{TestBroker, claims, signed_in};
use vestibule_tests::watched_store::{Call, Watch, watched};

/// What an administrator does right before the first commit that creates or changes something in a person's sessions.
struct ActsFirst {
    elsewhere: TestBroker,
    method: Method,
    path: String,
    done: AtomicBool,
}

#[async_trait]
impl Watch for ActsFirst {
    async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
        if call.writes_to("sessions") && !self.done.swap(true, Ordering::SeqCst) {
            self.elsewhere.admin(self.method.clone(), &self.path, &json!({"active": false})).await;
        }
        Ok(())
    }
}

/// A process whose first such commit comes after the administrator's act.
fn after(test: &TestBroker, method: Method, path: String) -> TestBroker {
    let watch = ActsFirst { elsewhere: test.another_process(None), method, path, done: AtomicBool::new(false) };
    test.another_process(Some(watched(&test.store, watch).0))
}

fn racing(test: &TestBroker, user: &str) -> TestBroker {
    after(test, Method::PUT, format!("/tenants/acme/users/{user}"))
}

async fn known_user(test: &TestBroker) -> (String, String) {
    let tokens = test.tokens().await;
    let user = claims(&tokens["id_token"])["sub"].as_str().expect("a user").to_owned();
    (user, tokens["refresh_token"].as_str().expect("a token").to_owned())
}

/// CK-5: the deactivation lands between the directory's answer and the session's commit.
#[tokio::test]
async fn a_login_that_races_a_deactivation_is_refused() {
    let test = TestBroker::new().await;
    let (user, _) = known_user(&test).await;
    let (authorization, cookie) = test.start().await;
    let reply = racing(&test, &user).finish(&authorization, &cookie).await;
    assert_eq!(reply.status, StatusCode::FORBIDDEN, "{}", reply.body);
}

/// CK-5: the deactivation lands between the grant's answer and its rotation.
#[tokio::test]
async fn a_refresh_that_races_a_deactivation_is_refused() {
    let test = TestBroker::new().await;
    let (user, refresh_token) = known_user(&test).await;
    let reply = racing(&test, &user).refresh(&refresh_token).await;
    assert_eq!(reply.text("error"), "invalid_grant");
}

/// CK-5: the deactivation lands between the code's answer and its redemption.
#[tokio::test]
async fn a_redemption_that_races_a_deactivation_is_refused() {
    let test = TestBroker::new().await;
    let (user, _) = known_user(&test).await;
    let code = test.sign_in().await.code;
    let reply = racing(&test, &user).redeem(&code).await;
    assert_eq!(reply.text("error"), "invalid_grant");
}

/// Somebody who is let in again signs in anew; what they had before stays dead.
#[tokio::test]
async fn reactivation_revives_no_session() {
    let test = TestBroker::new().await;
    let (user, refresh_token) = known_user(&test).await;
    let path = format!("/tenants/acme/users/{user}");
    test.admin(Method::PUT, &path, &json!({"active": false})).await;
    test.admin(Method::PUT, &path, &json!({"active": true})).await;
    assert_eq!(test.refresh(&refresh_token).await.text("error"), "invalid_grant");
    test.tokens().await;
}

/// CK-5: sessions are ended between the grant's answer and its rotation; and right before a login's commit, which then
/// makes a session of the time after.
#[tokio::test]
async fn what_races_an_end_of_sessions_is_over() {
    let test = TestBroker::new().await;
    let (user, refresh_token) = known_user(&test).await;
    let path = format!("/tenants/acme/users/{user}/end-sessions");
    let reply = after(&test, Method::POST, path.clone()).refresh(&refresh_token).await;
    assert_eq!(reply.text("error"), "invalid_grant");
    let (authorization, cookie) = test.start().await;
    let reply = after(&test, Method::POST, path).finish(&authorization, &cookie).await;
    let tokens = test.redeem(&signed_in(&reply).code).await;
    assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.body);
    assert_eq!(test.audited(&["sessions_ended"]).await.len(), 2);
}
