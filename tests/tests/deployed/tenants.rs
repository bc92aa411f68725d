//! Tenants are walls: the same provider, the same subject and the same address on both sides are two people. AZ-7, RP-6.

use http::Method;
use serde_json::{Value, json};
use vestibule_testkit::relying_party::payload;
use vestibule_tests::platform::unique;
use vestibule_tests::world::{ALICE, Application, connect, member, register};
use vestibule_tests::{Browser, Reply, World};

async fn sign_in(world: &World, app: &Application, tenant: &str, browser: &mut Browser) -> Value {
    let request = world.authorization_of(app, tenant);
    let visit = world.follow(browser, &request, ALICE).await;
    let code = Reply::one_param(visit.arrived(), "code");
    let reply = world.token(app, &vestibule_tests::world::code_grant(&code, &request.verifier)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}

fn claim(tokens: &Value, name: &str) -> String {
    let claims = payload(&member(tokens, "id_token")).expect("claims");
    claims.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// One provider that serves two tenants, one application that serves both. What happens in one does not reach the other.
#[tokio::test]
async fn one_subject_in_two_tenants_is_two_people() {
    let world = World::new().await;
    let second = unique("t");
    world.broker.put(&format!("/tenants/{second}"), json!({ "name": "The other tenant" })).await;
    connect(&world.broker, &second, world.idp.issuer()).await;
    let app = register(&world.broker, "client_secret_post", &Value::Null).await;
    // One browser, which the provider knows after the first login.
    let mut browser = Browser::new();
    let here = sign_in(&world, &app, &world.tenant, &mut browser).await;
    let there = sign_in(&world, &app, &second, &mut browser).await;
    assert_eq!((claim(&here, "tenant"), claim(&there, "tenant")), (world.tenant.clone(), second.clone()));
    assert_eq!(claim(&here, "email"), claim(&there, "email"));
    let (local, remote) = (claim(&here, "sub"), claim(&there, "sub"));
    assert_ne!(local, remote);
    assert_ne!(claim(&here, "sid"), claim(&there, "sid"));
    for (tenant, user) in [(&second, &local), (&world.tenant, &remote)] {
        let reply = world.broker.admin(Method::GET, &format!("/tenants/{tenant}/users/{user}"), None).await;
        assert_eq!(reply.status, 404, "{}", reply.body);
    }
    world.set_active(&local, false).await;
    let refresh = async |tokens: &Value| {
        let token = member(tokens, "refresh_token");
        world.token(&app, &[("grant_type", "refresh_token"), ("refresh_token", &token)]).await.status.as_u16()
    };
    assert_eq!(refresh(&here).await, 400);
    assert_eq!(refresh(&there).await, 200);
}
