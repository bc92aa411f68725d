//! A directory's people: of two who want a name one gets it, whoever is switched off is out at once, and whatever a
//! process that dies leaves undone is done.

use futures_util::future::join_all;
use http::Method;
use serde_json::{Value, json};
use vestibule_protocol::time::Seconds;
use vestibule_tests::in_process::{TestBroker, claims};
use vestibule_tests::scim::USER;
use vestibule_tests::watched_store::{DiesAfter, Yields, watched};

/// A broker in which whatever is done at once really is.
async fn busy() -> TestBroker {
    let test = TestBroker::new().await;
    test.another_process(Some(watched(&test.store, Yields).0))
}

/// Somebody who signed in before the directory came: their id and their tokens.
async fn signed_in(test: &TestBroker) -> (String, Value) {
    let tokens = test.tokens().await;
    (claims(&tokens["id_token"])["sub"].as_str().expect("a person").to_owned(), tokens)
}

async fn refresh(test: &TestBroker, tokens: &Value) -> u16 {
    test.refresh(tokens["refresh_token"].as_str().expect("a token")).await.status.as_u16()
}

fn active(value: bool) -> Value {
    json!([{"op": "replace", "value": {"active": value}}])
}

/// SC-6: of many who create one name in different cases at once, one does.
#[tokio::test]
async fn of_racing_names_one_wins() {
    let test = busy().await;
    let token = test.scim_token().await;
    let create = |name: &'static str| {
        let body = json!({"schemas": [USER], "userName": name, "active": true});
        let (test, token) = (&test, &token);
        async move { test.scim(token, Method::POST, "/Users", &body).await }
    };
    let names = ["ada@corp.example", "ADA@corp.example", "Ada@Corp.Example", "ada@CORP.EXAMPLE"];
    let replies = join_all(names.into_iter().cycle().take(20).map(create)).await;
    let made = replies.iter().filter(|reply| reply.status == 201).count();
    assert_eq!(made, 1);
    for reply in replies.iter().filter(|reply| reply.status != 201) {
        assert_eq!((reply.status.as_u16(), &reply.scim()["scimType"]), (409, &json!("uniqueness")), "{}", reply.body);
    }
}

/// SC-12, CK-5: off ends what was begun, and a login that is under way; on again lets them in again.
#[tokio::test]
async fn whoever_is_switched_off_is_out_at_once() {
    let test = busy().await;
    let (user, tokens) = signed_in(&test).await;
    let token = test.scim_token().await;
    let (authorization, login) = test.start().await;
    let path = format!("/Users/{user}");
    let inactive = active(false);
    let (off, refreshed) = futures_util::join!(test.scim_patch(&token, &path, &inactive), refresh(&test, &tokens));
    assert_eq!((off.status.as_u16(), &off.scim()["active"]), (200, &json!(false)));
    let late = test.finish(&authorization, &login).await;
    assert_eq!(late.status, 403, "the login that was under way: {}", late.body);
    assert!([200, 400].contains(&refreshed));
    assert_eq!(refresh(&test, &tokens).await, 400);
    assert_eq!(test.scim_get(&token, &path).await["active"], false);
    let on = test.scim_patch(&token, &path, &active(true)).await;
    assert_eq!((on.status.as_u16(), &on.scim()["active"]), (200, &json!(true)));
    assert_eq!(refresh(&test, &tokens).await, 400, "what was ended stays ended");
    test.tokens().await;
}

/// SC-12, CK-5: of a deactivation that races logins, nothing that outlives it is left.
#[tokio::test]
async fn no_login_slips_past_a_deactivation() {
    let test = busy().await;
    let (user, _) = signed_in(&test).await;
    let token = test.scim_token().await;
    let path = format!("/Users/{user}");
    let inactive = active(false);
    for _ in 0..10 {
        let (authorization, login) = test.start().await;
        let (off, finished) =
            futures_util::join!(test.scim_patch(&token, &path, &inactive), test.finish(&authorization, &login));
        assert_eq!(off.status, 200);
        if finished.status == 303 {
            let code = vestibule_tests::in_process::signed_in(&finished).code;
            assert_eq!(test.redeem(&code).await.status, 400, "a code from before the deactivation");
        }
        test.scim_patch(&token, &path, &active(true)).await;
    }
}

/// SC-12: a deactivation whose process died before the sessions ended is completed by whoever asks again.
#[tokio::test]
async fn asking_again_completes_a_deactivation() {
    let test = TestBroker::new().await;
    let (user, tokens) = signed_in(&test).await;
    let token = test.scim_token().await;
    let path = format!("/Users/{user}");
    test.scim_get(&token, &path).await;
    let dying = test.another_process(Some(watched(&test.store, DiesAfter::commit_to("directory")).0));
    assert_eq!(dying.scim_patch(&token, &path, &active(false)).await.status, 500);
    let again = test.scim_patch(&token, &path, &active(false)).await;
    assert_eq!(again.status, 200, "{}", again.body);
    assert_eq!(refresh(&test, &tokens).await, 400);
}

/// SC-11, CK-5: whoever is deleted is gone with their sessions, names and memberships; the name is free for another, who
/// is another.
#[tokio::test]
async fn whoever_is_deleted_leaves_nothing() {
    let test = TestBroker::new().await;
    let (user, tokens) = signed_in(&test).await;
    let token = test.scim_token().await;
    let group = test.scim_group(&token, "Ops", std::slice::from_ref(&user)).await;
    let path = format!("/Users/{user}");
    let before = test.scim_get(&token, &path).await;
    assert_eq!(before["groups"][0]["value"], json!(group));
    assert_eq!(test.scim(&token, Method::DELETE, &path, &Value::Null).await.status, 204);
    assert_eq!(refresh(&test, &tokens).await, 400);
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(test.scim(&token, method, &path, &Value::Null).await.status, 404);
    }
    assert_eq!(test.scim_get(&token, &format!("/Groups/{group}")).await.get("members"), None);
    let name = before["userName"].as_str().expect("a name").to_uppercase();
    let other = test.scim_user(&token, &name).await;
    assert_ne!(other, user);
    let (authorization, login) = test.start().await;
    let back = test.finish(&authorization, &login).await;
    assert_ne!(back.status, 500, "the identity of whoever is gone leads nowhere: {}", back.body);
}

/// SC-11: a delete that died half-way is completed by the tick: the group knows no ghost.
#[tokio::test]
async fn the_tick_takes_whoever_is_gone_out_of_their_groups() {
    let test = TestBroker::new().await;
    let token = test.scim_token().await;
    let user = test.scim_user(&token, "ada").await;
    let group = test.scim_group(&token, "Ops", std::slice::from_ref(&user)).await;
    let dying = test.another_process(Some(watched(&test.store, DiesAfter::commit_to("directory")).0));
    let died = dying.scim(&token, Method::DELETE, &format!("/Users/{user}"), &Value::Null).await;
    assert_eq!(died.status, 500);
    for _ in 0..15 {
        assert_eq!(test.broker.tick().await.expect("a tick").failed, 0);
        test.clock.advance(Seconds(60));
    }
    assert_eq!(test.scim_get(&token, &format!("/Groups/{group}")).await.get("members"), None);
}
