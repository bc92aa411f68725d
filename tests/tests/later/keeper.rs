//! The keeper of sessions, from outside and end to end: whoever may not be signed in any more is out within a quarter of an
//! hour, everywhere, and nobody else is.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule_testkit::relying_party::payload;
use vestibule_testkit::{Account, Canned};
use vestibule_tests::platform::unique;
use vestibule_tests::scim::Directory;
use vestibule_tests::webhook::{Answer, Call, FakeWebhook};
use vestibule_tests::world::{ALICE, CALLBACK, PASSWORD, code_grant, member};
use vestibule_tests::{Browser, Reply, World};

/// A world whose application wants to be told of logouts.
async fn world() -> (World, FakeWebhook) {
    let (world, told) = (World::new().await, FakeWebhook::new().await);
    told.says(Answer::Text(String::new()));
    let client = json!({
        "name": "An application", "tenants": [world.tenant], "redirect_uris": [CALLBACK],
        "client_auth": world.app.auth, "backchannel_logout_uri": told.url,
    });
    world.broker.put(&format!("/clients/{}", world.app.id), client).await;
    (world, told)
}

fn claim(tokens: &Value, name: &str) -> String {
    let claims = payload(&member(tokens, "id_token")).expect("claims");
    claims[name].as_str().expect("a text").to_owned()
}

async fn introspected(world: &World, token: &str) -> Value {
    let reply = world.post(&world.app, "/oauth2/introspect", &[("token", token)]).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}

async fn is_active(world: &World, tokens: &Value) -> bool {
    introspected(world, &member(tokens, "access_token")).await["active"] == true
}

/// Everything that they had is over: the tokens, the session, and the application knows.
async fn is_out(world: &World, told: &FakeWebhook, tokens: &Value) {
    assert_eq!(introspected(world, &member(tokens, "access_token")).await, json!({ "active": false }), "TK-10");
    let refresh = world.refresh(&member(tokens, "refresh_token")).await;
    assert_eq!((refresh.status.as_u16(), refresh.text("error").as_str()), (400, "invalid_grant"));
    assert_eq!(world.userinfo(tokens).await.status, 401);
    let sid = claim(tokens, "sid");
    let is_about = |call: &Call| payload(&call.field("logout_token")).expect("claims")["sid"] == sid.as_str();
    within_two_hours(world, "the application is told", async || told.calls().iter().any(is_about)).await;
}

