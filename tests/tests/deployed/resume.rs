//! One sign-in for several applications: what the broker's session does, and what it must not.

use serde_json::json;
use vestibule_testkit::relying_party::payload;
use vestibule_tests::world::{ALICE, Application, BOB, connect, member, query_of, register, start_idp};
use vestibule_tests::{Browser, Reply, World};

/// A browser in which alice has signed in to the world's application, and what that application got.
async fn signed_in(world: &World) -> (Browser, serde_json::Value) {
    let mut browser = Browser::new();
    let tokens = world.tokens_in(&mut browser).await;
    (browser, tokens)
}

async fn second_app(world: &World) -> Application {
    register(&world.broker, "client_secret_post", &json!([world.tenant])).await
}

fn claim(tokens: &serde_json::Value, name: &str) -> serde_json::Value {
    payload(&member(tokens, "id_token")).and_then(|mut claims| claims.remove(name)).unwrap_or_default()
}

/// The second application signs in without the provider: a code at once, for the same person, session and login, but
/// a grant of its own. CK-6.
#[tokio::test]
async fn a_second_application_needs_no_second_login() {
    let world = World::new().await;
    let (mut browser, first) = signed_in(&world).await;
    let app = second_app(&world).await;
    for prompt in [None, Some("none")] {
        let request = world.authorization_of(&app, &world.tenant);
        let request = prompt.map_or(request.clone(), |prompt| request.with("prompt", prompt));
        let reply = browser.get(&request.url(&world.broker)).await;
        assert_eq!(reply.status, 303, "{}", reply.body);
        assert!(reply.set_cookies().is_empty(), "{:?}", reply.set_cookies());
        let there = reply.location().expect("a redirect");
        assert_eq!(Reply::one_param(&there, "state"), request.param("state"));
        assert_eq!(Reply::one_param(&there, "iss"), world.broker.url);
        let code = Reply::one_param(&there, "code");
        let grant = vestibule_tests::world::code_grant(&code, &request.verifier);
        let tokens = world.token(&app, &grant).await.json();
        for same in ["sub", "sid", "auth_time", "email"] {
            assert_eq!(claim(&tokens, same), claim(&first, same), "{same}");
        }
        assert_eq!(claim(&tokens, "nonce"), request.param("nonce"));
        assert_eq!(claim(&tokens, "aud"), app.id.as_str());
        assert_eq!(world.token(&app, &grant).await.status, 400, "a code works once");
    }
    assert_eq!(world.refresh(&member(&first, "refresh_token")).await.status, 200, "one grant's end is no other's");
}

/// Without a session nothing is shown: the application is told to ask. AZ-12.
#[tokio::test]
async fn prompt_none_never_shows_anything() {
    let world = World::new().await;
    let request = world.authorization().with("prompt", "none");
    let visit = Browser::new().visit(&request.url(&world.broker)).await;
    assert_eq!(visit.hops.len(), 1, "straight back");
    assert_eq!(Reply::one_param(visit.arrived(), "error"), "login_required");
    assert_eq!(Reply::one_param(visit.arrived(), "state"), request.param("state"));
    assert_eq!(Reply::one_param(visit.arrived(), "iss"), world.broker.url);
    let (mut browser, tokens) = signed_in(&world).await;
    let hint = member(&tokens, "id_token");
    browser.visit(&world.broker.at(&format!("/oauth2/logout?id_token_hint={hint}"))).await;
    let visit = browser.visit(&request.url(&world.broker)).await;
    assert_eq!(Reply::one_param(visit.arrived(), "error"), "login_required", "signed out is signed out");
}

/// Combinations and values that the specification forbids are refused, never read as something else. AZ-12.
#[tokio::test]
async fn contradictory_requests_are_refused() {
    let world = World::new().await;
    let (mut browser, _) = signed_in(&world).await;
    for (name, value) in [
        ("prompt", "none login"),
        ("prompt", "login none"),
        ("prompt", "none consent"),
        ("prompt", "create"),
        ("prompt", "NONE"),
        ("prompt", "login  consent"),
        ("max_age", "-1"),
        ("max_age", "soon"),
        ("max_age", "1e3"),
        ("id_token_hint", "x.y.z"),
    ] {
        let request = world.authorization().with(name, value);
        let there = browser.get(&request.url(&world.broker)).await.location().expect("a redirect");
        assert_eq!(Reply::one_param(&there, "error"), "invalid_request", "{name}={value}: {there}");
        assert!(query_of(&there).iter().all(|(name, _)| name != "code"));
    }
    for name in ["prompt", "max_age"] {
        let request = world.authorization().with(name, "0").and(name, "0");
        let there = browser.get(&request.url(&world.broker)).await.location().expect("a redirect");
        assert_eq!(Reply::one_param(&there, "error"), "invalid_request", "{name} twice");
    }
}

