//! Refresh tokens: each use replaces, replays end the family, and a person who is no longer active gets nothing.

use serde_json::json;
use vestibule_testkit::relying_party::payload;
use vestibule_tests::world::{member, register};
use vestibule_tests::{Reply, World};

fn assert_dead(reply: &Reply) {
    assert_eq!(reply.status, 400, "{}", reply.body);
    assert_eq!(reply.text("error"), "invalid_grant");
    assert!(reply.header("cache-control").unwrap_or_default().contains("no-store"));
}

/// Every use brings a new refresh token and new tokens about the same person and session. TK-6, TK-8.
#[tokio::test]
async fn each_use_replaces_the_token() {
    let world = World::new().await;
    let mut tokens = world.tokens().await;
    let first = payload(&member(&tokens, "access_token")).expect("claims");
    for _ in 0..3 {
        let reply = world.refresh(&member(&tokens, "refresh_token")).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        assert!(reply.header("cache-control").unwrap_or_default().contains("no-store"));
        let next = reply.json();
        assert_ne!(member(&next, "refresh_token"), member(&tokens, "refresh_token"));
        assert_ne!(member(&next, "access_token"), member(&tokens, "access_token"));
        let claims = payload(&member(&next, "access_token")).expect("claims");
        for same in ["sub", "sid", "client_id", "tenant", "iss", "aud"] {
            assert_eq!(claims.get(same), first.get(same), "{same}");
        }
        assert_ne!(claims.get("jti"), first.get("jti"));
        tokens = next;
    }
}

/// A token that was used, and whose child was used, has been stolen by somebody: the whole family ends. TK-6.
#[tokio::test]
async fn a_replay_ends_the_family() {
    let world = World::new().await;
    let first = member(&world.tokens().await, "refresh_token");
    let second = world.refresh(&first).await.text("refresh_token");
    let third = world.refresh(&second).await.text("refresh_token");
    assert_dead(&world.refresh(&first).await);
    assert_dead(&world.refresh(&third).await);
    assert_dead(&world.refresh(&second).await);
}

/// A family's end is no other family's: the same person stays signed in elsewhere. TK-6.
#[tokio::test]
async fn another_login_survives_a_replay() {
    let world = World::new().await;
    let elsewhere = member(&world.tokens().await, "refresh_token");
    let first = member(&world.tokens().await, "refresh_token");
    let second = world.refresh(&first).await.text("refresh_token");
    assert_eq!(world.refresh(&second).await.status, 200);
    assert_dead(&world.refresh(&first).await);
    assert_eq!(world.refresh(&elsewhere).await.status, 200);
}

/// An answer that got lost is given again, as long as nothing of it was used. TK-6.
#[tokio::test]
async fn a_lost_answer_is_given_again() {
    let world = World::new().await;
    let first = member(&world.tokens().await, "refresh_token");
    let lost = world.refresh(&first).await.text("refresh_token");
    let again = world.refresh(&first).await;
    assert_eq!(again.status, 200, "{}", again.body);
    let again = again.text("refresh_token");
    let next = world.refresh(&again).await;
    assert_eq!(next.status, 200, "{}", next.body);
    if lost != again {
        assert_dead(&world.refresh(&lost).await);
    }
}

/// A refresh token is its client's. TK-7.
#[tokio::test]
async fn another_client_cannot_use_it() {
    let world = World::new().await;
    let other = register(&world.broker, "client_secret_basic", &json!([world.tenant])).await;
    let token = member(&world.tokens().await, "refresh_token");
    let stolen = world.token(&other, &[("grant_type", "refresh_token"), ("refresh_token", &token)]).await;
    assert_dead(&stolen);
    let public = register(&world.broker, "none", &serde_json::Value::Null).await;
    assert_dead(&world.token(&public, &[("grant_type", "refresh_token"), ("refresh_token", &token)]).await);
}

