//! Against a certified OpenID provider: npm `oidc-provider`, which `cargo xtask test` starts. RP-2, RP-4, RP-5.

use serde_json::json;
use vestibule_testkit::relying_party::payload;
use vestibule_tests::deployment::Provider;
use vestibule_tests::platform::unique;
use vestibule_tests::world::{member, register};
use vestibule_tests::{Browser, Reply, World};

fn provider(world: &World) -> Provider {
    world
        .broker
        .idp
        .clone()
        .unwrap_or_else(|| panic!("VESTIBULE_TEST_IDP is not set: `cargo xtask test` starts the provider and sets it"))
}

/// The whole sign-in at software that is not ours, and a refresh afterwards.
#[tokio::test]
async fn a_certified_provider_signs_somebody_in() {
    let world = World::new().await;
    let provider = provider(&world);
    let tenant = unique("t");
    world.broker.put(&format!("/tenants/{tenant}"), json!({ "name": "At a real provider" })).await;
    let connection = json!({
        "name": "oidc-provider", "protocol": "oidc", "issuer": provider.issuer, "client_id": provider.client_id,
        "client_secret": provider.client_secret, "client_auth": "client_secret_basic",
        "scopes": ["openid", "email", "profile"], "enabled": true,
    });
    world.broker.put(&format!("/tenants/{tenant}/connections/op"), connection).await;
    let app = register(&world.broker, "client_secret_basic", &json!([tenant])).await;
    let request = world.authorization_of(&app, &tenant);
    let mut browser = Browser::new();
    let login = browser.visit(&request.url(&world.broker)).await;
    assert!(login.page().url.as_str().starts_with(&provider.issuer), "{} {}", login.page().url, login.page().body);
    let visit = browser.submit(login.page(), &[("username", "alice"), ("password", "any")]).await;
    let code = Reply::one_param(visit.arrived(), "code");
    let reply = world.token(&app, &vestibule_tests::world::code_grant(&code, &request.verifier)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let tokens = reply.json();
    let claims = payload(&member(&tokens, "id_token")).expect("claims");
    assert_eq!(claims.get("email"), Some(&json!("alice@example.test")));
    assert_eq!(claims.get("name"), Some(&json!("Alice Liddell")));
    assert_eq!(claims.get("tenant"), Some(&json!(tenant)));
    let token = member(&tokens, "refresh_token");
    let refreshed = world.token(&app, &[("grant_type", "refresh_token"), ("refresh_token", &token)]).await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.body);
}

/// It takes our signed requests (RFC 9101), those sent ahead (RFC 9126), our proof by key, and posts its answer: each
/// alone where that can be, and all together. It refuses the same client's requests without a signature. RP-2.
#[tokio::test]
async fn a_certified_provider_takes_what_we_sign() {
    let world = World::new().await;
    let provider = provider(&world);
    let app = register(&world.broker, "client_secret_basic", &json!([world.tenant])).await;
    let mut issued = Vec::new();
    for (signed, pushed, mode) in
        [(true, false, "query"), (true, true, "query"), (true, true, "form_post"), (false, true, "query")]
    {
        let connection = json!({
            "name": "oidc-provider", "protocol": "oidc", "issuer": provider.issuer, "client_id": provider.signing_client,
            "client_auth": "private_key_jwt", "scopes": ["openid", "email"], "sign_requests": signed,
            "push_requests": pushed, "response_mode": mode,
        });
        let name = unique("op");
        world.broker.put(&format!("/tenants/{}/connections/{name}", world.tenant), connection).await;
        let request = world.authorization_of(&app, &world.tenant).with("connection", &name);
        let mut browser = Browser::new();
        let login = browser.visit(&request.url(&world.broker)).await;
        if !signed {
            assert_eq!(Reply::one_param(login.arrived(), "error"), "server_error", "it insists on signatures");
            continue;
        }
        assert!(login.page().url.as_str().starts_with(&provider.issuer), "{} {}", login.page().url, login.page().body);
        let mut visit = browser.submit(login.page(), &[("username", "alice"), ("password", "any")]).await;
        if mode == "form_post" {
            visit = browser.submit(visit.page(), &[]).await;
        }
        issued.push(Reply::one_param(visit.arrived(), "code"));
    }
    assert_eq!(issued.len(), 3);
}
