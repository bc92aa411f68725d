//! Revocation (RFC 7009) and introspection (RFC 7662, RFC 9701).

use http::Method;
use serde_json::{Value, json};
use vestibule_testkit::relying_party::payload;
use vestibule_tests::world::{Application, member, register};
use vestibule_tests::{Reply, World};

async fn introspect(world: &World, app: &Application, token: &str) -> Reply {
    world.post(app, "/oauth2/introspect", &[("token", token)]).await
}

async fn revoke(world: &World, app: &Application, token: &str) -> Reply {
    world.post(app, "/oauth2/revoke", &[("token", token)]).await
}

fn assert_inactive(reply: &Reply, what: &str) {
    assert_eq!((reply.status.as_u16(), reply.json()), (200, json!({ "active": false })), "{what}");
    assert!(reply.header("cache-control").unwrap_or_default().contains("no-store"), "{what}");
}

/// A revoked refresh token takes the family and its access tokens along; so does a revoked access token. TK-9.
#[tokio::test]
async fn a_revoked_token_takes_its_family_along() {
    let world = World::new().await;
    for kind in ["refresh_token", "access_token"] {
        let (tokens, other) = (world.tokens().await, world.tokens().await);
        assert_eq!(introspect(&world, &world.app, &member(&tokens, "access_token")).await.json()["active"], true);
        let hinted = [("token", member(&tokens, kind)), ("token_type_hint", "whatever".to_owned())];
        let hinted = hinted.each_ref().map(|(name, value)| (*name, value.as_str()));
        let reply = world.post(&world.app, "/oauth2/revoke", &hinted).await;
        assert_eq!((reply.status.as_u16(), reply.body.as_str()), (200, ""), "{kind}");
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"), "public clients live in browsers");
        for gone in ["refresh_token", "access_token"] {
            assert_inactive(&introspect(&world, &world.app, &member(&tokens, gone)).await, gone);
        }
        assert_eq!(world.refresh(&member(&tokens, "refresh_token")).await.text("error"), "invalid_grant");
        assert_eq!(world.userinfo(&tokens).await.status, 401);
        assert_eq!(revoke(&world, &world.app, &member(&tokens, kind)).await.status, 200, "again");
        assert_eq!(world.refresh(&member(&other, "refresh_token")).await.status, 200, "another sign-in");
    }
}

/// What is no token is answered like one, and another client's is left alone. TK-9.
#[tokio::test]
async fn another_clients_token_is_left_alone() {
    let world = World::new().await;
    let tokens = world.tokens().await;
    let confidential = register(&world.broker, "client_secret_post", &json!([world.tenant])).await;
    let public = register(&world.broker, "none", &Value::Null).await;
    for thief in [&confidential, &public] {
        for kind in ["refresh_token", "access_token", "id_token"] {
            assert_eq!(revoke(&world, thief, &member(&tokens, kind)).await.status, 200, "{kind}");
        }
    }
    for nothing in ["x", "a.b.c", "vst_r_AAAA.AAAA", &member(&tokens, "id_token"), &"z".repeat(5000)] {
        assert_eq!(revoke(&world, &world.app, nothing).await.status, 200, "{nothing}");
    }
    assert_eq!(introspect(&world, &world.app, &member(&tokens, "access_token")).await.json()["active"], true);
    assert_eq!(world.refresh(&member(&tokens, "refresh_token")).await.status, 200);
}

/// Both endpoints want the client's own authentication, and introspection one that proves something. TK-9, TK-10, TK-2.
#[tokio::test]
async fn nobody_asks_without_authentication() {
    let world = World::new().await;
    let tokens = world.tokens().await;
    let token = member(&tokens, "access_token");
    let secret = world.app.secret.clone();
    let wrong =
        |auth, secret: Option<&str>| Application { id: world.app.id.clone(), secret: secret.map(str::to_owned), auth };
    for path in ["/oauth2/revoke", "/oauth2/introspect"] {
        for app in [
            wrong("client_secret_basic", Some("wrong")),
            wrong("client_secret_post", secret.as_deref()),
            wrong("none", None),
        ] {
            let reply = world.post(&app, path, &[("token", &token)]).await;
            assert_eq!((reply.status.as_u16(), reply.text("error")), (401, "invalid_client".to_owned()), "{path}");
        }
        let nobody = world.broker.request(Method::POST, path).form(&[("token", &token)]);
        assert_eq!(Reply::of(nobody).await.status, 401, "{path}");
        for form in [vec![], vec![("token", "")], vec![("token", "a"), ("token", "b")]] {
            let reply = world.post(&world.app, path, &form).await;
            assert_eq!((reply.status.as_u16(), reply.text("error")), (400, "invalid_request".to_owned()), "{form:?}");
        }
        let get = Reply::of(world.broker.request(Method::GET, &format!("{path}?token=x"))).await;
        assert_eq!(get.status, 405, "{path}");
        let json = world.broker.request(Method::POST, path).header("content-type", "application/json").body("{}");
        assert_eq!(Reply::of(json).await.status, 400, "{path}");
    }
    let public = register(&world.broker, "none", &Value::Null).await;
    let reply = introspect(&world, &public, &token).await;
    assert_eq!((reply.status.as_u16(), reply.text("error")), (401, "invalid_client".to_owned()));
    assert_eq!(introspect(&world, &world.app, &token).await.json()["active"], true, "nothing came of any of it");
}

