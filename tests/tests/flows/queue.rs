//! Tasks: what is lost, doubled, poisoned or unknown harms nobody, and none is long. ED-5.

use std::cell::Cell;

use async_trait::async_trait;
use http::Method;
use serde_json::{Value, json};
use vestibule_core::broker::HereReport;
use vestibule_core::model::audit::{AuditEvent, AuditKind};
use vestibule_core::model::effect::Effect;
use vestibule_core::platform::{Queue, Task};
use vestibule_core::store::{Expect, StoreError, Write, key};
use vestibule_protocol::time::Seconds;
use vestibule_tests::in_process::{ALICE, TestBroker};
use vestibule_tests::watched_store::{Call, Counter, Watch, watched};

fn task(partition: &str) -> Task {
    Task { partition: partition.to_owned(), after: None }
}

/// The directory of `acme` owes so many events of people who tried to sign in, and nothing else.
async fn owe_events(test: &TestBroker, count: usize) {
    for number in 0..count {
        let kind = AuditKind::SignInRefused;
        let time = test.broker.platform.clock.now();
        let event = AuditEvent { time, kind, user: None, connection: None, client: None, session: None, origin: None };
        let effect = Effect::Audit { tenant: "acme".to_owned(), event };
        let directory = key::directory("acme");
        let owed = key::outbox(directory.clone(), time, &format!("event-{number:03}")).put(&effect, Expect::Absent);
        test.store.commit(&directory, vec![owed.expect("a write")]).await.expect("a commit");
    }
}

async fn refusals(test: &TestBroker) -> usize {
    let log = test.admin(Method::GET, "/tenants/acme/audit?limit=200", &Value::Null).await;
    log["events"].as_array().expect("events").iter().filter(|event| event["kind"] == "sign_in_refused").count()
}

/// What the directory owes no more is what it owed before the test began.
async fn quiet() -> TestBroker {
    let test = TestBroker::new().await;
    test.broker.work(&task("directory:acme")).await.expect("work");
    test.queue.hold();
    test
}

/// A lost task costs a quarter of an hour, and two of one partition do its work once.
#[tokio::test]
async fn tasks_may_be_lost_and_doubled() {
    let test = quiet().await;
    owe_events(&test, 3).await;
    let mut sent = Vec::new();
    for minute in 0..30 {
        test.broker.tick().await.expect("a tick");
        let of_directory = test.queue.waiting().into_iter().filter(|task| task.partition == "directory:acme");
        sent.extend(of_directory.map(|task| (minute, task)));
        test.queue.lose();
        test.clock.advance(Seconds(60));
    }
    let [(first, _), (second, _)] = &sent[..] else { panic!("two slots in half an hour: {sent:?}") };
    assert_eq!(second - first, 15);
    assert_eq!(refusals(&test).await, 0, "lost");
    let tasks: Vec<_> = sent.iter().map(|(_, task)| test.broker.work(task)).collect();
    let reports = futures_util::future::join_all(tasks).await;
    assert!(reports.iter().all(|report| report.as_ref().is_ok_and(|report| report.failed == 0)), "{reports:?}");
    assert_eq!(refusals(&test).await, 3);
}

/// What cannot be read or done stays owed and is told; what comes after it is done.
#[tokio::test]
async fn a_poisoned_effect_stops_no_other() {
    let test = quiet().await;
    let directory = key::directory("acme");
    for (id, value) in
        [("outbox#000000000000#a", "\"no effect\""), ("outbox#000000000000#b", "{\"effect\":\"of later\"}")]
    {
        let (id, value) = (id.to_owned(), value.to_owned());
        let poison = Write::Put { id, value, expires_at: None, expect: Expect::Absent };
        test.store.commit(&directory, vec![poison]).await.expect("a commit");
    }
    owe_events(&test, 120).await;
    test.queue.send(vec![task("directory:acme")]).await.expect("held");
    let report = test.queue.drain().await;
    assert_eq!((report.effects, report.failed), (120, 2));
    assert_eq!(refusals(&test).await, 120);
    let left = test.store.list(&directory, key::OUTBOX, None, 10).await.expect("a list");
    assert_eq!(left.records.len(), 2, "for an administrator to look at");
    let again = test.broker.work(&task("directory:acme")).await.expect("work");
    assert_eq!((again.effects, again.failed, again.goes_on), (0, 2, false));
}

/// One task asks the store a bounded number of times, however much there is to do. The rest is another task.
#[tokio::test]
async fn a_task_is_bounded() {
    let test = quiet().await;
    let token = test.scim_token().await;
    let group = test.scim_group(&token, "Crowd", &[]).await;
    test.crowd(&group, 2_000).await;
    assert_eq!(test.scim(&token, Method::DELETE, &format!("/Groups/{group}"), &Value::Null).await.status, 204);
    let (store, counter) = watched(&test.store, Counter::default());
    let worker = test.another_process(Some(store));
    worker.queue.hold();
    let mut next = task("directory:acme");
    for batch in 1.. {
        let report = worker.broker.work(&next).await.expect("work");
        let (reads, writes) = counter.calls();
        assert!(reads + writes.len() <= 50, "{reads} reads and {writes:?} in one task");
        let Some(task) = worker.queue.waiting().pop() else {
            assert!(!report.goes_on && batch > 4, "{batch} batches");
            break;
        };
        worker.queue.lose();
        next = task;
    }
    let left = test.store.list(&key::directory("acme"), &key::members_of(&group), None, 1).await.expect("a list");
    assert_eq!(left.records.len(), 0);
}

