//! The tenant's checkpoint: nobody gets past it without an answer, and nobody else answers.

use futures_util::future::join_all;
use http::Method;
use serde_json::{Value, json};
use vestibule_tests::browser::Visit;
use vestibule_tests::world::{ALICE, Authorization, code_grant, member, query_of, register};
use vestibule_tests::{Browser, ControlPlane, Reply, World};

const WHY: &str = "Looking into ticket 4711.";

/// A world whose tenant has this checkpoint.
async fn guarded(checkpoint: &Value) -> World {
    let world = World::new().await;
    set(&world, checkpoint).await;
    world
}

async fn set(world: &World, checkpoint: &Value) {
    let tenant = json!({ "name": "A tenant", "checkpoint": checkpoint });
    world.broker.put(&format!("/tenants/{}", world.tenant), tenant).await;
}

fn own_words() -> Value {
    json!({ "justification": { "prompt": "Why now?", "min_length": 10, "max_length": 40 } })
}

/// Alice, as far as the question.
async fn asked(world: &World, browser: &mut Browser, request: &Authorization) -> Visit {
    let visit = world.follow(browser, request, ALICE).await;
    assert!(visit.page().url.path().ends_with("/oauth2/checkpoint"), "{}", visit.page().url);
    visit
}

async fn answer(browser: &mut Browser, asked: &Visit, why: &str) -> Visit {
    browser.submit(asked.page(), &[("justification", why)]).await
}

fn has_code(visit: &Visit) -> bool {
    visit.left_to.as_ref().is_some_and(|there| query_of(there).iter().any(|(name, _)| name == "code"))
}

fn has_session(browser: &Browser, world: &World) -> bool {
    browser.cookies(&world.broker.url).iter().any(|cookie| cookie.name == "__Host-session")
}

/// The question comes before the code; answers that will not do are asked for again, kept as they were typed.
#[tokio::test]
async fn a_person_says_why() {
    let world = guarded(&own_words()).await;
    let (mut browser, request) = (Browser::new(), world.authorization());
    let mut visit = asked(&world, &mut browser, &request).await;
    visit.page().assert_page();
    assert!(visit.page().body.contains("Why now?") && visit.page().body.contains("A tenant"), "{}", visit.page().body);
    for wrong in ["", "short", "          ", &"x".repeat(41), "\"><script>alert(1)</script></textarea>...."] {
        visit = answer(&mut browser, &visit, wrong).await;
        assert_eq!(visit.page().status, 400, "{wrong}");
        visit.page().assert_page();
        assert!(visit.page().body.contains("role=\"alert\"") && !visit.page().body.contains("<script>"), "{wrong}");
        assert!(!has_session(&browser, &world), "{wrong}");
    }
    let visit = answer(&mut browser, &visit, WHY).await;
    assert_eq!(visit.last().status, 303);
    assert_eq!(Reply::one_param(visit.arrived(), "state"), request.param("state"));
    assert_eq!(Reply::one_param(visit.arrived(), "iss"), world.broker.url);
    let tokens = world.redeem(&request, &Reply::one_param(visit.arrived(), "code")).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    let ours = browser.jar().iter().map(|cookie| cookie.name.as_str()).filter(|name| name.starts_with("__Host-"));
    let left: Vec<&str> = ours.collect();
    assert_eq!(left, ["__Host-session"], "nothing is left of the sign-in");
}

/// Of fixed reasons one is chosen; anything else is asked for again.
#[tokio::test]
async fn a_reason_is_chosen() {
    let world = guarded(&json!({ "justification": { "reasons": ["Support", "Audit & review"] } })).await;
    let mut browser = Browser::new();
    let mut visit = asked(&world, &mut browser, &world.authorization()).await;
    for wrong in ["", "support", WHY] {
        visit = browser.submit(visit.page(), &[("justification", wrong)]).await;
        assert_eq!(visit.page().status, 400, "{wrong}");
    }
    assert!(has_code(&answer(&mut browser, &visit, "Audit & review").await));
}

/// While the question is open there is no session and no code, whichever way is tried: the callback a second time, a
/// silent request, another start. RP-1, AZ-12.
#[tokio::test]
async fn there_is_no_way_around_the_question() {
    let world = guarded(&own_words()).await;
    let mut browser = Browser::new();
    let there = browser.get(&world.authorization().url(&world.broker)).await.location().expect("a redirect");
    let callback = world.idp.sign_in(there.as_str(), ALICE).await.expect("a good request");
    let mut kept = browser.clone();
    let first = browser.visit(&callback).await;
    assert!(first.page().url.path().ends_with("/oauth2/checkpoint"), "{}", first.page().url);
    for browser in [&mut browser, &mut kept] {
        let again = browser.visit(&callback).await;
        assert!(!has_code(&again) && again.page().status.is_client_error(), "{}", again.page().body);
        let silent = browser.visit(&world.authorization().with("prompt", "none").url(&world.broker)).await;
        assert_eq!(Reply::one_param(silent.arrived(), "error"), "login_required");
        let start = browser.visit(&world.authorization().url(&world.broker)).await;
        assert!(!has_code(&start) && !has_session(browser, &world));
    }
    let get = browser.visit(&format!("{}&justification={}", first.page().url, "x".repeat(20))).await;
    assert_eq!(get.page().status, 200, "a link is no answer");
    assert!(!has_session(&browser, &world));
}