/// `prompt=login` asks the person again, at the provider, and what comes of it is a new session. AZ-12, CK-3.
#[tokio::test]
async fn prompt_login_asks_again() {
    let world = World::new().await;
    let (mut browser, first) = signed_in(&world).await;
    for prompt in ["login", "select_account", "login consent"] {
        let request = world.authorization().with("prompt", prompt);
        let there = browser.get(&request.url(&world.broker)).await.location().expect("a redirect");
        assert!(there.as_str().starts_with(world.idp.issuer()), "{there}");
        assert_eq!(Reply::one_param(&there, "prompt"), prompt);
    }
    let request = world.authorization().with("prompt", "login");
    let visit = world.follow(&mut browser, &request, ALICE).await;
    let second = world.redeem(&request, &Reply::one_param(visit.arrived(), "code")).await.json();
    assert_eq!(claim(&second, "sub"), claim(&first, "sub"));
    assert_ne!(claim(&second, "sid"), claim(&first, "sid"));
}

/// Whoever is named in the request is signed in, or nobody. AZ-12.
#[tokio::test]
async fn a_session_is_its_persons_only() {
    let world = World::new().await;
    let (mut browser, alice) = signed_in(&world).await;
    let bob = {
        let request = world.authorization();
        let visit = world.follow(&mut Browser::new(), &request, BOB).await;
        world.redeem(&request, &Reply::one_param(visit.arrived(), "code")).await.json()
    };
    let silently = |name: &str, value: &str| world.authorization().with("prompt", "none").with(name, value);
    for (request, signs_in) in [
        (silently("login_hint", ALICE), true),
        (silently("login_hint", BOB), false),
        (silently("id_token_hint", &member(&alice, "id_token")), true),
        (silently("id_token_hint", &member(&bob, "id_token")), false),
    ] {
        let there = browser.get(&request.url(&world.broker)).await.location().expect("a redirect");
        if signs_in {
            assert!(!Reply::one_param(&there, "code").is_empty());
        } else {
            assert_eq!(Reply::one_param(&there, "error"), "login_required");
        }
    }
    // And when the person has to be asked, another one will not do either.
    let request = world.authorization().with("prompt", "login").with("id_token_hint", &member(&bob, "id_token"));
    let visit = world.follow(&mut browser, &request, ALICE).await;
    assert_eq!(Reply::one_param(visit.arrived(), "error"), "login_required");
    let forged = member(&alice, "id_token").replace('.', ".x");
    let request = world.authorization().with("id_token_hint", &forged);
    let there = browser.get(&request.url(&world.broker)).await.location().expect("a redirect");
    assert_eq!(Reply::one_param(&there, "error"), "invalid_request");
}

/// A session is of one tenant and one connection; it opens no other. CK-10.
#[tokio::test]
async fn a_session_is_its_tenants_only() {
    let (world, other) = tokio::join!(World::new(), World::new());
    let (mut browser, _) = signed_in(&world).await;
    let there = browser.get(&other.authorization().url(&world.broker)).await.location().expect("a redirect");
    assert!(there.as_str().starts_with(other.idp.issuer()), "{there}");
    let silent = other.authorization().with("prompt", "none");
    let there = browser.get(&silent.url(&world.broker)).await.location().expect("a redirect");
    assert_eq!(Reply::one_param(&there, "error"), "login_required");
    // A connection beside the session's.
    let elsewhere = start_idp(&world.broker).await;
    let connection = vestibule_tests::world::connection(elsewhere.issuer(), &json!({}));
    world.broker.put(&format!("/tenants/{}/connections/second", world.tenant), connection).await;
    let request = world.authorization().with("connection", "second");
    let there = browser.get(&request.url(&world.broker)).await.location().expect("a redirect");
    assert!(there.as_str().starts_with(elsewhere.issuer()), "{there}");
    let request = world.authorization().with("connection", "corp").with("prompt", "none");
    let there = browser.get(&request.url(&world.broker)).await.location().expect("a redirect");
    assert!(query_of(&there).iter().any(|(name, _)| name == "code"), "{there}");
    connect(&world.broker, &world.tenant, world.idp.issuer()).await;
}

/// A cookie that is not the session's signs nobody in, and breaks nothing. CK-10.
#[tokio::test]
async fn changed_session_cookies_sign_nobody_in() {
    let (world, other) = tokio::join!(World::new(), World::new());
    let (mut browser, tokens) = signed_in(&world).await;
    let (mut foreign, _) = signed_in(&other).await;
    let value = |browser: &mut Browser| {
        let cookie = browser.jar().iter().find(|cookie| cookie.name == "__Host-session");
        cookie.expect("a session cookie").value.clone()
    };
    let good = value(&mut browser);
    let (locator, _) = good.split_once('.').expect("a handle");
    let strange = value(&mut foreign);
    let (_, secret) = strange.split_once('.').expect("a handle");
    let flipped: String = good.chars().rev().collect();
    let half: String = good.chars().take(good.len() / 2).collect();
    let swapped = format!("{locator}.{secret}");
    let other_kind = member(&tokens, "refresh_token");
    for wrong in ["", "x", ".", locator, &swapped, &half, &flipped, &other_kind, &strange, &"z".repeat(3000)] {
        for cookie in browser.jar().iter_mut().filter(|cookie| cookie.name == "__Host-session") {
            wrong.clone_into(&mut cookie.value);
        }
        let request = world.authorization().with("prompt", "none");
        let there = browser.get(&request.url(&world.broker)).await.location().expect("a redirect");
        assert_eq!(Reply::one_param(&there, "error"), "login_required", "{wrong}");
    }
}
