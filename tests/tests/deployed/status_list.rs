//! The token status list and forward authentication, from outside.

use http::Method;
use serde_json::json;
use vestibule_testkit::relying_party::payload;
use vestibule_tests::status_list::{Unpacked, reference};
use vestibule_tests::world::{ALICE, member, register};
use vestibule_tests::{Reply, World};

/// Each sign-in has a place of its own in a list that is there for everybody, and a revocation marks that place alone. A
/// process shows a list for fifteen seconds, so this one is asked for when both are made and one is revoked. TK-9, ED-7.
#[tokio::test]
async fn a_revocation_is_in_the_list() {
    let world = World::new().await;
    let (gone, stays) = (world.tokens().await, world.tokens().await);
    let at = |tokens| reference(&json!(payload(&member(tokens, "access_token")).expect("claims")));
    let ((place, uri), (other, same_uri)) = (at(&gone), at(&stays));
    assert_ne!(place, other);
    assert_eq!(uri, same_uri, "one person's sessions are in one partition");
    let path = uri.strip_prefix(&world.broker.url).expect("the broker's own address");
    let refreshed = world.refresh(&member(&gone, "refresh_token")).await.json();
    assert_eq!(at(&refreshed), (place, uri.clone()), "the family keeps its place");
    world.post(&world.app, "/oauth2/revoke", &[("token", &member(&refreshed, "access_token"))]).await;
    let reply = world.broker.get(path).await;
    assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, Some("application/statuslist+jwt")));
    let list = Unpacked::of(&reply.body);
    assert_eq!((&list.claims["sub"], &list.claims["iss"]), (&json!(uri), &json!(world.broker.url)));
    assert_eq!(list.header["typ"], "statuslist+jwt");
    assert_eq!((list.is_revoked(place), list.is_revoked(other), list.revoked()), (true, false, 1));
    let cache = reply.header("cache-control").expect("a life");
    let seconds = cache.strip_prefix("public, max-age=").and_then(|seconds| seconds.parse::<u32>().ok());
    assert!(seconds.is_some_and(|seconds| seconds <= 60), "{cache}");
    for wrong in ["nobody.0", &format!("{}.9", world.tenant), &format!("{}.00", world.tenant), "x"] {
        assert_eq!(world.broker.get(&format!("/oauth2/status/{wrong}")).await.status, 404, "{wrong}");
    }
    let misused = world.broker.request(Method::GET, "/oauth2/userinfo").bearer_auth(&reply.body);
    assert_eq!(Reply::of(misused).await.status, 401, "a list is no token");
}

/// A proxy is told who it is, for this application's tokens only; whoever was revoked does not pass. ED-7.
#[tokio::test]
async fn a_proxy_asks() {
    let world = World::new().await;
    let other = register(&world.broker, "none", &json!([world.tenant])).await;
    let (tokens, revoked) = (world.tokens().await, world.tokens().await);
    let ask = async |method: Method, client: &str, token: Option<&str>| {
        let request = world.broker.request(method, &format!("/oauth2/verify?client_id={client}"));
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        Reply::of(request).await
    };
    let access = member(&tokens, "access_token");
    let subject = payload(&access).and_then(|claims| claims.get("sub").cloned());
    for method in [Method::GET, Method::POST, Method::DELETE] {
        let reply = ask(method, &world.app.id, Some(&access)).await;
        assert_eq!((reply.status.as_u16(), reply.body.as_str()), (200, ""));
        assert_eq!(reply.header("x-auth-request-user").map(|user| json!(user)), subject);
        assert_eq!(reply.header("x-auth-request-tenant"), Some(world.tenant.as_str()));
        assert_eq!(reply.header("x-auth-request-email"), Some(ALICE));
    }
    world.post(&world.app, "/oauth2/revoke", &[("token", &member(&revoked, "access_token"))]).await;
    for (what, client, token) in [
        ("no token", &world.app.id, None),
        ("another application's question", &other.id, Some(access.clone())),
        ("an ID token", &world.app.id, Some(member(&tokens, "id_token"))),
        ("a refresh token", &world.app.id, Some(member(&tokens, "refresh_token"))),
        ("a revoked token", &world.app.id, Some(member(&revoked, "access_token"))),
    ] {
        let reply = ask(Method::GET, client, token.as_deref()).await;
        assert_eq!(reply.status, 401, "{what}");
        assert!(reply.header("www-authenticate").is_some_and(|asked| asked.starts_with("Bearer")), "{what}");
        assert!(reply.headers.keys().all(|name| !name.as_str().starts_with("x-auth")), "{what}");
    }
    assert_eq!(world.broker.get("/oauth2/verify").await.status, 400);
    assert_eq!(ask(Method::GET, "nobody", Some(&access)).await.status, 400);
}
