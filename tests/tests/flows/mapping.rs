//! Roles, teams and business units over time: what other processes and later sign-ins make of them, and what is kept.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule_core::model::user::{GroupName, Source, User};
use vestibule_core::store::{Expect, key};
use vestibule_protocol::time::Seconds;
use vestibule_testkit::Document;
use vestibule_tests::Reply;
use vestibule_tests::in_process::{TestBroker, claims};
use vestibule_tests::watched_store::{Counter, watched};

const MAPPING: &str = "/tenants/acme/mapping";

/// Roles by group, teams by every group that begins with a slash, business units by department.
pub(crate) fn mapping() -> Value {
    json!({
        "roles": [{ "name": "admin" }, { "name": "viewer" }],
        "rules": [
            { "claim": "groups", "value": "Admins", "grants": "role", "name": "admin" },
            { "claim": "groups", "value": "Staff", "grants": "role", "name": "viewer" },
            { "claim": "groups", "value": "/${*}", "grants": "team" },
            { "claim": "department", "value": "*", "grants": "business_unit" },
        ],
    })
}

async fn set(test: &TestBroker, mapping: &Value) {
    test.admin(Method::PUT, MAPPING, mapping).await;
}

fn in_groups(test: &TestBroker, groups: &[&str]) {
    for document in [Document::IdToken, Document::Userinfo] {
        test.idp.say(document, "groups", json!(groups));
    }
}

async fn try_sign_in(test: &TestBroker) -> Reply {
    let (authorization, cookie) = test.start().await;
    test.finish(&authorization, &cookie).await
}

/// Our id of whoever signs in.
async fn sign_in(test: &TestBroker) -> String {
    claims(&test.tokens().await["id_token"])["sub"].as_str().expect("a subject").to_owned()
}

async fn access(test: &TestBroker, user: &str) -> Value {
    test.admin(Method::GET, &format!("/tenants/acme/users/{user}/access"), &Value::Null).await
}

fn teams(access: &Value) -> Vec<&str> {
    let teams = access["teams"].as_array().map(Vec::as_slice).unwrap_or_default();
    teams.iter().filter_map(|grant| grant["name"].as_str()).collect()
}

/// ED-2: with a mapping, a sign-in that brings nothing new costs no call more than without; one that does, a commit.
#[tokio::test]
async fn a_mapping_costs_a_warm_sign_in_nothing() {
    let test = TestBroker::new().await;
    set(&test, &mapping()).await;
    in_groups(&test, &["Staff", "/a"]);
    let (store, counter) = watched(&test.store, Counter::default());
    let test = test.another_process(Some(store));
    test.sign_in().await;
    for (groups, commits) in [(vec!["Staff", "/a"], vec!["sessions"]), (vec!["Staff"], vec!["directory", "sessions"])] {
        in_groups(&test, &groups);
        let (authorization, cookie) = test.start().await;
        counter.calls();
        test.finish(&authorization, &cookie).await;
        let commits = commits.into_iter().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(counter.calls(), (2, commits), "the identity with the person, their gate");
    }
}

/// ED-3: a mapping that was set elsewhere is followed within a minute, the first one too.
#[tokio::test]
async fn a_mapping_from_elsewhere_is_followed_within_a_minute() {
    let test = TestBroker::new().await;
    let other = test.another_process(None);
    let user = sign_in(&other).await;
    set(&test, &json!({ "rules": [{ "claim": "groups", "value": "*", "grants": "team" }] })).await;
    in_groups(&test, &["a"]);
    sign_in(&other).await;
    assert_eq!(teams(&access(&test, &user).await), Vec::<&str>::new(), "a copy serves for a minute");
    test.clock.advance(Seconds(60));
    test.idp_clock.advance(Seconds(60));
    sign_in(&other).await;
    assert_eq!(teams(&access(&test, &user).await), ["a"]);
}

/// What cannot be known is taken from nobody; what is known to be gone, goes. RP-9.
#[tokio::test]
async fn too_many_groups_withdraw_nothing() {
    let test = TestBroker::new().await;
    set(&test, &mapping()).await;
    in_groups(&test, &["Staff", "/a"]);
    let user = sign_in(&test).await;
    for document in [Document::IdToken, Document::Userinfo] {
        test.idp.say(document, "groups", Value::Null);
    }
    test.idp.say(Document::IdToken, "hasgroups", json!(true));
    sign_in(&test).await;
    let kept = access(&test, &user).await;
    assert_eq!((&kept["role"], teams(&kept)), (&json!("viewer"), vec!["a"]));
    test.idp.say(Document::IdToken, "hasgroups", Value::Null);
    assert_eq!(try_sign_in(&test).await.status, StatusCode::FORBIDDEN, "no groups at all are no role");
    assert_eq!(teams(&access(&test, &user).await), Vec::<&str>::new());
}