/// A client learns of its own tokens, and of everything else that it is not active, in the same words. TK-10.
#[tokio::test]
async fn only_ones_own_tokens_are_told_of() {
    let world = World::new().await;
    let tokens = world.tokens().await;
    let access = member(&tokens, "access_token");
    let told = introspect(&world, &world.app, &access).await;
    assert_eq!(told.header("access-control-allow-origin"), None);
    let (told, claims) = (told.json(), payload(&access).expect("claims"));
    for same in ["iss", "sub", "aud", "client_id", "exp", "iat", "jti", "scope", "tenant", "sid"] {
        assert_eq!(told.get(same), claims.get(same), "{same}");
    }
    let other = register(&world.broker, "client_secret_basic", &json!([world.tenant])).await;
    for kind in ["access_token", "refresh_token"] {
        assert_inactive(&introspect(&world, &other, &member(&tokens, kind)).await, kind);
    }
    let forged = format!("{}AAAA", &access[..access.len() - 4]);
    for nothing in ["x", &forged, &member(&tokens, "id_token"), "vst_r_AAAA.AAAA"] {
        assert_inactive(&introspect(&world, &world.app, nothing).await, nothing);
    }
}

/// The answer as a signed token, for who asks for one. TK-10, RFC 9701.
#[tokio::test]
async fn an_answer_can_be_signed() {
    let world = World::new().await;
    let tokens = world.tokens().await;
    let kind = "application/token-introspection+jwt";
    for (token, active) in [(member(&tokens, "access_token"), true), ("x".to_owned(), false)] {
        let request = world.broker.request(Method::POST, "/oauth2/introspect").header("accept", kind);
        let request = request.basic_auth(&world.app.id, world.app.secret.clone());
        let reply = Reply::of(request.form(&[("token", &token)])).await;
        assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, Some(kind)), "{}", reply.body);
        let claims = payload(&reply.body).expect("claims");
        assert_eq!(claims.get("iss"), Some(&json!(world.broker.url)));
        assert_eq!(claims.get("aud"), Some(&json!(world.app.id)));
        assert_eq!(claims["token_introspection"]["active"], active);
        if !active {
            assert_eq!(claims["token_introspection"], json!({ "active": false }));
        }
        for not_there in ["sub", "exp"] {
            assert!(!claims.contains_key(not_there), "it must not pass for an access token: {not_there}");
        }
        let misused = world.broker.request(Method::GET, "/oauth2/userinfo").bearer_auth(&reply.body);
        assert_eq!(Reply::of(misused).await.status, 401);
    }
}

/// Whoever is signed out or switched off is inactive in the next answer. ED-7, CK-5.
#[tokio::test]
async fn what_ended_is_inactive_at_once() {
    let world = World::new().await;
    let (tokens, stays) = (world.tokens().await, world.tokens().await);
    let access = member(&tokens, "access_token");
    assert_eq!(introspect(&world, &world.app, &access).await.json()["active"], true);
    world.broker.get(&format!("/oauth2/logout?id_token_hint={}", member(&tokens, "id_token"))).await;
    assert_inactive(&introspect(&world, &world.app, &access).await, "signed out");
    let access = member(&stays, "access_token");
    let told = introspect(&world, &world.app, &access).await;
    assert_eq!(told.json()["active"], true);
    world.set_active(&told.text("sub"), false).await;
    assert_inactive(&introspect(&world, &world.app, &access).await, "switched off");
}
