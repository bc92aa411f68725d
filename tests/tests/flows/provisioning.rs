//! The roads by which people come: each lets in by its own, none lets in who was switched off. What another road would
//! change; people who are removed.

use axum::body::Body;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use vestibule_core::store::{Expect, Key, key};
use vestibule_protocol::time::Seconds;
use vestibule_testkit::Account;
use vestibule_tests::in_process::{ALICE, TestBroker};

const BOB: &str = "bob@corp.example";

async fn people(test: &TestBroker) -> usize {
    let list = test.admin(Method::GET, "/tenants/acme/users", &Value::Null).await;
    list["items"].as_array().expect("a list").len()
}

#[tokio::test]
async fn each_road_has_its_own_answer_to_somebody_unknown() {
    for (mode, status, words, reason) in [
        ("just_in_time", StatusCode::SEE_OTHER, "", ""),
        ("scim", StatusCode::FORBIDDEN, "assign it to you", "not_pushed"),
        ("invite_only", StatusCode::FORBIDDEN, "Open the link of your invitation", "no_invitation"),
    ] {
        let test = TestBroker::new().await;
        test.set_mode(mode).await;
        let reply = test.try_sign_in("idp", ALICE).await;
        assert_eq!(reply.status, status, "{mode} {}", reply.body);
        assert!(reply.body.contains(words) && !reply.body.contains("alice"), "{mode}: {}", reply.body);
        assert_eq!(people(&test).await, usize::from(reason.is_empty()), "{mode}");
        let session = reply.set_cookies().iter().any(|cookie| cookie.starts_with("__Host-session=v"));
        assert_eq!(session, reason.is_empty(), "{mode}");
        let refused = test.audited(&["unknown_person_refused"]).await;
        let reasons: Vec<_> = refused.iter().map(|event| &event["reason"]).collect();
        assert_eq!(reasons, if reason.is_empty() { vec![] } else { vec![reason] }, "{mode}");
        assert!(refused.iter().all(|event| event["connection"] == "idp" && event.get("user").is_none()));
    }
}

/// RP-11: whoever is known stays, whatever the road; whoever is switched off is out, in the same words on every road.
#[tokio::test]
async fn who_is_known_stays_and_who_is_inactive_does_not() {
    for mode in ["just_in_time", "scim", "invite_only"] {
        let test = TestBroker::new().await;
        let alice = test.subject_of("idp", ALICE).await;
        test.set_mode(mode).await;
        assert_eq!(test.subject_of("idp", ALICE).await, alice, "{mode}");
        test.admin(Method::PUT, &format!("/tenants/acme/users/{alice}"), &json!({"active": false})).await;
        let reply = test.try_sign_in("idp", ALICE).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN);
        assert!(reply.body.contains("You cannot sign in here"), "{mode}: {}", reply.body);
        assert_eq!(test.audited(&["sign_in_refused"]).await.len(), 1, "{mode}");
        test.admin(Method::PUT, &format!("/tenants/acme/users/{alice}"), &json!({"active": true})).await;
        assert_eq!(test.subject_of("idp", ALICE).await, alice, "{mode}");
    }
}

#[tokio::test]
async fn a_preview_says_what_would_change_and_changes_nothing() {
    let test = TestBroker::new().await;
    let alice = test.subject_of("idp", ALICE).await;
    test.admin(Method::PUT, &format!("/tenants/acme/users/{alice}"), &json!({"active": false})).await;
    test.push(&json!({"userName": "p"}), None).await;
    test.set_mode("invite_only").await;
    for (address, expires_in) in [(BOB, 3600), ("carol@corp.example", 60)] {
        let invitation = json!({"email": address, "expires_in": expires_in});
        test.admin(Method::POST, "/tenants/acme/invitations", &invitation).await;
    }
    test.clock.advance(Seconds(61));
    let path = "/tenants/acme/provisioning/preview";
    let preview = test.admin(Method::POST, path, &json!({"mode": "scim"})).await;
    let expected = json!({
        "login": {"active": 0, "inactive": 1}, "scim": {"active": 1, "inactive": 0},
        "invitation": {"active": 0, "inactive": 0},
    });
    assert_eq!((&preview["people"], &preview["connections"]), (&expected, &json!(["idp"])));
    assert_eq!((&preview["from"], &preview["to"]), (&json!("invite_only"), &json!("scim")));
    assert_eq!((&preview["pending_invitations"], &preview["scim_tokens"]), (&json!(1), &json!(1)));
    assert_eq!(preview["effects"].as_array().map(Vec::len), Some(4), "{preview}");
    let tenant = test.admin(Method::GET, "/tenants/acme", &Value::Null).await;
    assert_eq!(tenant["provisioning"]["mode"], "invite_only");
    for (path, body, status) in [
        (path, json!({}), 400),
        (path, json!({"mode": "open"}), 400),
        ("/tenants/nobody/provisioning/preview", json!({"mode": "scim"}), 404),
    ] {
        assert_eq!(test.try_admin(Method::POST, path, &body).await.status, status, "{path} {body}");
    }
}

