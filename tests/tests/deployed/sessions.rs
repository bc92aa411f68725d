//! Sessions as an administrator sees and ends them.

use http::Method;
use serde_json::{Value, json};
use vestibule_tests::world::member;
use vestibule_tests::{Browser, World};

async fn listed(world: &World) -> Vec<Value> {
    let page = world.broker.admin(Method::GET, &format!("/tenants/{}/sessions", world.tenant), None).await.json();
    page["items"].as_array().expect("items").clone()
}

/// CK-5: one session is ended, then all of the tenant, by whoever may; another tenant's stay.
#[tokio::test]
async fn an_administrator_ends_sessions() {
    let (world, other) = (World::new().await, World::new().await);
    let mut browser = Browser::new();
    let (first, second) = (world.tokens_in(&mut browser).await, world.tokens().await);
    let others = other.tokens().await;
    let sessions = listed(&world).await;
    assert_eq!(sessions.len(), 2);
    assert_eq!(sessions[0]["connection"], "corp");
    let path = format!("/tenants/{}/users/{}/sessions/", world.tenant, sessions[0]["user"].as_str().expect("a user"));
    let one = format!("{path}{}", sessions[0]["id"].as_str().expect("an id"));
    let all = format!("/tenants/{}/end-sessions", world.tenant);
    let (_, reader) = world.broker.token(&[&format!("tenant:{}:read", world.tenant)]).await;
    let (_, stranger) = world.broker.token(&[&format!("tenant:{}", other.tenant)]).await;
    for (method, path) in [(Method::DELETE, &one), (Method::POST, &all)] {
        assert_eq!(reader.admin(method.clone(), path, None).await.status, 403);
        assert_eq!(stranger.admin(method, path, None).await.status, 404);
    }
    assert_eq!(world.broker.admin_if(("if-match", "\"other\""), Method::DELETE, &one, None).await.status, 412);
    assert_eq!(listed(&world).await.len(), 2);

    let preview = path.replace("/sessions/", "/decommission/preview");
    assert_eq!(stranger.admin(Method::GET, &preview, None).await.status, 404);
    let preview = reader.admin(Method::GET, &preview, None).await;
    assert_eq!((preview.status.as_u16(), &preview.json()["session_count"]), (200, &json!(2)), "a look is no change");
    assert_eq!(listed(&world).await.len(), 2);

    assert_eq!(world.broker.admin(Method::DELETE, &one, None).await.status, 204);
    assert_eq!(listed(&world).await.len(), 1);
    let reply = world.broker.admin(Method::POST, &all, None).await;
    assert_eq!((reply.status.as_u16(), reply.json()), (200, json!({"finished": true})));
    assert!(listed(&world).await.is_empty());
    for tokens in [&first, &second] {
        assert_eq!(world.refresh(&member(tokens, "refresh_token")).await.status, 400);
        assert_eq!(world.userinfo(tokens).await.status, 401);
    }
    assert_eq!(other.refresh(&member(&others, "refresh_token")).await.status, 200);
    world.tokens_in(&mut browser).await;
    assert_eq!(listed(&world).await.len(), 1, "they may come back");
}
