//! Which claims about a person an application's tokens hold.

use http::Method;
use serde_json::{Map, Value, json};
use vestibule_testkit::Account;
use vestibule_testkit::relying_party::payload;
use vestibule_tests::platform::unique;
use vestibule_tests::webhook::FakeWebhook;
use vestibule_tests::world::{ALICE, Application, CALLBACK, PASSWORD, code_grant, member};
use vestibule_tests::{Browser, Reply, World};

const GROUPED: &str = "grouped@corp.example";

/// What an administrator sends for a public application, with these members too.
fn registration(world: &World, more: &Value) -> Value {
    let mut body = json!({
        "name": "An application", "tenants": [world.tenant], "redirect_uris": [CALLBACK], "client_auth": "none",
    });
    if let (Some(members), Some(more)) = (body.as_object_mut(), more.as_object()) {
        members.extend(more.clone());
    }
    body
}

async fn register(world: &World, more: &Value) -> Application {
    let app = Application { id: unique("app"), secret: None, auth: "none" };
    world.broker.put(&format!("/clients/{}", app.id), registration(world, more)).await;
    app
}

/// The token response for somebody who asks for this scope.
async fn tokens(world: &World, app: &Application, username: &str, scope: &str) -> Value {
    let request = world.authorization_of(app, &world.tenant).with("scope", scope);
    let visit = world.follow(&mut Browser::new(), &request, username).await;
    let code = Reply::one_param(visit.arrived(), "code");
    world.token(app, &code_grant(&code, &request.verifier)).await.json()
}

fn claims(tokens: &Value, token: &str) -> Map<String, Value> {
    payload(&member(tokens, token)).expect("claims")
}

fn names(claims: &Map<String, Value>) -> Vec<&str> {
    claims.keys().map(String::as_str).collect()
}

/// Somebody whose provider says so much of their groups.
fn add_grouped(world: &World, claim: &str, value: Value) {
    let mut account = Account::new(GROUPED, PASSWORD, "subject-of-grouped", "G. Rouped");
    account.claims.insert(claim.to_owned(), value);
    world.idp.add_account(account);
}

const ID_TOKEN: [&str; 9] = ["at_hash", "aud", "auth_time", "exp", "iat", "iss", "sid", "sub", "tenant"];
const ACCESS_TOKEN: [&str; 11] =
    ["aud", "client_id", "exp", "iat", "iss", "jti", "scope", "sid", "status", "sub", "tenant"];

fn sorted<'a>(fixed: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    let mut names = [fixed, more].concat();
    names.sort_unstable();
    names
}

/// Without settings the scope decides on the ID token, and access tokens say nothing of the person. TK-4.
#[tokio::test]
async fn by_default_the_scope_decides() {
    let world = World::new().await;
    let app = register(&world, &json!({})).await;
    let bare = tokens(&world, &app, ALICE, "openid").await;
    assert_eq!(names(&claims(&bare, "id_token")), sorted(&ID_TOKEN, &["nonce"]));
    assert_eq!(names(&claims(&bare, "access_token")), ACCESS_TOKEN);
    let with_email = tokens(&world, &app, ALICE, "openid email").await;
    assert_eq!(names(&claims(&with_email, "id_token")), sorted(&ID_TOKEN, &["email", "email_verified", "nonce"]));
    assert_eq!(names(&claims(&with_email, "access_token")), ACCESS_TOKEN);
}

