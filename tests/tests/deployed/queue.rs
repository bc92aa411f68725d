//! What nobody waits for is done soon, on every runtime's own queue. ED-5.

use futures_util::future::join_all;
use http::Method;
use serde_json::{Value, json};
use vestibule_testkit::Document;
use vestibule_tests::World;
use vestibule_tests::passing::soon;
use vestibule_tests::scim::Directory;
use vestibule_tests::world::{IDP_SECRET, connection};

/// How often the tenant itself is in its log.
async fn changes(world: &World) -> usize {
    let path = format!("/tenants/{}/audit", world.tenant);
    let log = world.broker.admin(Method::GET, &path, None).await.json();
    let object = format!("/tenants/{}", world.tenant);
    log["events"].as_array().expect("events").iter().filter(|event| event["object"] == object).count()
}

/// A task for the partition that owes the events of the tenant's own changes.
fn task(world: &World) -> String {
    json!({ "partition": format!("tenant:{}", world.tenant) }).to_string()
}

/// A sign-in with more groups than are imported before its answer owes the rest, which waits for no tick.
#[tokio::test]
async fn what_is_owed_is_done_without_a_tick() {
    let world = World::new().await;
    let directory = Directory::of(&world.broker, &world.tenant).await;
    let issuer = world.idp.issuer();
    let importing = connection(issuer, &json!({ "client_secret": IDP_SECRET, "sign_in": { "import_groups": true } }));
    world.broker.put(&format!("/tenants/{}/connections/corp", world.tenant), importing).await;
    let names: Vec<String> = (0..300).map(|number| format!("Group {number}")).collect();
    for document in [Document::IdToken, Document::Userinfo] {
        world.idp.say(document, "groups", json!(names));
    }
    world.tokens().await;
    let groups = async || directory.query("/Groups", &[("count", "0")]).await.scim()["totalResults"].clone();
    let at_once = groups().await;
    soon("all groups are imported", async || groups().await == json!(300)).await;
    assert!(at_once.as_u64().is_some_and(|count| count >= 240), "before the answer: {at_once}");
}

/// What is no task, and a task for a partition that is none, keep no other waiting.
#[tokio::test]
async fn a_poisoned_task_stops_no_other() {
    let world = World::new().await;
    for poison in [json!("no task"), json!({}), json!({ "partition": 7 }), json!({ "partition": "nowhere" })] {
        world.broker.enqueue(&poison.to_string()).await;
    }
    world.broker.enqueue(&task(&world)).await;
    soon("the task is done", async || changes(&world).await == 1).await;
}

/// Tasks may come twice and at once, while ticks overlap: what is owed is done once, and nobody is disturbed.
#[tokio::test(flavor = "multi_thread")]
async fn tasks_may_come_twice_while_ticks_overlap() {
    let world = World::new().await;
    let message = task(&world);
    let sending = join_all((0..5).map(|_| world.broker.enqueue(&message)));
    let ticking = join_all((0..3).map(|_| world.broker.run_tick()));
    let (tokens, ..) = tokio::join!(world.tokens(), sending, ticking);
    soon("the tasks are done", async || changes(&world).await > 0).await;
    let tenant: Value = json!({ "name": "Another name" });
    world.broker.put(&format!("/tenants/{}", world.tenant), tenant).await;
    world.broker.enqueue(&message).await;
    soon("a later task is done", async || changes(&world).await > 1).await;
    assert_eq!(changes(&world).await, 2, "each change is in the log once");
    assert_eq!(world.userinfo(&tokens).await.status, 200);
}
