//! Test logins on a running broker: a browser goes to the provider and back, and sees claims.

use http::Method;
use serde_json::{Value, json};
use vestibule_tests::browser::Visit;
use vestibule_tests::world::{ALICE, PASSWORD, connection};
use vestibule_tests::{Browser, Reply, World};

/// A new test login of the world's connection: where it is read, and its link.
async fn make(world: &World) -> (String, String) {
    let at = format!("/tenants/{}/connections/corp", world.tenant);
    let made = world.broker.admin(Method::POST, &format!("{at}/test-login"), None).await;
    assert_eq!(made.status, 201, "{}", made.body);
    (format!("{at}/test-logins/{}", made.text("id")), made.text("url"))
}

async fn follow(browser: &mut Browser, link: &str) -> Visit {
    let visit = browser.visit(link).await;
    browser.submit(visit.last(), &[("username", ALICE), ("password", PASSWORD)]).await
}

async fn state(world: &World, at: &str) -> Reply {
    world.broker.admin(Method::GET, at, None).await
}

/// Through a disabled connection, whichever way the answer comes: claims on the page and for the administrator, no
/// session and no person.
#[tokio::test]
async fn a_connection_can_be_tried() {
    let world = World::new().await;
    let path = format!("/tenants/{}/connections/corp", world.tenant);
    for mode in ["query", "form_post"] {
        let members = json!({ "enabled": false, "response_mode": mode });
        world.broker.put(&path, connection(world.idp.issuer(), &members)).await;
        let (at, link) = make(&world).await;
        let mut browser = Browser::new();
        let visit = follow(&mut browser, &link).await;
        let visit = if mode == "form_post" { browser.submit(visit.last(), &[]).await } else { visit };
        let page = visit.page();
        assert_eq!(page.status, 200, "{mode}: {}", page.body);
        assert!(page.header("content-security-policy").is_some_and(|policy| policy.starts_with("default-src 'none'")));
        assert!(page.header("cache-control").is_some_and(|control| control.contains("no-store")));
        assert!(page.body.contains("ID token") && page.body.contains(ALICE), "{mode}: {}", page.body);
        assert!(browser.cookies(&world.broker.url).is_empty(), "{mode}: neither session nor test is left");
        let view = state(&world, &at).await.json();
        assert_eq!((&view["state"], &view["claims"]["userinfo"]["email"]), (&json!("done"), &json!(ALICE)), "{view}");
        assert_eq!(view["claims"]["id_token"].get("nonce"), None);
    }
    let users = world.broker.admin(Method::GET, &format!("/tenants/{}/users", world.tenant), None).await;
    assert_eq!(users.json()["items"], json!([]));
}

/// Of many who follow a link at once one goes on, in every process; whoever has another's answer sees nothing. RP-1, ED-1
#[tokio::test]
async fn a_link_works_once() {
    let world = World::new().await;
    let (at, link) = make(&world).await;
    let path = link.strip_prefix(&world.broker.url).expect("it is the broker's").to_owned();
    let starts = futures_util::future::join_all((0..10).map(|_| world.broker.get(&path))).await;
    assert_eq!(starts.iter().filter(|reply| reply.status == 303).count(), 1);
    assert_eq!(starts.iter().filter(|reply| reply.status == 400).count(), 9);

    let (other_at, link) = make(&world).await;
    let (mut one, mut two) = (Browser::new(), Browser::new());
    let at_provider = one.visit(&link).await;
    let stolen = two.submit(at_provider.last(), &[("username", ALICE), ("password", PASSWORD)]).await;
    assert_eq!(stolen.page().status, 400, "a callback belongs to one browser");
    assert!(!stolen.page().body.contains(ALICE), "{}", stolen.page().body);
    for at in [at, other_at] {
        assert_eq!(state(&world, &at).await.text("state"), "waiting");
    }
}

/// Who may make and read one: the tenant's administrators. Nothing is there for another's.
#[tokio::test]
async fn a_test_login_is_its_tenants() {
    let (world, other) = (World::new().await, World::new().await);
    let (at, _) = make(&world).await;
    let path = format!("/tenants/{}/connections/corp/test-login", world.tenant);
    for (scope, made, read) in [
        (format!("tenant:{}", world.tenant), 201, 200),
        (format!("tenant:{}:read", world.tenant), 403, 200),
        (format!("tenant:{}", other.tenant), 404, 404),
    ] {
        let (_, bearer) = world.broker.token(&[&scope]).await;
        assert_eq!(bearer.admin(Method::POST, &path, None).await.status, made, "{scope}");
        assert_eq!(bearer.admin(Method::GET, &at, None).await.status, read, "{scope}");
    }
    let elsewhere = at.replace(&world.tenant, &other.tenant);
    assert_eq!(world.broker.admin(Method::GET, &elsewhere, None).await.status, 404);
    let gone: Value = json!(null);
    assert_eq!(world.broker.admin(Method::POST, &path.replace("corp", "none"), Some(&gone)).await.status, 404);
}