/// With settings they do, for each token by itself, and after a refresh as before it. What nobody said is not there.
#[tokio::test]
async fn the_setting_decides_where_there_is_one() {
    let world = World::new().await;
    add_grouped(&world, "groups", json!(["ops", "on-call"]));
    let named = json!({
        "id_token_claims": ["groups", "connection", "family_name", "level"],
        "access_token_claims": ["email", "groups"],
    });
    let app = register(&world, &named).await;
    let mut tokens = tokens(&world, &app, GROUPED, "openid email profile").await;
    for turn in ["redeemed", "refreshed"] {
        let (id, access) = (claims(&tokens, "id_token"), claims(&tokens, "access_token"));
        let nonce: &[&str] = if turn == "redeemed" { &["nonce"] } else { &[] };
        assert_eq!(names(&id), sorted(&ID_TOKEN, &[&["connection", "groups"], nonce].concat()), "{turn}");
        assert_eq!((&id["groups"], &id["connection"]), (&json!(["ops", "on-call"]), &json!("corp")), "{turn}");
        assert_eq!(names(&access), sorted(&ACCESS_TOKEN, &["email", "groups"]), "{turn}");
        assert_eq!((&access["email"], &access["groups"]), (&json!(GROUPED), &json!(["ops", "on-call"])), "{turn}");
        assert_eq!(world.userinfo(&tokens).await.json()["email"], GROUPED, "userinfo is the scope's");
        let refresh = member(&tokens, "refresh_token");
        tokens = world.token(&app, &[("grant_type", "refresh_token"), ("refresh_token", &refresh)]).await.json();
    }
    let silent = register(&world, &json!({ "id_token_claims": [] })).await;
    let nothing = self::tokens(&world, &silent, ALICE, "openid email profile").await;
    assert_eq!(names(&claims(&nothing, "id_token")), sorted(&ID_TOKEN, &["nonce"]));
}

/// Groups that the provider did not send are not an empty list. RP-9.
#[tokio::test]
async fn too_many_groups_are_said_to_be_too_many() {
    let world = World::new().await;
    add_grouped(&world, "_claim_names", json!({ "groups": "src1" }));
    let app = register(&world, &json!({ "id_token_claims": ["groups"], "access_token_claims": ["groups"] })).await;
    let many = tokens(&world, &app, GROUPED, "openid").await;
    let none = tokens(&world, &app, ALICE, "openid").await;
    for token in ["id_token", "access_token"] {
        let claims_of_many = claims(&many, token);
        assert_eq!((claims_of_many.get("groups"), &claims_of_many["groups_overage"]), (None, &json!(true)), "{token}");
        let claims_of_none = claims(&none, token);
        assert!(claims_of_none.keys().all(|name| !name.starts_with("groups")), "{token}");
    }
}

/// What a webhook added goes where it is named.
#[tokio::test]
async fn added_claims_go_where_they_are_named() {
    let (world, hook) = (World::new().await, FakeWebhook::new().await);
    let tenant = json!({ "name": "A tenant", "checkpoint": { "webhook": { "url": hook.url } } });
    world.broker.put(&format!("/tenants/{}", world.tenant), tenant).await;
    world.broker.admin(Method::POST, &format!("/tenants/{}/webhook-secret", world.tenant), None).await;
    hook.says_json(&json!({ "decision": "allow", "claims": { "level": 3, "roles": ["x"] } }));
    let app = register(&world, &json!({ "id_token_claims": ["roles"], "access_token_claims": ["level"] })).await;
    let tokens = tokens(&world, &app, ALICE, "openid").await;
    assert_eq!(names(&claims(&tokens, "id_token")), sorted(&ID_TOKEN, &["nonce", "roles"]));
    assert_eq!(names(&claims(&tokens, "access_token")), sorted(&ACCESS_TOKEN, &["level"]));
}

/// Names that tokens rest on, or that are none, are refused when they are set. TK-4, AZ-13.
#[tokio::test]
async fn reserved_names_are_refused() {
    let world = World::new().await;
    let refused = async |body: &Value, field: &str| {
        let path = format!("/clients/{}", unique("app"));
        let reply = world.broker.admin(Method::PUT, &path, Some(body)).await;
        assert_eq!(reply.status, 400, "{body}: {}", reply.body);
        assert!(reply.body.contains(field), "{body}: {}", reply.body);
    };
    for field in ["id_token_claims", "access_token_claims"] {
        for wrong in
            ["sub", "iss", "SUB", "aud", "sid", "tenant", "scope", "cnf", "acr", "groups_overage", "", "a b", "ä"]
        {
            refused(&registration(&world, &json!({ field: [wrong] })), field).await;
        }
        refused(&registration(&world, &json!({ field: ["email", "email"] })), field).await;
        let many: Vec<String> = (0..31).map(|at| format!("c{at}")).collect();
        refused(&registration(&world, &json!({ field: many })), field).await;
    }
    let mut relayed = registration(&world, &json!({ "access_token_claims": ["groups"] }));
    relayed["relay"] = json!({ "control_plane_url": "https://app.example" });
    refused(&relayed, "access_token_claims").await;
}
