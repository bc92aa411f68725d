//! An administrator looks at sessions and ends them: one, those of a connection, those of a tenant.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule_core::store::StoreError;
use vestibule_testkit::Account;
use vestibule_tests::in_process::{ALICE, TestBroker, claims, signed_in};
use vestibule_tests::watched_store::{Call, DiesAtWrite, Watch, watched};

const BOB: &str = "bob@corp.example";

/// A tenant with two connections to one provider, and two people there.
async fn two_connections() -> TestBroker {
    let test = TestBroker::new().await;
    test.idp.add_account(Account::new(BOB, "password", "bob-1", "Bob"));
    let second = json!({
        "name": "The other way", "protocol": "oidc", "issuer": "https://idp.example", "client_id": "broker",
        "client_secret": "secret-at-the-provider", "client_auth": "client_secret_basic",
    });
    test.admin(Method::PUT, "/tenants/acme/connections/second", &second).await;
    test
}

/// The tokens of somebody who signs in through a connection.
async fn tokens(test: &TestBroker, connection: &str, who: &str) -> Value {
    let code = signed_in(&test.try_sign_in(connection, who).await).code;
    test.redeem(&code).await.json()
}

async fn listed(test: &TestBroker, path: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = test.admin(Method::GET, &format!("{path}?limit=2{cursor}"), &Value::Null).await;
        items.extend(page["items"].as_array().expect("items").clone());
        assert!(page["items"].as_array().expect("items").len() <= 2, "{page}");
        let Some(next) = page["next"].as_str() else { return items };
        cursor = format!("&cursor={next}");
    }
}

async fn is_over(test: &TestBroker, tokens: &Value) -> bool {
    test.refresh(tokens["refresh_token"].as_str().expect("a token")).await.status == StatusCode::BAD_REQUEST
}

fn subject_and_session(tokens: &Value) -> (String, String) {
    let claims = claims(&tokens["id_token"]);
    (claims["sub"].as_str().expect("a person").to_owned(), claims["sid"].as_str().expect("a session").to_owned())
}

/// CK-5: lists are complete, page by page, for the tenant, a connection, a person; what is over is in none.
#[tokio::test]
async fn sessions_are_listed() {
    let test = two_connections().await;
    let mut of_alice = Vec::new();
    for _ in 0..3 {
        of_alice.push(subject_and_session(&tokens(&test, "idp", ALICE).await));
    }
    let (bob, session_of_bob) = subject_and_session(&tokens(&test, "second", BOB).await);
    let alice = of_alice[0].0.clone();

    let all = listed(&test, "/tenants/acme/sessions").await;
    let mut ids: Vec<&str> = all.iter().map(|found| found["id"].as_str().expect("an id")).collect();
    ids.sort_unstable();
    let mut expected: Vec<&str> = of_alice.iter().map(|(_, session)| session.as_str()).collect();
    expected.push(&session_of_bob);
    expected.sort_unstable();
    assert_eq!(ids, expected);

    assert_eq!(listed(&test, "/tenants/acme/connections/idp/sessions").await.len(), 3);
    assert_eq!(listed(&test, &format!("/tenants/acme/users/{alice}/sessions")).await.len(), 3);
    let second = listed(&test, "/tenants/acme/connections/second/sessions").await;
    assert_eq!((&second[0]["user"], &second[0]["connection"]), (&json!(bob), &json!("second")));
    assert!(second[0].get("clients").is_none() && second[0].get("secret").is_none(), "{second:?}");
    let one =
        test.admin(Method::GET, &format!("/tenants/acme/users/{bob}/sessions/{session_of_bob}"), &Value::Null).await;
    assert_eq!((&one["clients"], &one["id"]), (&json!(["app"]), &json!(session_of_bob)));

    test.admin(Method::PUT, &format!("/tenants/acme/users/{alice}"), &json!({"active": false})).await;
    assert_eq!(listed(&test, "/tenants/acme/sessions").await.len(), 1, "those of a person who is out are over");
}

/// AZ-13: what is no page and what is not there.
#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let test = TestBroker::new().await;
    let (alice, session) = subject_and_session(&test.tokens().await);
    for (path, status) in [
        ("/tenants/none/sessions".to_owned(), 404),
        ("/tenants/acme/sessions?cursor=MTAvZ2F0ZSM".to_owned(), 400),
        ("/tenants/acme/sessions?limit=0".to_owned(), 400),
        ("/tenants/acme/connections/A/sessions".to_owned(), 400),
        (format!("/tenants/acme/users/{alice}/sessions/none"), 404),
        (format!("/tenants/acme/users/none/sessions/{session}"), 404),
    ] {
        assert_eq!(test.try_admin(Method::GET, &path, &Value::Null).await.status.as_u16(), status, "{path}");
    }
    for path in ["/tenants/none/end-sessions", "/tenants/none/connections/idp/end-sessions"] {
        assert_eq!(test.try_admin(Method::POST, path, &Value::Null).await.status.as_u16(), 404, "{path}");
    }
    assert_eq!(listed(&test, "/tenants/acme/sessions").await.len(), 1);
}

