//! The fifteen slots: what is owed and woken by nobody is done within a quarter of an hour, and once. ED-5.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use http::Method;
use vestibule_protocol::time::{Seconds, Timestamp};
use vestibule_tests::World;
use vestibule_tests::passing::soon;
use vestibule_tests::platform::clock;

/// How many sign-ins the tenant's log has, of today and, should it be just over, of yesterday.
async fn sign_ins(world: &World) -> usize {
    let now = clock().now();
    let days = BTreeSet::from([now, now - Seconds(2 * 3_600)].map(Timestamp::day));
    let mut count = 0;
    for day in days {
        let path = format!("/tenants/{}/audit?from={day}&until={day}", world.tenant);
        let log = world.broker.admin(Method::GET, &path, None).await.json();
        let events = log["events"].as_array().expect("events").iter();
        count += events.filter(|event| event["kind"] == "signed_in").count();
    }
    count
}

/// What a sign-in owes waits for its slot and no longer.
#[tokio::test]
async fn what_is_owed_is_done_in_its_slot() {
    let world = World::new().await;
    world.tokens().await;
    world.broker.quarter_of_an_hour().await;
    soon("the sign-in is in the log", async || sign_ins(&world).await == 1).await;
}

/// Ticks that run several times in each minute, at once, do what one does. Minutes that nobody ticked are caught up with by
/// the next quarter of an hour.
#[tokio::test(flavor = "multi_thread")]
async fn ticks_overlap_and_are_missed() {
    let world = World::new().await;
    world.tokens().await;
    for _ in 0..15 {
        world.broker.pass(60);
        join_all((0..3).map(|_| world.broker.run_tick())).await;
    }
    soon("the sign-in is in the log", async || sign_ins(&world).await == 1).await;
    world.tokens().await;
    world.broker.pass(40 * 60);
    world.broker.quarter_of_an_hour().await;
    soon("the other one, too", async || sign_ins(&world).await == 2).await;
    world.broker.quarter_of_an_hour().await;
    assert_eq!(sign_ins(&world).await, 2, "each is there once");
}
