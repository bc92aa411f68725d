//! What the broker sends of its own accord, from outside: events come to a tenant's webhook signed, come again where they
//! are not taken, and end as dead letters that an administrator sends again.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use vestibule_tests::Browser;
use vestibule_tests::World;
use vestibule_tests::passing::soon;
use vestibule_tests::platform::clock;
use vestibule_tests::webhook::{Answer, Call, FakeWebhook};
use vestibule_tests::world::{ALICE, BOB, member};

/// Minutes between the tries of a message, as ADMIN.md has them.
const PAUSES: [i64; 9] = [15, 30, 60, 120, 240, 480, 720, 720, 720];

/// Minutes until a slot comes again.
const SLOTS: i64 = 15;

/// A world with a webhook that wants to know who comes, what it answers, and its secret.
async fn subscribed(answer: Answer) -> (World, FakeWebhook, String) {
    let (world, hook) = (World::new().await, FakeWebhook::new().await);
    hook.says(answer);
    let webhook = json!({ "url": hook.url, "events": ["user.created", "user.deactivated"] });
    world.broker.put(&format!("/tenants/{}/webhooks/people", world.tenant), webhook).await;
    let secret = new_secret(&world).await;
    (world, hook, secret)
}

async fn new_secret(world: &World) -> String {
    let made = world.broker.admin(Method::POST, &format!("/tenants/{}/webhook-secret", world.tenant), None).await;
    assert_eq!(made.status, 200, "{}", made.body);
    made.text("secret")
}

async fn comes(world: &World, who: &str) {
    let visit = world.follow(&mut Browser::new(), &world.authorization(), who).await;
    visit.arrived();
}

async fn items(world: &World, list: &str) -> Vec<Value> {
    let page = world.broker.admin(Method::GET, &format!("/tenants/{}/{list}", world.tenant), None).await.json();
    page["items"].as_array().expect("items").clone()
}

/// What comes to a webhook within some minutes, of which each has its tick.
async fn within(world: &World, hook: &FakeWebhook, minutes: u32) -> Vec<Call> {
    for _ in 0..minutes {
        world.broker.pass(60);
        world.broker.run_tick().await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        let calls = hook.calls();
        if !calls.is_empty() {
            return calls;
        }
    }
    Vec::new()
}

/// The one message that comes within two quarters of an hour: a runtime under test may be a slot behind.
async fn one(world: &World, hook: &FakeWebhook) -> Call {
    let mut calls = within(world, hook, 35).await;
    assert_eq!(calls.len(), 1, "one message");
    calls.remove(0)
}

fn minute(seconds: i64) -> i64 {
    seconds.div_euclid(60)
}

/// Lets time pass to the minute before the one in which a message is due and its slot comes: that of the try before.
fn pass_until(world: &World, due: i64, slot: i64) {
    let now = clock().now().seconds();
    let due = due.max(now);
    let then = due + (slot - minute(due)).rem_euclid(SLOTS) * 60;
    world.broker.pass((then - now - 60).max(0));
}

/// An event comes once, signed with the tenant's secret as Standard Webhooks say, and of what was asked for only.
#[tokio::test]
async fn an_event_comes_signed() {
    let (world, hook, secret) = subscribed(Answer::Text(String::new())).await;
    let (_, others, other_secret) = subscribed(Answer::Text(String::new())).await;
    let tokens = world.tokens().await;
    let call = one(&world, &hook).await;
    let id_token = vestibule_testkit::relying_party::payload(&member(&tokens, "id_token")).expect("claims");
    assert_eq!(call.at("/type"), "user.created");
    assert_eq!(call.at("/data/user"), id_token["sub"]);
    assert_eq!((call.at("/data/tenant"), call.at("/data/connection")), (json!(world.tenant), json!("corp")));
    assert_eq!((call.signatures_by(&secret), call.signatures_by(&other_secret)), (1, 0));
    assert!(call.header("webhook-id").starts_with("msg_"), "{}", call.header("webhook-id"));
    let sent: i64 = call.header("webhook-timestamp").parse().expect("seconds");
    assert!((clock().now().seconds() - sent).abs() <= 120, "receivers refuse what is old");
    let tampered = Call { body: [&call.body, &b" "[..]].concat().into(), ..call };
    assert_eq!(tampered.signatures_by(&secret), 0);
    soon("nothing is owed", async || items(&world, "deliveries").await.is_empty()).await;
    assert!(within(&world, &hook, 16).await.is_empty(), "it comes once");
    assert!(others.calls().is_empty(), "another tenant's webhook is told nothing");
}