/// CK-5: one session ends, and no other; the event says who did it, and which it was.
#[tokio::test]
async fn one_session_is_ended() {
    let test = TestBroker::new().await;
    let (ended, stays) = (test.tokens().await, test.tokens().await);
    let (alice, session) = subject_and_session(&ended);
    let path = format!("/tenants/acme/users/{alice}/sessions/{session}");
    test.admin(Method::DELETE, &path, &Value::Null).await;
    assert!(is_over(&test, &ended).await);
    assert!(!is_over(&test, &stays).await);
    assert_eq!(test.try_admin(Method::DELETE, &path, &Value::Null).await.status, StatusCode::NOT_FOUND);
    let events = test.audited(&["sessions_ended", "session_ended"]).await;
    assert_eq!((events.len(), &events[0]["session"]), (1, &json!(session)));
    assert_eq!(events[0]["administrator"]["token"], "deployment");
}

/// CK-5: the sessions of a connection end; those through another one do not.
#[tokio::test]
async fn the_sessions_of_a_connection_are_ended() {
    let test = two_connections().await;
    let (ended, also) = (tokens(&test, "idp", ALICE).await, tokens(&test, "idp", BOB).await);
    let stays = tokens(&test, "second", BOB).await;
    let reply = test.admin(Method::POST, "/tenants/acme/connections/idp/end-sessions", &Value::Null).await;
    assert_eq!(reply, json!({"finished": true}));
    assert!(is_over(&test, &ended).await && is_over(&test, &also).await);
    assert!(!is_over(&test, &stays).await);
    let after = tokens(&test, "idp", ALICE).await;
    assert!(!is_over(&test, &after).await, "whoever signs in afterwards is in");
    let request = test.audited(&["sessions_ended"]).await;
    assert_eq!((request.len(), &request[0]["connection"]), (1, &json!("idp")));
    assert_eq!(test.audited(&["session_ended"]).await.len(), 2, "one for each");
}

/// CK-5: wherever the process dies, the tick ends what is left; each session's end is written down once.
#[tokio::test]
async fn a_crash_leaves_no_session_of_a_tenant() {
    for writes in [0, 5, 9, 12] {
        let test = TestBroker::new().await;
        let mut sessions = Vec::new();
        for _ in 0..6 {
            sessions.push(test.tokens().await);
        }
        let (store, _) = watched(&test.store, DiesAtWrite::to("sessions", writes));
        let reply =
            test.another_process(Some(store)).try_admin(Method::POST, "/tenants/acme/end-sessions", &Value::Null).await;
        assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR, "{writes}: {}", reply.body);
        // The tenant's partition may come after its shards in a quarter of an hour.
        test.audited(&[]).await;
        let ended = test.audited(&["session_ended"]).await;
        assert_eq!(ended.len(), 6, "{writes}");
        assert_eq!(test.audited(&["sessions_ended"]).await.len(), 1);
        for tokens in &sessions {
            assert!(is_over(&test, tokens).await, "{writes}");
        }
        assert!(!is_over(&test, &test.tokens().await).await);
    }
}

/// CK-5: of more sessions than one request ends, the others are for tasks, and for the tick where those are lost.
#[tokio::test]
async fn many_sessions_are_ended() {
    let test = TestBroker::new().await;
    for _ in 0..60 {
        test.sign_in().await;
    }
    test.queue.hold();
    let reply = test.admin(Method::POST, "/tenants/acme/end-sessions", &Value::Null).await;
    assert_eq!(reply, json!({"finished": false}));
    assert!(!listed(&test, "/tenants/acme/sessions").await.is_empty());
    let after = test.tokens().await;
    assert!(!test.queue.waiting().is_empty());
    test.queue.lose();
    test.queue.release();
    assert_eq!(test.audited(&["session_ended"]).await.len(), 60);
    assert_eq!(listed(&test, "/tenants/acme/sessions").await.len(), 1);
    assert!(!is_over(&test, &after).await, "whoever signs in before the tick is in");
}

/// An administrator who ends all sessions right before the commit of a sign-in, in a process that dies before any has
/// ended.
struct EndsFirst {
    elsewhere: TestBroker,
    done: AtomicBool,
}

#[async_trait]
impl Watch for EndsFirst {
    async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
        if call.writes_to("sessions") && !self.done.swap(true, Ordering::SeqCst) {
            let reply = self.elsewhere.try_admin(Method::POST, "/tenants/acme/end-sessions", &Value::Null).await;
            assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR, "{}", reply.body);
        }
        Ok(())
    }
}

/// CK-5: a sign-in whose commit comes after the end begins again, and makes a session of the time after, which stays.
#[tokio::test]
async fn what_races_the_end_of_all_sessions_is_of_the_time_after() {
    let test = TestBroker::new().await;
    let before = test.tokens().await;
    // One write for each of the eight shards; the next would end a session.
    let (store, _) = watched(&test.store, DiesAtWrite::to("sessions", 8));
    let watch = EndsFirst { elsewhere: test.another_process(Some(store)), done: AtomicBool::new(false) };
    let racing = test.another_process(Some(watched(&test.store, watch).0));
    let (authorization, cookie) = test.start().await;
    let code = signed_in(&racing.finish(&authorization, &cookie).await).code;
    let tokens = test.redeem(&code).await.json();
    assert_eq!(listed(&test, "/tenants/acme/sessions").await.len(), 2, "the tick has not come by");
    assert_eq!(test.audited(&["session_ended"]).await.len(), 1);
    assert!(is_over(&test, &before).await);
    assert!(!is_over(&test, &tokens).await);
}
