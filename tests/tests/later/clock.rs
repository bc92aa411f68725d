//! That the clock is the tests': on every runtime, for the broker, its storage and the providers alike.

use serde_json::json;
use vestibule_tests::world::{ALICE, member};
use vestibule_tests::{Browser, World};

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

/// CK-4: a session is over when it was not used for as long as its tenant says, and at its end however much it is used.
#[tokio::test]
async fn sessions_end_unused_and_used() {
    let world = World::new().await;
    let lifetimes = json!({ "access_token": 600, "session_idle": 1_800, "session": 4_000 });
    let tenant = json!({ "name": "A tenant", "lifetimes": lifetimes });
    world.broker.put(&format!("/tenants/{}", world.tenant), tenant).await;
    // Copies of the tenant are two minutes old at most.
    world.broker.pass(130);
    let is_signed_in = async |browser: &mut Browser| {
        let silent = world.authorization().with("prompt", "none");
        let visit = world.follow(browser, &silent, ALICE).await;
        visit.arrived().query_pairs().any(|(name, _)| name == "code")
    };
    let (mut busy, mut idle) = (Browser::new(), Browser::new());
    let tokens = world.tokens_in(&mut busy).await;
    let unused = world.tokens_in(&mut idle).await;
    world.broker.pass(1_700);
    let tokens = world.refresh(&member(&tokens, "refresh_token")).await;
    assert_eq!(tokens.status, 200, "a refresh is use");
    world.broker.pass(200);
    assert!(!is_signed_in(&mut idle).await);
    assert_eq!(world.refresh(&member(&unused, "refresh_token")).await.status, 400);
    world.broker.pass(1_400);
    assert!(is_signed_in(&mut busy).await, "within the idle limit, which the refresh began anew");
    world.broker.pass(800);
    assert!(!is_signed_in(&mut busy).await, "its end is its end");
    assert_eq!(world.refresh(&tokens.text("refresh_token")).await.status, 400);
}

/// A provider's clock moves along: signing in works as ever, however much time has passed.
#[tokio::test]
async fn providers_follow() {
    let world = World::new().await;
    world.broker.pass(3 * 3_600);
    world.tokens().await;
}