/// A sign-in with very many groups answers soon. The rest of them is a task, not a quarter of an hour.
#[tokio::test]
async fn a_long_effect_wakes_its_partition() {
    let test = TestBroker::new().await;
    test.connect(&json!({ "sign_in": { "import_groups": true } })).await;
    let names: Vec<String> = (0..300).map(|number| format!("Group {number}")).collect();
    for document in [vestibule_testkit::Document::IdToken, vestibule_testkit::Document::Userinfo] {
        test.idp.say(document, "groups", json!(names));
    }
    test.queue.hold();
    let subject = test.subject_of("idp", ALICE).await;
    let groups = async || {
        let found = key::user("acme", &subject).get(&*test.store).await.expect("a read").expect("a person");
        found.value.member_of.len()
    };
    assert_eq!(groups().await, 240, "of twenty steps");
    assert_eq!(test.queue.waiting(), [task("directory:acme")]);
    test.queue.drain().await;
    assert_eq!(groups().await, 300);
}

/// Whoever owes something is answered as ever when nothing can be sent; the partition's slot comes.
#[tokio::test]
async fn a_queue_that_is_down_is_nobodys_fault() {
    let test = quiet().await;
    let token = test.scim_token().await;
    let group = test.scim_group(&token, "Crowd", &[]).await;
    test.crowd(&group, 700).await;
    test.queue.stop();
    assert_eq!(test.scim(&token, Method::DELETE, &format!("/Groups/{group}"), &Value::Null).await.status, 204);
    let report = test.broker.tick().await.expect("a tick plans what it can");
    assert_eq!(report.failed, report.partitions);
    // The queue works again.
    let test = test.another_process(None);
    for _ in 0..15 {
        assert_eq!(test.broker.tick().await.expect("a tick").failed, 0);
        test.clock.advance(Seconds(60));
    }
    let left = test.store.list(&key::directory("acme"), &key::members_of(&group), None, 1).await.expect("a list");
    assert_eq!(left.records.len(), 0);
}

/// A task for a partition that nobody knows, or from a place that is none, does nothing and makes nothing.
#[tokio::test]
async fn an_unknown_partition_has_nothing_to_do() {
    let test = quiet().await;
    let (store, counter) = watched(&test.store, Counter::default());
    let worker = test.another_process(Some(store));
    for (partition, after) in [("directory:nobody", None), ("x", Some("y")), ("directory:acme", Some("outbox#zzz"))] {
        let task = Task { partition: partition.to_owned(), after: after.map(str::to_owned) };
        let report = worker.broker.work(&task).await.expect("work");
        assert_eq!((report.effects, report.failed, report.goes_on), (0, 0, false), "{task:?}");
        assert_eq!(counter.calls().1, Vec::<String>::new());
    }
}

/// Where there is no queue, as much is done at once as there is room for. It says how far it got, and nobody is left out for
/// good.
#[tokio::test]
async fn without_a_queue_there_is_room_for_some() {
    let test = quiet().await;
    owe_events(&test, 120).await;
    let everybody = || (0..30).map(|number| task(&format!("directory:t{number}"))).chain([task("directory:acme")]);
    let rooms = Cell::new(100);
    let has_room = || rooms.replace(rooms.get().max(1) - 1) > 0;
    let report = test.broker.work_here(everybody().collect(), has_room).await;
    assert_eq!((report.tasks, report.effects, report.left), (33, 120, 0), "with room for all, the rest of a batch too");

    owe_events(&test, 1).await;
    let mut ticks = 0;
    while ticks < 100 {
        ticks += 1;
        rooms.set(10);
        let report = test.broker.work_here(everybody().collect(), has_room).await;
        assert_eq!((report.tasks, report.left, report.failed), (10, 21, 0));
        if report.effects == 1 {
            break;
        }
    }
    assert!(ticks < 100, "the last comes to its turn after some");
    assert_eq!(test.broker.work_here(Vec::new(), || true).await, HereReport::default());
    assert_eq!(test.broker.work_here(everybody().collect(), || false).await.left, 31);
}

struct Fails;

#[async_trait]
impl Watch for Fails {
    async fn before(&self, _: Call<'_>) -> Result<(), StoreError> {
        Err(StoreError::Unavailable("down".into()))
    }
}

/// A store that fails is an error, so that whoever delivers the task tries again.
#[tokio::test]
async fn a_store_that_fails_is_worth_another_try() {
    let test = quiet().await;
    owe_events(&test, 1).await;
    let broken = test.another_process(Some(watched(&test.store, Fails).0));
    broken.broker.work(&task("directory:acme")).await.expect_err("the store fails");
    test.broker.work(&task("directory:acme")).await.expect("work");
    assert_eq!(refusals(&test).await, 1);
}