/// What was asked for at the start is the most there is. TK-7.
#[tokio::test]
async fn scope_does_not_grow() {
    let world = World::new().await;
    let token = member(&world.tokens().await, "refresh_token");
    let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str()), ("scope", "openid admin")];
    let reply = world.token(&world.app, &form).await;
    if reply.status == 200 {
        let scope = reply.json().get("scope").and_then(|scope| scope.as_str().map(str::to_owned)).unwrap_or_default();
        assert!(!scope.contains("admin"), "{scope}");
    } else {
        assert_eq!((reply.status.as_u16(), reply.text("error").as_str()), (400, "invalid_scope"));
    }
}

/// A turn may ask for less than was granted, and gets that; the next one may have all of it again. TK-7.
#[tokio::test]
async fn a_turn_may_ask_for_less() {
    let world = World::new().await;
    let token = member(&world.tokens().await, "refresh_token");
    let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str()), ("scope", "openid")];
    let less = world.token(&world.app, &form).await.json();
    assert_eq!(member(&less, "scope"), "openid");
    let claims = payload(&member(&less, "id_token")).expect("claims");
    assert!(!claims.contains_key("email") && !claims.contains_key("name"), "{claims:?}");
    assert_eq!(world.userinfo(&less).await.json().get("email"), None);
    for wrong in ["openid offline_access", "openid \"", "open\\id"] {
        let token = member(&less, "refresh_token");
        let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str()), ("scope", wrong)];
        assert_eq!(world.token(&world.app, &form).await.text("error"), "invalid_scope", "{wrong}");
    }
    let all = world.refresh(&member(&less, "refresh_token")).await.json();
    assert_eq!(member(&all, "scope"), "openid profile email");
}

/// What is no refresh token is none. TK-6.
#[tokio::test]
async fn invented_refresh_tokens_are_refused() {
    let world = World::new().await;
    let tokens = world.tokens().await;
    let token = member(&tokens, "refresh_token");
    let half: String = token.chars().take(token.len() / 2).collect();
    let access = member(&tokens, "access_token");
    for wrong in [".", "x", "a.b", "a.b.c", "é", &half, &format!("{token}A"), &access, &"z".repeat(5000)] {
        assert_dead(&world.refresh(wrong).await);
    }
    assert_eq!(world.refresh(&token).await.status, 200, "guessing does not hurt the owner");
}

/// Deactivation ends every session of the person at once, and activation brings none back. CK-5, RP-11.
#[tokio::test]
async fn deactivation_ends_refreshing_at_once() {
    let world = World::new().await;
    let (one, two) = (world.tokens().await, world.tokens().await);
    let user = payload(&member(&one, "id_token")).and_then(|claims| claims.get("sub")?.as_str().map(str::to_owned));
    let user = user.expect("a subject");
    let one = world.refresh(&member(&one, "refresh_token")).await.text("refresh_token");
    world.set_active(&user, false).await;
    assert_eq!(world.userinfo(&two).await.status, 401);
    assert_dead(&world.refresh(&one).await);
    assert_dead(&world.refresh(&member(&two, "refresh_token")).await);
    world.set_active(&user, true).await;
    assert_dead(&world.refresh(&one).await);
    assert_dead(&world.refresh(&member(&two, "refresh_token")).await);
    let fresh = world.tokens().await;
    assert_eq!(world.refresh(&member(&fresh, "refresh_token")).await.status, 200);
}

/// A code that was given out before the deactivation is worthless after it. CK-5.
#[tokio::test]
async fn deactivation_ends_codes_too() {
    let world = World::new().await;
    let known = world.tokens().await;
    let user = payload(&member(&known, "id_token")).and_then(|claims| claims.get("sub")?.as_str().map(str::to_owned));
    let request = world.authorization();
    let code = world.code(&request).await;
    world.set_active(&user.expect("a subject"), false).await;
    assert_dead(&world.redeem(&request, &code).await);
}