/// A sign-in that waits belongs to one browser: its address, another's cookie, or a changed one, open nothing. CK-10.
#[tokio::test]
async fn nobody_else_can_answer() {
    let world = guarded(&own_words()).await;
    let (mut alice, mut other) = (Browser::new(), Browser::new());
    let page = asked(&world, &mut alice, &world.authorization()).await;
    let others = asked(&world, &mut other, &world.authorization()).await;
    let value = alice
        .jar()
        .iter()
        .find(|cookie| cookie.name.starts_with("__Host-checkpoint-"))
        .expect("a cookie")
        .value
        .clone();
    let foreign = other
        .jar()
        .iter()
        .find(|cookie| cookie.name.starts_with("__Host-checkpoint-"))
        .expect("a cookie")
        .value
        .clone();
    let mut stranger = Browser::new();
    for visit in [stranger.visit(page.page().url.as_str()).await, answer(&mut stranger, &page, WHY).await] {
        assert!(visit.page().status.is_client_error() && !visit.page().body.contains("Why now?"));
    }
    let visit = answer(&mut other, &page, WHY).await;
    assert!(visit.page().status.is_client_error(), "a browser with a sign-in of its own");
    let (locator, secret) = value.split_once('.').expect("a handle");
    let (_, strange) = foreign.split_once('.').expect("a handle");
    let half: String = value.chars().take(value.len() / 2).collect();
    for wrong in ["", "x", ".", locator, secret, &half, &foreign, &format!("{locator}.{strange}"), &format!("{value}A")]
    {
        let mut browser = alice.clone();
        for cookie in browser.jar().iter_mut().filter(|cookie| cookie.name.starts_with("__Host-checkpoint-")) {
            wrong.clone_into(&mut cookie.value);
        }
        let visit = answer(&mut browser, &page, WHY).await;
        assert!(!has_code(&visit) && visit.page().status.is_client_error(), "{wrong} of {value}");
        assert!(!has_session(&browser, &world), "{wrong}");
    }
    assert!(has_code(&answer(&mut alice, &page, WHY).await) && has_code(&answer(&mut other, &others, WHY).await));
}

/// One sign-in comes of an answer, however often and at once it is given. ED-1.
#[tokio::test]
async fn an_answer_counts_once() {
    let world = guarded(&own_words()).await;
    let mut browser = Browser::new();
    let page = asked(&world, &mut browser, &world.authorization()).await;
    let answers = (0..20).map(|_| {
        let (mut browser, page) = (browser.clone(), page.clone());
        async move { has_code(&answer(&mut browser, &page, WHY).await) }
    });
    assert_eq!(join_all(answers).await.into_iter().filter(|through| *through).count(), 1);
    let late = answer(&mut browser, &page, WHY).await;
    assert!(late.page().status.is_client_error() && late.page().body.contains("This sign-in has expired"));
}

/// Another site's form is no answer. CK-7.
#[tokio::test]
async fn another_site_cannot_answer() {
    let world = guarded(&own_words()).await;
    let mut browser = Browser::new();
    let page = asked(&world, &mut browser, &world.authorization()).await;
    let login = Reply::one_param(&page.page().url, "login");
    for site in ["cross-site", "same-site", "none"] {
        let form = [("login", login.as_str()), ("justification", WHY)];
        let request = world.broker.request(Method::POST, "/oauth2/checkpoint").header("sec-fetch-site", site);
        // With the cookie, which browsers keep back from another site.
        let reply = browser.fetch(request.header("origin", "https://evil.example").form(&form), true).await;
        assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (200, 0), "{site}: asked again");
    }
    assert!(has_code(&answer(&mut browser, &page, WHY).await), "the person still can");
}

/// Saying nothing ends in `access_denied`, and is the end of it.
#[tokio::test]
async fn whoever_cancels_is_not_signed_in() {
    let world = guarded(&own_words()).await;
    let (mut browser, request) = (Browser::new(), world.authorization());
    let page = asked(&world, &mut browser, &request).await;
    let visit = browser.submit(page.page(), &[("justification", WHY), ("cancel", "yes")]).await;
    assert_eq!(Reply::one_param(visit.arrived(), "error"), "access_denied");
    assert_eq!(Reply::one_param(visit.arrived(), "state"), request.param("state"));
    assert!(!has_session(&browser, &world));
    assert!(answer(&mut browser, &page, WHY).await.page().status.is_client_error());
}