/// While secrets change, both sign; a day later the new one alone.
#[tokio::test]
async fn secrets_change_with_overlap() {
    let (world, hook, first) = subscribed(Answer::Text(String::new())).await;
    let second = new_secret(&world).await;
    comes(&world, ALICE).await;
    let call = one(&world, &hook).await;
    assert_eq!((call.signatures_by(&first), call.signatures_by(&second)), (1, 1));
    assert_eq!(call.header("webhook-signature").split(' ').count(), 2);
    world.broker.pass(86_400);
    comes(&world, BOB).await;
    let call = one(&world, &hook).await;
    assert_eq!((call.signatures_by(&first), call.signatures_by(&second)), (0, 1));
    assert_eq!(call.header("webhook-signature").split(' ').count(), 1);
}

/// What is not taken comes again after longer and longer pauses, under the same name; after the tenth try it is a dead
/// letter, which an administrator sends again.
#[tokio::test]
async fn what_is_not_taken_ends_as_a_dead_letter() {
    let (world, hook, secret) = subscribed(Answer::Status(503)).await;
    comes(&world, ALICE).await;
    let first = one(&world, &hook).await;
    let slot = minute(clock().now().seconds()) % SLOTS;
    for (number, pause) in PAUSES.into_iter().enumerate() {
        let tries = number + 1;
        let is_put_off = async || {
            items(&world, "deliveries").await.first().is_some_and(|it| !it["failure"].is_null() && it["tries"] == tries)
        };
        soon("the try is written down", is_put_off).await;
        let waiting = items(&world, "deliveries").await.remove(0);
        assert_eq!(waiting["failure"]["problem"], "it answered 503");
        let next = waiting["next_try_at"].as_i64().expect("a time");
        let failed = waiting["failure"]["at"].as_i64().expect("a time");
        assert!((0..=120).contains(&(failed + pause * 60 - next).abs()), "{tries}: {waiting}");
        if pause == 30 {
            assert!(within(&world, &hook, 16).await.is_empty(), "not before its time");
        }
        pass_until(&world, next, slot);
        let again = one(&world, &hook).await;
        assert_eq!((again.header("webhook-id"), &again.body), (first.header("webhook-id"), &first.body), "{tries}");
        assert_eq!(again.signatures_by(&secret), 1);
    }
    soon("it is dead", async || items(&world, "dead-letters").await.len() == 1).await;
    assert!(items(&world, "deliveries").await.is_empty());
    let dead = items(&world, "dead-letters").await.remove(0);
    assert_eq!((&dead["tries"], &dead["failure"]["problem"]), (&json!(10), &json!("it answered 503")));
    assert!(!dead.to_string().contains(&secret));
    hook.says(Answer::Text(String::new()));
    let letter = format!("/tenants/{}/dead-letters/{}", world.tenant, dead["id"].as_str().expect("an id"));
    let replayed = world.broker.admin(Method::POST, &format!("{letter}/replay"), None).await;
    assert_eq!((replayed.status.as_u16(), replayed.json()), (200, json!({ "delivered": true })));
    let calls = hook.calls();
    assert_eq!((calls.len(), calls[0].header("webhook-id")), (1, first.header("webhook-id")));
    assert_eq!((&calls[0].body, calls[0].signatures_by(&secret)), (&first.body, 1));
    assert!(items(&world, "dead-letters").await.is_empty());
    assert_eq!(world.broker.admin(Method::POST, &format!("{letter}/replay"), None).await.status, 404);
}
