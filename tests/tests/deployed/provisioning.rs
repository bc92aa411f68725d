//! The roads by which people come, from outside; people who are removed.

use http::Method;
use serde_json::{Value, json};
use vestibule_testkit::relying_party::payload;
use vestibule_tests::world::{ALICE, BOB, member};
use vestibule_tests::{Browser, Reply, World};

async fn set_mode(world: &World, mode: &str) {
    let tenant = json!({ "name": "A tenant", "provisioning": { "mode": mode } });
    world.broker.put(&format!("/tenants/{}", world.tenant), tenant).await;
}

/// The page on which the sign-in of somebody ends.
async fn turned_away(world: &World, username: &str) -> Reply {
    let visit = world.follow(&mut Browser::new(), &world.authorization(), username).await;
    visit.page().assert_error_page();
    assert_eq!(visit.page().status, 403, "{}", visit.page().body);
    visit.page().clone()
}

async fn people(world: &World) -> Vec<Value> {
    let list = world.broker.admin(Method::GET, &format!("/tenants/{}/users", world.tenant), None).await.json();
    list["items"].as_array().expect("a list").clone()
}

/// RP-11: known people stay, unknown ones are told what to do, inactive ones nothing.
#[tokio::test]
async fn a_closed_road_lets_in_who_was_there_before() {
    let world = World::new().await;
    world.tokens().await;
    let alice = people(&world).await[0]["id"].as_str().expect("an id").to_owned();
    for (mode, words) in [("scim", "up to 40 minutes"), ("invite_only", "You need an invitation")] {
        set_mode(&world, mode).await;
        world.tokens().await;
        let page = turned_away(&world, BOB).await;
        assert!(page.body.contains(words) && !page.body.contains(BOB), "{mode}: {}", page.body);
        world.set_active(&alice, false).await;
        let page = turned_away(&world, ALICE).await;
        assert!(page.body.contains("You cannot sign in here"), "{mode}: {}", page.body);
        world.set_active(&alice, true).await;
        assert_eq!(people(&world).await.len(), 1, "{mode}");
    }
    set_mode(&world, "just_in_time").await;
    let visit = world.follow(&mut Browser::new(), &world.authorization(), BOB).await;
    assert!(!Reply::one_param(visit.arrived(), "code").is_empty());
}

/// CK-5: removing ends all sessions before the answer, and the same identity is somebody new.
#[tokio::test]
async fn removing_a_person_ends_everything() {
    let world = World::new().await;
    let mut browser = Browser::new();
    let tokens = world.tokens_in(&mut browser).await;
    let elsewhere = world.tokens().await;
    let alice = people(&world).await[0]["id"].as_str().expect("an id").to_owned();
    let path = format!("/tenants/{}/users/{alice}", world.tenant);
    assert_eq!(world.broker.admin(Method::DELETE, &path, None).await.status, 204);
    for tokens in [&tokens, &elsewhere] {
        assert_eq!(world.refresh(&member(tokens, "refresh_token")).await.status, 400);
        assert_eq!(world.userinfo(tokens).await.status, 401);
    }
    let silent = world.follow(&mut browser, &world.authorization().with("prompt", "none"), ALICE).await;
    assert_eq!(Reply::one_param(silent.arrived(), "error"), "login_required");
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(world.broker.admin(method, &path, None).await.status, 404);
    }
    world.tokens().await;
    assert_ne!(people(&world).await[0]["id"], json!(alice));
}

/// CK-5: an administrator ends all sessions of one person, who may come back; nobody else's.
#[tokio::test]
async fn an_administrator_ends_the_sessions_of_one_person() {
    let world = World::new().await;
    let mut browser = Browser::new();
    let (here, elsewhere) = (world.tokens_in(&mut browser).await, world.tokens().await);
    let mut bobs = Browser::new();
    let request = world.authorization();
    let code = Reply::one_param(world.follow(&mut bobs, &request, BOB).await.arrived(), "code");
    let bob = world.redeem(&request, &code).await.json();
    let claims = payload(&member(&here, "id_token")).expect("claims");
    let alice = claims["sub"].as_str().expect("a subject");
    let path = format!("/tenants/{}/users/{alice}/end-sessions", world.tenant);
    let (_, reader) = world.broker.token(&[&format!("tenant:{}:read", world.tenant)]).await;
    assert_eq!(reader.admin(Method::POST, &path, None).await.status, 403);
    assert_eq!(world.broker.admin_if(("if-match", "\"other\""), Method::POST, &path, None).await.status, 412);
    assert_eq!(world.broker.admin(Method::POST, &path, None).await.status, 200);
    for tokens in [&here, &elsewhere] {
        assert_eq!(world.refresh(&member(tokens, "refresh_token")).await.status, 400);
        assert_eq!(world.userinfo(tokens).await.status, 401);
    }
    let silent = world.follow(&mut browser, &world.authorization().with("prompt", "none"), ALICE).await;
    assert_eq!(Reply::one_param(silent.arrived(), "error"), "login_required");
    assert_eq!(world.refresh(&member(&bob, "refresh_token")).await.status, 200);
    world.tokens_in(&mut browser).await;
    assert_eq!(people(&world).await.len(), 2);
    let nobody = format!("/tenants/{}/users/nobody/end-sessions", world.tenant);
    assert_eq!(world.broker.admin(Method::POST, &nobody, None).await.status, 404);
}

/// What a mode would change is told to whoever may look, and nothing is changed by asking.
#[tokio::test]
async fn a_preview_is_for_looking() {
    let world = World::new().await;
    world.tokens().await;
    let path = format!("/tenants/{}/provisioning/preview", world.tenant);
    let (_, reader) = world.broker.token(&[&format!("tenant:{}:read", world.tenant)]).await;
    let preview = reader.admin(Method::POST, &path, Some(&json!({ "mode": "scim" }))).await;
    assert_eq!(preview.status, 200, "{}", preview.body);
    let preview = preview.json();
    assert_eq!(preview["people"]["login"], json!({ "active": 1, "inactive": 0 }));
    assert!(preview["effects"][0].as_str().is_some_and(|text| text.contains("corp") && text.contains("refused")));
    let (_, other) = world.broker.token(&["tenant:another"]).await;
    assert_eq!(other.admin(Method::POST, &path, Some(&json!({ "mode": "scim" }))).await.status, 404);
    for wrong in [json!({}), json!({ "mode": "any" }), json!({ "mode": "scim", "now": true })] {
        assert_eq!(world.broker.admin(Method::POST, &path, Some(&wrong)).await.status, 400, "{wrong}");
    }
    let tenant = world.broker.admin(Method::GET, &format!("/tenants/{}", world.tenant), None).await.json();
    assert_ne!(tenant["provisioning"]["mode"], "scim");
}
