//! Effects that cross partitions: nothing is forgotten, nothing comes twice.

use http::Method;
use serde_json::{Value, json};
use vestibule_core::model::audit::{AuditEvent, AuditKind, ChangeKind};
use vestibule_core::model::effect::Effect;
use vestibule_core::model::provisioned::{Provisioned, Provisioner};
use vestibule_core::store::{Expect, key};
use vestibule_protocol::time::Seconds;
use vestibule_tests::in_process::{TestBroker, claims};
use vestibule_tests::watched_store::{DiesAfter, watched};

/// Every slot once.
async fn a_quarter_of_an_hour(test: &TestBroker) -> u32 {
    test.queue.hold();
    let mut effects = 0;
    for _ in 0..15 {
        assert_eq!(test.broker.tick().await.expect("a tick").failed, 0);
        let report = test.queue.drain().await;
        assert_eq!(report.failed, 0);
        effects += report.effects;
        test.clock.advance(Seconds(60));
    }
    effects
}

async fn events(test: &TestBroker) -> Vec<String> {
    // Every event of these tests is from the first hour of the clock's first day.
    let page = test.admin(Method::GET, "/tenants/acme/audit?from=2025-06-15", &Value::Null).await;
    let kinds = page["events"].as_array().expect("events").iter();
    let kinds = kinds.map(|event| event["kind"].as_str().expect("a kind").to_owned());
    // That the tenant was set up is another test's.
    kinds.filter(|kind| kind != "configured").collect()
}

/// CK-5: a deactivation whose process dies before the sessions are ended is completed by the tick.
#[tokio::test]
async fn the_tick_completes_what_a_dead_process_owed() {
    let test = TestBroker::new().await;
    let tokens = test.tokens().await;
    let user = claims(&tokens["id_token"])["sub"].as_str().expect("a user").to_owned();
    let dying = test.another_process(Some(watched(&test.store, DiesAfter::commit_to("directory")).0));
    let path = format!("/admin/v1/tenants/acme/users/{user}");
    let request = http::Request::put(&path).header("authorization", "Bearer admin-token-of-the-tests-0123456789");
    let reply = dying.send(request.body(json!({"active": false}).to_string().into()).expect("a request")).await;
    assert_eq!(reply.status.as_u16(), 500, "it died half-way");

    let refreshed = test.refresh(tokens["refresh_token"].as_str().expect("a token")).await;
    assert_eq!(refreshed.status.as_u16(), 200, "the sessions are still there");
    a_quarter_of_an_hour(&test).await;
    let refused = test.refresh(&refreshed.text("refresh_token")).await;
    assert_eq!(refused.text("error"), "invalid_grant");
}

/// Each event is in the log once, however often and by however many the effects are worked off.
#[tokio::test]
async fn events_arrive_once() {
    let test = TestBroker::new().await;
    test.tokens().await;
    assert_eq!(events(&test).await, Vec::<String>::new());
    let other = test.another_process(None);
    let (first, second) = futures_util::join!(a_quarter_of_an_hour(&test), a_quarter_of_an_hour(&other));
    assert!(first + second >= 2);
    a_quarter_of_an_hour(&test).await;
    let mut kinds = events(&test).await;
    kinds.sort();
    assert_eq!(kinds, ["signed_in", "user_created"]);
    assert_eq!(a_quarter_of_an_hour(&test).await, 0, "nothing is owed any more");
}

/// AZ-8, TK-6, RP-11: what an auditor wants to know is written down.
#[tokio::test]
async fn replays_and_refusals_are_events() {
    let test = TestBroker::new().await;
    let code = test.sign_in().await.code;
    let tokens = test.redeem(&code).await.json();
    test.redeem(&code).await;
    let family = test.tokens().await["refresh_token"].as_str().expect("a token").to_owned();
    let next = test.refresh(&family).await.text("refresh_token");
    test.refresh(&next).await;
    test.refresh(&family).await;
    let user = claims(&tokens["id_token"])["sub"].as_str().expect("a user").to_owned();
    test.admin(Method::PUT, &format!("/tenants/acme/users/{user}"), &json!({"active": false})).await;
    let (authorization, cookie) = test.start().await;
    assert_eq!(test.finish(&authorization, &cookie).await.status.as_u16(), 403);
    a_quarter_of_an_hour(&test).await;
    let mut kinds = events(&test).await;
    kinds.sort();
    let expected = [
        "code_replayed",
        "refresh_token_replayed",
        "session_ended",
        "session_ended",
        "sign_in_refused",
        "signed_in",
        "signed_in",
        "user_created",
        "user_deactivated",
    ];
    assert_eq!(kinds, expected);
}

/// An effect that takes many steps makes some of them before the answer. The others are tasks, and where those are lost,
/// the ticks'.
#[tokio::test]
async fn a_long_effect_goes_on_where_it_stopped() {
    let test = TestBroker::new().await;
    let token = test.scim_token().await;
    let group = test.scim_group(&token, "Crowd", &[]).await;
    test.crowd(&group, 1_250).await;
    test.queue.hold();
    let ended = test.scim(&token, Method::DELETE, &format!("/Groups/{group}"), &Value::Null).await;
    assert_eq!(ended.status, 204, "{}", ended.body);
    let directory = key::directory("acme");
    let left = async || {
        let page = test.store.list(&directory, &key::members_of(&group), None, 1_000).await.expect("a list");
        page.records.len()
    };
    assert_eq!(left().await, 650);
    let [task] = test.queue.waiting().try_into().expect("one task");
    assert!(test.broker.work(&task).await.expect("work").goes_on);
    assert_eq!(left().await, 410, "a task makes a bounded number of steps");
    test.queue.lose();
    a_quarter_of_an_hour(&test).await;
    assert_eq!(left().await, 0);
    assert_eq!(a_quarter_of_an_hour(&test).await, 0, "nothing is owed any more");
}

/// Events that together are more than a commit holds arrive nevertheless.
#[tokio::test]
async fn many_large_events_arrive() {
    let test = TestBroker::new().await;
    let directory = key::directory("acme");
    let time = test.broker.platform.clock.now();
    for number in 0..30 {
        let provisioned = Provisioned {
            object: "x".repeat(150_000),
            change: ChangeKind::Replaced,
            by: Provisioner { id: number.to_string(), name: "Directory".to_owned() },
            attributes: Vec::new(),
            people: Vec::new(),
            notes: Vec::new(),
        };
        let kind = AuditKind::Provisioned(Box::new(provisioned));
        let event = AuditEvent { time, kind, user: None, connection: None, client: None, session: None, origin: None };
        let effect = Effect::Audit { tenant: "acme".to_owned(), event };
        let owed = key::outbox(directory.clone(), time, &number.to_string()).put(&effect, Expect::Absent);
        test.store.commit(&directory, vec![owed.expect("a write")]).await.expect("a commit");
    }
    a_quarter_of_an_hour(&test).await;
    assert_eq!(events(&test).await, vec!["provisioned"; 30]);
}