/// Lets a quarter of an hour pass, in which what a tick asks for is mostly done in its minute.
async fn quarter(world: &World) {
    for _ in 0..15 {
        world.broker.pass(60);
        world.broker.run_tick().await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Lets time pass until something is so. A runtime under test may be a slot behind, and after an outage a provider is left
/// alone for up to an hour.
async fn within_two_hours<F: Future<Output = bool>>(world: &World, what: &str, mut is_so: impl FnMut() -> F) {
    for _ in 0..8 {
        for _ in 0..10 {
            if is_so().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        quarter(world).await;
    }
    panic!("not within two hours: {what}");
}

async fn user_is_active(world: &World, user: &str) -> bool {
    let reply = world.broker.admin(Method::GET, &format!("/tenants/{}/users/{user}", world.tenant), None).await;
    reply.json()["active"] == true
}

/// ED-5, ED-6, ED-7, LO-5: somebody is switched off at their provider. A quarter of an hour later they are out.
#[tokio::test]
async fn whoever_is_off_at_the_provider_is_out() {
    let (world, told) = world().await;
    let tokens = world.tokens().await;
    quarter(&world).await;
    assert!(is_active(&world, &tokens).await, "whoever is vouched for stays");
    world.idp.set_active(ALICE, false);
    within_two_hours(&world, "the access token is inactive", async || !is_active(&world, &tokens).await).await;
    is_out(&world, &told, &tokens).await;
    assert!(!user_is_active(&world, &claim(&tokens, "sub")).await);
    let visit = world.follow(&mut Browser::new(), &world.authorization(), ALICE).await;
    assert!(visit.left_to.is_none(), "and does not come in again");
}

/// SC-12, ED-7: a directory switches somebody off. They are out when it has its answer.
#[tokio::test]
async fn whoever_a_directory_switches_off_is_out() {
    let (world, told) = world().await;
    let tokens = world.tokens().await;
    let directory = Directory::of(&world.broker, &world.tenant).await;
    let off = json!([{ "op": "replace", "path": "active", "value": false }]);
    let reply = directory.patch(&format!("/Users/{}", claim(&tokens, "sub")), &off).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(!is_active(&world, &tokens).await);
    is_out(&world, &told, &tokens).await;
}

/// LO-4, LO-5: the provider says that a session is over. It is when the provider has its answer; the person may come again.
#[tokio::test]
async fn whoever_signs_out_at_the_provider_is_out() {
    let (world, told) = world().await;
    world.idp.say(vestibule_testkit::Document::IdToken, "sid", json!("at-the-provider"));
    let tokens = world.tokens().await;
    let mut claims = world.idp.logout_claims("broker", &unique("jti"));
    claims["sid"] = json!("at-the-provider");
    let token = world.idp.notice(Some("logout+jwt"), &claims).await.expect("the provider signs");
    let path = format!("/oauth2/backchannel-logout/{}/corp", world.tenant);
    let reply = Reply::of(world.broker.request(Method::POST, &path).form(&[("logout_token", &token)])).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(!is_active(&world, &tokens).await);
    is_out(&world, &told, &tokens).await;
    world.tokens().await;
}

/// LO-9, LO-5: the provider revokes somebody. They are out when it has its answer, and may come again.
#[tokio::test]
async fn whoever_is_revoked_at_the_provider_is_out() {
    let (world, told) = world().await;
    let [tokens, other] = [world.tokens().await, world.tokens().await];
    let shown = world.broker.admin(Method::GET, &format!("/tenants/{}/connections/corp", world.tenant), None).await;
    let endpoint = shown.text("global_token_revocation_uri");
    let mut claims = world.idp.logout_claims(&endpoint, &unique("jti"));
    claims.as_object_mut().expect("claims").remove("events");
    let token = world.idp.notice(Some("global-token-revocation+jwt"), &claims).await.expect("the provider signs");
    let path = endpoint.strip_prefix(&world.broker.url).expect("an address of the broker");
    let revoke = async |token: &str| {
        let subject = world.idp.subject_of(ALICE).expect("an account");
        let body = json!({ "sub_id": { "format": "iss_sub", "iss": world.idp.issuer(), "sub": subject } });
        let request = world.broker.request(Method::POST, path).bearer_auth(token);
        Reply::of(request.header("content-type", "application/json").body(body.to_string())).await
    };
    assert_eq!(revoke(&member(&tokens, "id_token")).await.status, 401);
    assert!(is_active(&world, &tokens).await, "only the provider's word to this address counts");
    let reply = revoke(&token).await;
    assert_eq!(reply.status, 204, "{}", reply.body);
    assert!(!is_active(&world, &tokens).await && !is_active(&world, &other).await);
    let sessions = format!("/tenants/{}/users/{}/sessions", world.tenant, claim(&tokens, "sub"));
    assert_eq!(world.broker.admin(Method::GET, &sessions, None).await.json()["items"], json!([]));
    is_out(&world, &told, &tokens).await;
    let again = world.tokens().await;
    assert_eq!(revoke(&token).await.status, 401, "it was used");
    assert!(is_active(&world, &again).await);
}

/// ED-6: the provider is out of order for an hour. Nobody is out, and afterwards everything goes on.
#[tokio::test]
async fn an_outage_ends_nobody() {
    let (world, told) = world().await;
    let tokens = world.tokens().await;
    let broken = Canned { status: StatusCode::SERVICE_UNAVAILABLE, ..Canned::new("text/plain", Bytes::new()) };
    for path in ["/token", "/userinfo", "/introspect"] {
        world.idp.answer_with(path, broken.clone());
    }
    for _ in 0..4 {
        quarter(&world).await;
        assert!(is_active(&world, &tokens).await);
    }
    assert!(told.calls().is_empty());
    world.idp.be_honest();
    let asked = world.idp.requests("/token");
    within_two_hours(&world, "the session is examined again", async || world.idp.requests("/token") > asked).await;
    assert!(is_active(&world, &tokens).await);
    assert!(user_is_active(&world, &claim(&tokens, "sub")).await);
    assert_eq!(world.refresh(&member(&tokens, "refresh_token")).await.status, 200);
}

/// ED-6: a provider knows nobody any more, all at once. It is not believed until an administrator says so.
#[tokio::test]
async fn a_mass_deactivation_waits() {
    const PEOPLE: usize = 14;
    let (world, _) = world().await;
    let name = |number: usize| format!("p{number}@corp.example");
    let mut tokens = Vec::new();
    for number in 0..PEOPLE {
        world.idp.add_account(Account::new(&name(number), PASSWORD, &format!("subject-{number}"), "Somebody"));
        let request = world.authorization();
        let visit = world.follow(&mut Browser::new(), &request, &name(number)).await;
        let code = Reply::one_param(visit.arrived(), "code");
        tokens.push(world.token(&world.app, &code_grant(&code, &request.verifier)).await.json());
    }
    quarter(&world).await;
    (0..PEOPLE).for_each(|number| world.idp.set_active(&name(number), false));
    let sync = format!("/tenants/{}/connections/corp/sync", world.tenant);
    let holds = async || !world.broker.admin(Method::GET, &sync, None).await.json()["stopped"].is_null();
    within_two_hours(&world, "the breaker holds", holds).await;
    quarter(&world).await;
    let mut left = 0;
    for tokens in &tokens {
        left += usize::from(is_active(&world, tokens).await);
    }
    assert!(left > PEOPLE - 10, "{left} of {PEOPLE}");
    let yes = world.broker.admin(Method::POST, &format!("{sync}/resume"), Some(&json!({ "held": "carry_out" }))).await;
    assert_eq!(yes.status, 200, "{}", yes.body);
    for tokens in &tokens {
        within_two_hours(&world, "they are out", async || !is_active(&world, tokens).await).await;
    }
}
