//! Providers that are slow, huge, lost or not what they say. The person gets a page in time, the provider is not asked
//! again and again, and it is over when it is over.

use std::time::{Duration, Instant};

use http::StatusCode;
use serde_json::json;
use vestibule_testkit::{Canned, Demand};
use vestibule_tests::browser::Visit;
use vestibule_tests::platform::unique;
use vestibule_tests::world::{ALICE, connect, register};
use vestibule_tests::{Browser, World};

const METADATA: &str = "/.well-known/openid-configuration";

/// What there is between the request to a provider and its limit, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(12);

fn html() -> Canned {
    Canned::new("text/html; charset=utf-8", "<!doctype html><title>Sorry</title><p>marker-of-the-outage</p>")
}

fn huge() -> Canned {
    Canned::new("application/json", format!("{{\"keys\":[],\"x\":\"{}\"}}", "y".repeat(600 * 1024)))
}

/// A byte each half second: never idle for long, never done.
fn dripping() -> Canned {
    Canned { pause_milliseconds: 500, ..Canned::new("application/json", "{\"keys\":[]}                    ") }
}

fn elsewhere() -> Canned {
    let headers = vec![("location", "http://169.254.169.254/latest/meta-data".to_owned())];
    Canned { status: StatusCode::FOUND, headers, ..html() }
}

async fn attempt(world: &World) -> (Visit, Duration) {
    #[expect(clippy::disallowed_methods, reason = "a test measures how long a person waits")]
    let start = Instant::now();
    let visit = world.follow(&mut Browser::new(), &world.authorization(), ALICE).await;
    (visit, start.elapsed())
}

/// The login fails with a page or an error for the application, in time, and without a word of the provider's.
async fn fails(world: &World, what: &str) {
    let (visit, waited) = attempt(world).await;
    assert!(waited < PATIENCE, "{what}: {waited:?}");
    if let Some(arrived) = &visit.left_to {
        assert!(arrived.as_str().contains("error=temporarily_unavailable"), "{what}: {arrived}");
    } else {
        assert_eq!(visit.page().status, 502, "{what}: {}", visit.page().body);
        visit.page().assert_page();
    }
    assert!(!visit.last().body.contains("marker-of-the-outage"), "{what}");
}

/// Before anything is known of the provider: its metadata or keys are HTML, huge, dripping, or a redirect into the
/// network. RP-7, RP-8.
#[tokio::test]
async fn broken_documents_are_an_outage_that_ends() {
    for (what, reply) in [("html", html()), ("huge", huge()), ("dripping", dripping()), ("a redirect", elsewhere())] {
        for path in [METADATA, "/jwks"] {
            let world = World::new().await;
            world.idp.answer_with(path, reply.clone());
            fails(&world, &format!("{path} is {what}")).await;
            assert_eq!(world.idp.requests(path), 1, "{path} is {what}: asked once for one login");
            assert_eq!(world.idp.requests("/token"), 0, "{path} is {what}");
            world.idp.be_honest();
            world.tokens().await;
        }
    }
}

/// In the middle of a login: the token endpoint or userinfo fail in these ways. The code is offered once. RP-5.
#[tokio::test]
async fn broken_answers_are_not_a_login() {
    for (what, reply) in [("html", html()), ("huge", huge()), ("dripping", dripping()), ("a redirect", elsewhere())] {
        for path in ["/token", "/userinfo"] {
            let world = World::new().await;
            world.idp.answer_with(path, reply.clone());
            fails(&world, &format!("{path} is {what}")).await;
            assert_eq!(world.idp.requests(path), 1, "{path} is {what}: asked once for one login");
            world.idp.be_honest();
            world.tokens().await;
        }
    }
}

/// Requests that are to be sent ahead, and their endpoint fails in these ways: the application is told, the endpoint is
/// asked once for one login.
#[tokio::test]
async fn a_broken_endpoint_for_requests_is_an_outage_that_ends() {
    for (what, reply) in [("html", html()), ("huge", huge()), ("dripping", dripping()), ("a redirect", elsewhere())] {
        let world = World::new().await;
        world.idp.demand(Demand::PushedRequests);
        world.tokens().await;
        assert_eq!(world.idp.requests("/par"), 1);
        world.idp.answer_with("/par", reply);
        fails(&world, &format!("/par is {what}")).await;
        assert_eq!(world.idp.requests("/par"), 2, "/par is {what}: asked once for one login");
        world.idp.be_honest();
        world.tokens().await;
    }
}

/// A tenant that lists its providers' hosts is served by these alone. RP-7.
#[tokio::test]
async fn hosts_that_are_not_listed_are_not_asked() {
    let world = World::new().await;
    for (hosts, arrives) in [(json!(["idp.example"]), false), (json!(["127.0.0.1"]), true)] {
        let tenant = unique("t");
        world.broker.put(&format!("/tenants/{tenant}"), json!({ "name": "A tenant", "egress_hosts": hosts })).await;
        connect(&world.broker, &tenant, world.idp.issuer()).await;
        let app = register(&world.broker, "none", &json!([tenant])).await;
        let visit = world.follow(&mut Browser::new(), &world.authorization_of(&app, &tenant), ALICE).await;
        let told = if arrives { "code=" } else { "error=temporarily_unavailable" };
        assert!(visit.arrived().as_str().contains(told), "{hosts}: {}", visit.arrived());
        assert_eq!(world.idp.requests(METADATA), usize::from(arrives), "{hosts}");
    }
}

/// When the documents are known, an outage of them is not noticed. RP-8.
#[tokio::test]
async fn known_documents_outlive_an_outage() {
    let world = World::new().await;
    world.tokens().await;
    for path in [METADATA, "/jwks"] {
        world.idp.answer_with(path, dripping());
    }
    for _ in 0..3 {
        world.tokens().await;
    }
    assert_eq!((world.idp.requests(METADATA), world.idp.requests("/jwks")), (1, 1));
}
