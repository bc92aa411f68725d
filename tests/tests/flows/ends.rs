//! What follows from the end of a session: an event each, and nothing that an application held stays.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule_core::store::Partition;
use vestibule_tests::in_process::{SignedIn, TestBroker, claims};
use vestibule_tests::reply::Reply;
use vestibule_tests::watched_store::{DiesAfter, Yields, watched};

/// Somebody in one session, in which the application holds this many grants; their id, and the last refresh token.
async fn with_grants(test: &TestBroker, grants: usize) -> (String, String) {
    let SignedIn { code, cookie, .. } = test.sign_in().await;
    let mut tokens = test.redeem(&code).await.json();
    for _ in 1..grants {
        let there = test.authorize(&[], &cookie).await.location().expect("a redirect");
        tokens = test.redeem(&Reply::one_param(&there, "code")).await.json();
    }
    let user = claims(&tokens["id_token"])["sub"].as_str().expect("a user").to_owned();
    (user, tokens["refresh_token"].as_str().expect("a token").to_owned())
}

/// How many records of this kind lie among the tenant's sessions.
async fn left(test: &TestBroker, kind: &str) -> usize {
    let mut count = 0;
    for shard in 0..8 {
        let partition = Partition::new(format!("sessions:acme:{shard}"));
        count += test.store.list(&partition, kind, None, 1_000).await.expect("a list").records.len();
    }
    count
}

async fn switch_off(test: &TestBroker, user: &str) -> Reply {
    test.try_admin(Method::PUT, &format!("/tenants/acme/users/{user}"), &json!({ "active": false })).await
}

/// CK-5: whoever is switched off has nothing left, however much applications held, and each end is one event.
#[tokio::test]
async fn nothing_is_left_of_a_session() {
    let test = TestBroker::new().await;
    let (user, refresh_token) = with_grants(&test, 60).await;
    assert_eq!((left(&test, "session#").await, left(&test, "grant#").await), (1, 60));
    assert_eq!(switch_off(&test, &user).await.status, StatusCode::OK);
    assert_eq!((left(&test, "session#").await, left(&test, "grant#").await), (0, 0));
    assert_eq!(test.refresh(&refresh_token).await.text("error"), "invalid_grant");
    assert_eq!(test.audited(&["user_deactivated"]).await[0]["cause"], "administrator");
    let ended = test.audited(&["session_ended"]).await;
    let [ended] = &ended[..] else { panic!("one event: {ended:?}") };
    assert_eq!((&ended["reason"], &ended["user"]), (&json!("deactivated"), &json!(user)));
    assert_eq!(left(&test, "outbox#").await, 0);
}

/// CK-5: a process dies right after the gate was closed. The session counts no more, and the tick does the rest, once.
#[tokio::test]
async fn an_end_survives_a_crash() {
    let test = TestBroker::new().await;
    let (user, refresh_token) = with_grants(&test, 3).await;
    let dying = test.another_process(Some(watched(&test.store, DiesAfter::commit_to("sessions")).0));
    assert_eq!(switch_off(&dying, &user).await.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!((left(&test, "session#").await, left(&test, "grant#").await), (1, 3));
    assert_eq!(test.refresh(&refresh_token).await.text("error"), "invalid_grant");
    // Round by round: what the directory owes, then what the sessions owe.
    assert_eq!(test.audited(&["user_deactivated"]).await.len(), 1);
    assert_eq!((left(&test, "session#").await, left(&test, "grant#").await), (0, 0));
    assert_eq!(test.audited(&["session_ended"]).await.len(), 1);
    assert_eq!(left(&test, "outbox#").await, 0);
}

/// Of several who end a session at once, one does: one event. Its person's directory says the same as its
/// administrator, and neither is told of a failure.
#[tokio::test]
async fn a_session_ends_once() {
    let test = TestBroker::new().await;
    let (user, _) = with_grants(&test, 2).await;
    let token = test.scim_token().await;
    let other = test.another_process(Some(watched(&test.store, Yields).0));
    let off = json!([{ "op": "replace", "path": "active", "value": false }]);
    let path = format!("/Users/{user}");
    let (by_hand, again, pushed) =
        tokio::join!(switch_off(&other, &user), switch_off(&other, &user), other.scim_patch(&token, &path, &off));
    for reply in [by_hand, again, pushed] {
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    }
    assert_eq!(test.audited(&["session_ended"]).await.len(), 1);
    assert_eq!(test.audited(&["user_deactivated"]).await.len(), 1);
}

/// SC-12: a directory's word is a deactivation like any other, and the event says whose it was.
#[tokio::test]
async fn a_directory_decommissions() {
    let test = TestBroker::new().await;
    let (user, refresh_token) = with_grants(&test, 1).await;
    let token = test.scim_token().await;
    let path = format!("/Users/{user}");
    let on_or_off = |active: bool| json!([{ "op": "replace", "value": { "active": active } }]);
    for active in [false, false, true] {
        let reply = test.scim_patch(&token, &path, &on_or_off(active)).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    }
    assert_eq!(test.refresh(&refresh_token).await.text("error"), "invalid_grant");
    let events = test.audited(&["user_deactivated"]).await;
    let [event] = &events[..] else { panic!("one event: {events:?}") };
    assert_eq!((&event["cause"], event.get("administrator")), (&json!("directory"), None::<&Value>));
}