/// Once for a session, unless the tenant wants it every time; silent requests are told that the person is needed. AZ-12.
#[tokio::test]
async fn a_session_passes_once_or_every_time() {
    for (when, again) in [("once_per_session", false), ("every_sign_in", true)] {
        let mut checkpoint = own_words();
        checkpoint["when"] = json!(when);
        let world = guarded(&checkpoint).await;
        let mut browser = Browser::new();
        let page = asked(&world, &mut browser, &world.authorization()).await;
        assert!(has_code(&answer(&mut browser, &page, WHY).await), "{when}");
        let app = register(&world.broker, "client_secret_post", &json!([world.tenant])).await;
        let request = world.authorization_of(&app, &world.tenant);
        let silent = browser.visit(&request.clone().with("prompt", "none").url(&world.broker)).await;
        let mut visit = browser.visit(&request.url(&world.broker)).await;
        if again {
            assert_eq!(Reply::one_param(silent.arrived(), "error"), "interaction_required");
            assert_eq!(visit.hops.len(), 2, "without the provider");
            visit = answer(&mut browser, &visit, "Something else entirely.").await;
        } else {
            assert!(has_code(&silent));
        }
        let code = Reply::one_param(visit.arrived(), "code");
        let tokens = world.token(&app, &code_grant(&code, &request.verifier)).await.json();
        assert_eq!(world.userinfo(&tokens).await.status, 200);
    }
}

/// The relay's code comes after the answer as well.
#[tokio::test]
async fn the_relay_waits_too() {
    let world = guarded(&own_words()).await;
    let (plane, mut browser) = (ControlPlane::new(&world).await, Browser::new());
    let page = plane.sign_in(&world, &mut browser).await;
    assert!(page.page().url.path().ends_with("/oauth2/checkpoint"), "{}", page.page().url);
    let visit = answer(&mut browser, &page, WHY).await;
    assert_eq!(Reply::one_param(visit.arrived(), "userState"), "Authenticated");
    let reply = plane.send(&mut browser, &plane.redeem(&world.tenant, visit.arrived())).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
}

/// Whoever is deactivated while they write is refused. CK-5.
#[tokio::test]
async fn a_deactivated_person_is_not_let_through() {
    let world = guarded(&own_words()).await;
    let (mut first, request) = (Browser::new(), world.authorization());
    let page = asked(&world, &mut first, &request).await;
    let visit = answer(&mut first, &page, WHY).await;
    let tokens = world.redeem(&request, &Reply::one_param(visit.arrived(), "code")).await.json();
    let claims = vestibule_testkit::relying_party::payload(&member(&tokens, "id_token")).expect("claims");
    let mut browser = Browser::new();
    let page = asked(&world, &mut browser, &world.authorization()).await;
    world.set_active(claims["sub"].as_str().expect("a subject"), false).await;
    let visit = answer(&mut browser, &page, WHY).await;
    assert!(visit.page().status.is_client_error() && !has_session(&browser, &world));
}

/// What cannot be right is refused when it is set. AZ-13.
#[tokio::test]
async fn settings_that_cannot_be_right_are_refused() {
    let world = World::new().await;
    for wrong in [
        json!({}),
        json!({ "when": "never", "justification": {} }),
        json!({ "justification": { "prompt": "" } }),
        json!({ "justification": { "prompt": "a\nb" } }),
        json!({ "justification": { "prompt": "x".repeat(301) } }),
        json!({ "justification": { "min_length": 0 } }),
        json!({ "justification": { "min_length": 20, "max_length": 19 } }),
        json!({ "justification": { "max_length": 1001 } }),
        json!({ "justification": { "min_length": -1 } }),
        json!({ "justification": { "reasons": ["a", "a"] } }),
        json!({ "justification": { "reasons": [" a"] } }),
        json!({ "justification": { "reasons": vec!["x"; 21] } }),
        json!({ "justification": { "reason": ["a"] } }),
    ] {
        let body = json!({ "name": "A tenant", "checkpoint": wrong });
        let reply = world.broker.admin(Method::PUT, &format!("/tenants/{}", world.tenant), Some(&body)).await;
        assert_eq!(reply.status, 400, "{wrong}: {}", reply.body);
    }
    set(&world, &own_words()).await;
    let shown = world.broker.admin(Method::GET, &format!("/tenants/{}", world.tenant), None).await.json();
    assert_eq!(shown["checkpoint"]["justification"]["min_length"], 10);
}