/// Whether there is a record of this id among the tenant's people.
async fn is_there(test: &TestBroker, id: &str) -> bool {
    let key = Key { partition: key::directory("acme"), id: id.to_owned() };
    test.store.get(&key).await.expect("a store").is_some()
}

/// CK-5: with the person go their sessions, before the answer; whoever comes next is somebody else.
#[tokio::test]
async fn a_removed_person_is_gone_at_once() {
    let test = TestBroker::new().await;
    let signed = test.sign_in().await;
    let tokens = test.redeem(&signed.code).await.json();
    let list = test.admin(Method::GET, "/tenants/acme/users", &Value::Null).await;
    let alice = list["items"][0]["id"].as_str().expect("an id").to_owned();
    let path = format!("/tenants/acme/users/{alice}");
    test.admin(Method::DELETE, &path, &Value::Null).await;
    assert_eq!(test.refresh(tokens["refresh_token"].as_str().expect("a token")).await.status, 400);
    assert_eq!(test.userinfo(tokens["access_token"].as_str().expect("a token")).await.status, 401);
    let silent = test.authorize(&[("prompt", "none")], &signed.cookie).await.location().expect("a redirect");
    assert!(silent.as_str().contains("login_required"), "{silent}");
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(test.try_admin(method, &path, &Value::Null).await.status, 404);
    }
    assert_eq!(test.try_admin(Method::PUT, &path, &json!({"active": true})).await.status, 404);
    assert_eq!(people(&test).await, 0);
    assert!(!is_there(&test, key::user_name("acme", ALICE).id()).await);
    assert!(!is_there(&test, key::address("acme", ALICE, &alice).id()).await);
    assert!(!is_there(&test, key::identity("acme", "idp", "https://idp.example", "alice-1").id()).await);
    assert_ne!(test.subject_of("idp", ALICE).await, alice);
    let deleted = test.audited(&["user_deleted"]).await;
    assert_eq!((&deleted[0]["user"], &deleted[0]["administrator"]["token"]), (&json!(alice), &json!("deployment")));
}

/// An identity that was left by somebody who is gone is nobody's, and is taken over by whoever brings it next.
#[tokio::test]
async fn an_identity_that_points_to_nobody_is_new() {
    let test = TestBroker::new().await;
    let alice = test.subject_of("idp", ALICE).await;
    let record = key::user("acme", &alice);
    test.store.commit(record.partition(), vec![record.delete(Expect::Any)]).await.expect("removed");
    let next = test.subject_of("idp", ALICE).await;
    assert_ne!(next, alice);
    assert_eq!(test.subject_of("idp", ALICE).await, next, "and stays theirs");
    test.set_mode("scim").await;
    test.idp.add_account(Account::new(BOB, "password", "bob-1", "Bob"));
    assert_eq!(test.try_sign_in("idp", BOB).await.status, StatusCode::FORBIDDEN);
}

/// Whoever is removed is in no group any more; others see that the group changed.
#[tokio::test]
async fn a_removed_person_leaves_their_groups() {
    let test = TestBroker::new().await;
    let token = test.scim_token().await;
    let (ada, bob) = (test.scim_user(&token, "ada").await, test.scim_user(&token, "bob").await);
    let group = test.scim_group(&token, "Ops", &[ada.clone(), bob.clone()]).await;
    let before = test.scim_get(&token, &format!("/Groups/{group}")).await;
    test.admin(Method::DELETE, &format!("/tenants/acme/users/{ada}"), &Value::Null).await;
    let after = test.scim_get(&token, &format!("/Groups/{group}")).await;
    let members: Vec<_> = after["members"].as_array().expect("members").iter().map(|member| &member["value"]).collect();
    assert_eq!(members, [&json!(bob)]);
    assert_ne!(before["meta"]["version"], after["meta"]["version"]);
    assert_eq!(test.scim(&token, Method::GET, &format!("/Users/{ada}"), &Value::Null).await.status, 404);
    assert!(!is_there(&test, key::user_name("acme", "ada").id()).await);
    assert_ne!(test.scim_user(&token, "ada").await, ada, "the name is free");
}

/// Removing insists on what was read, where that is asked for.
#[tokio::test]
async fn a_removal_can_rest_on_a_condition() {
    let test = TestBroker::new().await;
    let alice = test.subject_of("idp", ALICE).await;
    let request = Request::delete(format!("/admin/v1/tenants/acme/users/{alice}"))
        .header("authorization", format!("Bearer {}", vestibule_tests::in_process::ADMIN))
        .header("if-match", "\"other\"");
    let reply = test.send(request.body(Body::empty()).expect("a request")).await;
    assert_eq!(reply.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(people(&test).await, 1);
}
