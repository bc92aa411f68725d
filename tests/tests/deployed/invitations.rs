//! Invitations from outside: a link, a button, a sign-in; and everybody for whom they are not.

use http::Method;
use serde_json::{Value, json};
use vestibule_tests::platform::unique;
use vestibule_tests::world::{ALICE, BOB};
use vestibule_tests::{Browser, Deployment, Reply, World};

/// A world whose tenant invites people.
async fn inviting() -> World {
    let world = World::new().await;
    let tenant = json!({ "name": "A tenant", "provisioning": { "mode": "invite_only" } });
    world.broker.put(&format!("/tenants/{}", world.tenant), tenant).await;
    world
}

fn all(world: &World) -> String {
    format!("/tenants/{}/invitations", world.tenant)
}

/// An invitation of alice's: its path and its link.
async fn invite(world: &World, broker: &Deployment) -> (String, String) {
    let reply = broker.admin(Method::POST, &all(world), Some(&json!({ "email": ALICE }))).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    (format!("{}/{}", all(world), reply.text("id")), reply.text("link"))
}

/// Opens a link and presses the button on its page.
async fn open(browser: &mut Browser, link: &str) {
    let visit = browser.visit(link).await;
    visit.page().assert_page();
    assert_eq!(visit.page().status, 200, "{}", visit.page().body);
    assert!(browser.cookies(link).is_empty(), "looking changes nothing");
    let opened = browser.submit(visit.page(), &[]).await;
    opened.page().assert_page();
    let cookies = browser.cookies(link);
    assert_eq!(cookies.iter().map(|cookie| cookie.name.as_str()).collect::<Vec<_>>(), ["__Host-invitation"]);
}

async fn come(world: &World, browser: &mut Browser, username: &str) -> Reply {
    let visit = world.follow(browser, &world.authorization(), username).await;
    if let Some(arrived) = &visit.left_to {
        assert!(!Reply::one_param(arrived, "code").is_empty());
    }
    visit.last().clone()
}

async fn state(world: &World, path: &str) -> Value {
    world.broker.admin(Method::GET, path, None).await.json()["state"].clone()
}

/// RP-6, AZ-11, CK-1
#[tokio::test]
async fn an_invited_person_comes_in_by_link_and_address() {
    let world = inviting().await;
    let (path, link) = invite(&world, &world.broker).await;
    let mut browser = Browser::new();
    open(&mut browser, &link).await;
    let refused = come(&world, &mut browser, BOB).await;
    refused.assert_error_page();
    assert_eq!((refused.status.as_u16(), state(&world, &path).await), (403, json!("pending")), "another address");
    let mut browser = Browser::new();
    let refused = come(&world, &mut browser, ALICE).await;
    refused.assert_error_page();
    assert_eq!((refused.status.as_u16(), state(&world, &path).await), (403, json!("pending")), "no link");
    open(&mut browser, &link).await;
    // The provider knows the browser by now.
    assert_eq!(come(&world, &mut browser, ALICE).await.status, 303);
    assert_eq!(state(&world, &path).await, "accepted");
    let used = Browser::new().visit(&link).await;
    used.page().assert_error_page();
    assert_eq!(used.page().status, 404);
}

/// AZ-13: what is no link is told so, in one way.
#[tokio::test]
async fn broken_links_are_the_callers_fault() {
    let world = inviting().await;
    let (_, link) = invite(&world, &world.broker).await;
    let at = world.broker.at("/oauth2/invitation");
    let (locator, secret) = link.split_once('.').expect("two parts");
    let words = async |link: &str| {
        let visit = Browser::new().visit(link).await;
        visit.page().assert_error_page();
        assert_eq!(visit.page().status, 404, "{link}");
        assert!(!visit.page().body.contains(secret));
    };
    for wrong in [
        at.clone(),
        format!("{at}?token=%00"),
        format!("{at}?token=vst_i_"),
        format!("{locator}.{}", "A".repeat(43)),
        format!("{}.{secret}", locator.to_lowercase()),
    ] {
        words(&wrong).await;
    }
    assert_eq!(Browser::new().visit(&format!("{link}&token=x")).await.page().status, 400);
    for (content_type, body, status) in [
        ("text/plain", "token=x".to_owned(), 400),
        ("application/x-www-form-urlencoded", "token=x".to_owned(), 404),
        ("application/x-www-form-urlencoded", format!("token={}", "x".repeat(70_000)), 400),
    ] {
        let request = world.broker.request(Method::POST, "/oauth2/invitation").header("content-type", content_type);
        assert_eq!(Reply::of(request.body(body)).await.status, status);
    }
}

/// ED-1: of ten browsers with one invitation, one wins.
#[tokio::test]
async fn ten_browsers_race_for_one_invitation() {
    let world = inviting().await;
    let (path, link) = invite(&world, &world.broker).await;
    let accounts = (0..10).map(|number| {
        let account =
            vestibule_testkit::Account::new(&format!("alice-{number}"), "correct horse", &unique("s"), "Alice");
        account.with_claim("email", json!(ALICE))
    });
    let accounts: Vec<_> = accounts.collect();
    let race = accounts.iter().map(|account| {
        world.idp.add_account(account.clone());
        async {
            let mut browser = Browser::new();
            open(&mut browser, &link).await;
            come(&world, &mut browser, &account.username).await.status.as_u16()
        }
    });
    let mut outcomes = futures_util::future::join_all(race).await;
    outcomes.sort_unstable();
    assert_eq!(outcomes, [[303].as_slice(), &[403; 9]].concat());
    assert_eq!(state(&world, &path).await, "accepted");
    let people = world.broker.admin(Method::GET, &format!("/tenants/{}/users", world.tenant), None).await.json();
    assert_eq!(people["items"].as_array().map(Vec::len), Some(1));
}

/// A tenant's own administrator invites; one who only looks does not, and nobody does for another tenant.
#[tokio::test]
async fn who_may_invite() {
    let world = inviting().await;
    let (_, own) = world.broker.token(&[&format!("tenant:{}", world.tenant)]).await;
    let (_, reader) = world.broker.token(&[&format!("tenant:{}:read", world.tenant)]).await;
    let (_, other) = world.broker.token(&["tenant:another"]).await;
    let (path, _) = invite(&world, &own).await;
    let body = json!({ "email": BOB });
    for (broker, reading, writing) in [(&reader, 200, 403), (&other, 404, 404)] {
        assert_eq!(broker.admin(Method::GET, &path, None).await.status, reading);
        assert_eq!(broker.admin(Method::POST, &all(&world), Some(&body)).await.status, writing);
        assert_eq!(broker.admin(Method::DELETE, &path, None).await.status, writing);
        assert_eq!(broker.admin(Method::POST, &format!("{path}/resend"), Some(&json!({}))).await.status, writing);
    }
    let reply = own.admin_if(("if-match", "\"other\""), Method::DELETE, &path, None).await;
    assert_eq!(reply.status, 412, "{}", reply.body);
    let shown = own.admin(Method::GET, &path, None).await;
    assert!(!shown.body.contains("vst_i_") && !shown.body.contains("secret"), "{}", shown.body);
    let tag = shown.header("etag").expect("a tag").to_owned();
    assert_eq!(own.admin_if(("if-match", &tag), Method::DELETE, &path, None).await.status, 204);
    assert_eq!(state(&world, &path).await, "revoked");
}
