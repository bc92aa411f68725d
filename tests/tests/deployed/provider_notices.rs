//! What an identity provider tells the broker of its own accord.

use http::Method;
use serde_json::{Value, json};
use vestibule_testkit::Document;
use vestibule_tests::platform::unique;
use vestibule_tests::world::member;
use vestibule_tests::{Reply, World};

async fn send(world: &World, token: &str) -> Reply {
    let path = format!("/oauth2/backchannel-logout/{}/corp", world.tenant);
    Reply::of(world.broker.request(Method::POST, &path).form(&[("logout_token", token)])).await
}

async fn notice(world: &World, typ: &str, members: &Value) -> String {
    let mut claims = world.idp.logout_claims("broker", &unique("jti"));
    for (name, value) in members.as_object().expect("members") {
        claims[name] = value.clone();
    }
    world.idp.notice(Some(typ), &claims).await.expect("the provider signs")
}

async fn tokens(world: &World, sid: &str) -> Value {
    world.idp.say(Document::IdToken, "sid", json!(sid));
    world.tokens().await
}

/// LO-3, LO-4: `sid` ends one session, `sub` alone the others; a token counts once.
#[tokio::test]
async fn a_provider_signs_out() {
    let world = World::new().await;
    let (one, other) = (tokens(&world, "s1").await, tokens(&world, "s2").await);
    let token = notice(&world, "logout+jwt", &json!({"sid": "s1"})).await;
    let reply = send(&world, &token).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.headers["cache-control"], "no-store");
    assert_eq!(world.refresh(&member(&one, "refresh_token")).await.status, 400);
    assert_eq!(world.userinfo(&one).await.status, 401);
    assert_eq!(send(&world, &token).await.status, 400, "it was used");
    let other = world.refresh(&member(&other, "refresh_token")).await.json();
    let id_token = world.tokens().await;
    let subject = world.idp.subject_of(vestibule_tests::world::ALICE).expect("an account");
    assert_eq!(send(&world, &notice(&world, "JWT", &json!({"sub": subject})).await).await.status, 200);
    for tokens in [&other, &id_token] {
        assert_eq!(world.refresh(&member(tokens, "refresh_token")).await.status, 400);
    }
}

/// LO-3: unsigned, of another type, for somebody else, over: nothing ends.
#[tokio::test]
async fn broken_logout_tokens_are_refused() {
    let world = World::new().await;
    let stays = tokens(&world, "s1").await;
    let good = notice(&world, "logout+jwt", &json!({"sid": "s1"})).await;
    let payload = good.split('.').nth(1).expect("claims");
    let others = World::new().await;
    for token in [
        String::new(),
        format!("eyJhbGciOiJub25lIiwidHlwIjoibG9nb3V0K2p3dCJ9.{payload}."),
        notice(&world, "at+jwt", &json!({"sid": "s1"})).await,
        notice(&world, "logout+jwt", &json!({"sid": "s1", "aud": "other"})).await,
        notice(&world, "logout+jwt", &json!({"sid": "s1", "exp": 1_750_000_000})).await,
        notice(&world, "logout+jwt", &json!({"sid": "s1", "events": {}})).await,
        notice(&world, "logout+jwt", &json!({"sid": "s1", "nonce": "n"})).await,
        // Another tenant's provider, by its own name and by ours.
        notice(&others, "logout+jwt", &json!({"sid": "s1"})).await,
        notice(&others, "logout+jwt", &json!({"sid": "s1", "iss": world.idp.issuer()})).await,
        member(&stays, "id_token"),
    ] {
        let reply = send(&world, &token).await;
        assert_eq!((reply.status.as_u16(), reply.text("error").as_str()), (400, "invalid_request"), "{token}");
    }
    assert_eq!(world.refresh(&member(&stays, "refresh_token")).await.status, 200);
}
