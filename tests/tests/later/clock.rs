//! That the clock is the tests': on every runtime, for the broker, its storage and the providers alike.

use vestibule_tests::World;
use vestibule_tests::world::member;

/// TK-8, AZ-8: a code is good for a minute, an access token for its life, a refresh token for much longer.
#[tokio::test]
async fn lives_end_when_they_should() {
    let world = World::new().await;
    let request = world.authorization();
    let code = world.code(&request).await;
    world.broker.pass(55);
    assert_eq!(world.redeem(&request, &code).await.status, 200);
    let code = world.code(&request).await;
    world.broker.pass(61);
    let refused = world.redeem(&request, &code).await;
    assert_eq!((refused.status.as_u16(), refused.text("error").as_str()), (400, "invalid_grant"));

    let tokens = world.tokens().await;
    let life = tokens["expires_in"].as_i64().expect("a life");
    world.broker.pass(life + 1);
    assert_eq!(world.userinfo(&tokens).await.status, 401);
    assert_eq!(world.refresh(&member(&tokens, "refresh_token")).await.status, 200);
}

/// A provider's clock moves along: signing in works as ever, however much time has passed.
#[tokio::test]
async fn providers_follow() {
    let world = World::new().await;
    world.broker.pass(3 * 3_600);
    world.tokens().await;
}