/// Whoever is refused for want of a role is in the audit log, and nobody comes of it; nothing of the claims is anywhere.
#[tokio::test]
async fn a_refusal_is_audited_and_leaves_nobody() {
    let test = TestBroker::new().await;
    set(&test, &mapping()).await;
    in_groups(&test, &["group-that-nobody-may-see"]);
    let reply = try_sign_in(&test).await;
    assert_eq!(reply.status, StatusCode::FORBIDDEN);
    reply.assert_error_page();
    assert!(reply.body.contains("You have no role here yet"), "{}", reply.body);
    let people = test.admin(Method::GET, "/tenants/acme/users", &Value::Null).await;
    assert_eq!(people["items"], json!([]));
    for _ in 0..15 {
        test.broker.tick().await.expect("a tick");
        test.clock.advance(Seconds(60));
    }
    let audit = test.admin(Method::GET, "/tenants/acme/audit", &Value::Null).await;
    let events = audit["events"].as_array().expect("events");
    let refused: Vec<_> = events.iter().filter(|event| event["kind"] == "sign_in_refused_without_role").collect();
    assert_eq!(refused.len(), 1, "{audit}");
    assert_eq!((&refused[0]["connection"], refused[0].get("user")), (&json!("idp"), None));
    assert!(!audit.to_string().contains("nobody-may-see") && !reply.body.contains("nobody-may-see"));
}

/// A rule that is for one connection is not asked of another's claims.
#[tokio::test]
async fn a_rule_can_be_for_one_connection() {
    let test = TestBroker::new().await;
    let rule =
        |connection: &str| json!({ "claim": "groups", "value": "*", "grants": "team", "connection": connection });
    set(&test, &json!({ "rules": [rule("another")] })).await;
    in_groups(&test, &["a"]);
    let user = sign_in(&test).await;
    assert_eq!(teams(&access(&test, &user).await), Vec::<&str>::new());
    set(&test, &json!({ "rules": [rule("another"), rule("idp")] })).await;
    sign_in(&test).await;
    assert_eq!(teams(&access(&test, &user).await), ["a"]);
}

/// Over people who are there: what a directory pushed is asked anew, of what claims granted nothing is pretended.
#[tokio::test]
async fn a_dry_run_says_what_it_knows() {
    let test = TestBroker::new().await;
    set(&test, &mapping()).await;
    in_groups(&test, &["Staff", "/a"]);
    let user = sign_in(&test).await;
    let record = key::user("acme", &user);
    let mut pushed: User = record.get(&*test.store).await.expect("a store").expect("a person").value;
    pushed.source = Source::Scim;
    pushed.attributes.insert("userType".to_owned(), json!("Engineer"));
    pushed.member_of.insert("g1".to_owned(), GroupName { display: "Admins".to_owned(), connection: None });
    let write = record.put(&pushed, Expect::Any).expect("a write");
    test.store.commit(record.partition(), vec![write]).await.expect("a commit");
    let mut draft = mapping();
    draft["scim"] = json!({ "groups": "group_display_names", "department": "userType" });
    let body = json!({ "mapping": draft });
    let shown = test.admin(Method::POST, &format!("{MAPPING}/dry-run"), &body).await;
    assert_eq!((&shown["looked_at"], &shown["next"]), (&json!(1), &Value::Null));
    let found = &shown["items"][0];
    assert_eq!(found["user"], json!(user));
    let name = |kind: &str, name: &str| json!({ "kind": kind, "name": name });
    assert_eq!(found["gains"], json!([name("role", "admin"), name("business_unit", "Engineer")]));
    assert_eq!(found["loses"], json!([]));
    assert_eq!(found["at_next_login"], json!([name("role", "viewer"), name("team", "a")]));
    assert_eq!((&found["role_before"], &found["role_after"]), (&json!("viewer"), &json!("admin")));
    let unchanged = record.get(&*test.store).await.expect("a store").expect("a person").value;
    assert_eq!(unchanged, pushed, "nothing was stored");
}
