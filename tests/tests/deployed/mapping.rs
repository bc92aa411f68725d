//! What claims make of a person: attributes, roles, teams and business units; what tokens and userinfo say of them.

use http::Method;
use serde_json::{Value, json};
use vestibule_testkit::Account;
use vestibule_testkit::relying_party::payload;
use vestibule_tests::platform::unique;
use vestibule_tests::world::{Application, CALLBACK, PASSWORD, code_grant, connection, member};
use vestibule_tests::{Browser, Reply, World};

const CAROL: &str = "carol@corp.example";

/// A world whose tenant has this mapping.
async fn mapped(mapping: Value) -> World {
    let world = World::new().await;
    world.broker.put(&format!("/tenants/{}/mapping", world.tenant), mapping).await;
    world
}

/// Carol, of whom the provider says this besides.
fn carol(world: &World, claims: &Value) {
    let mut account = Account::new(CAROL, PASSWORD, "subject-of-carol", "Carol C");
    account.claims.extend(claims.as_object().expect("an object").clone());
    world.idp.add_account(account);
}

/// An application that wants to know everything, with these members too.
async fn curious(world: &World, more: &Value) -> Application {
    let app = Application { id: unique("app"), secret: None, auth: "none" };
    let all = json!(["roles", "teams", "business_units", "title"]);
    let mut body = json!({
        "name": "An application", "tenants": [world.tenant], "redirect_uris": [CALLBACK], "client_auth": "none",
        "id_token_claims": all, "access_token_claims": all, "userinfo_claims": all,
    });
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    world.broker.put(&format!("/clients/{}", app.id), body).await;
    app
}

async fn tokens(world: &World, app: &Application) -> Value {
    let request = world.authorization_of(app, &world.tenant);
    let visit = world.follow(&mut Browser::new(), &request, CAROL).await;
    let code = Reply::one_param(visit.arrived(), "code");
    world.token(app, &code_grant(&code, &request.verifier)).await.json()
}

fn claim(tokens: &Value, token: &str, name: &str) -> Value {
    let claims = payload(&member(tokens, token)).expect("claims");
    claims.get(name).cloned().unwrap_or_default()
}

/// What the administrator sees of carol.
async fn access(world: &World) -> Value {
    let people = world.broker.admin(Method::GET, &format!("/tenants/{}/users", world.tenant), None).await.json();
    let id = people["items"][0]["id"].as_str().expect("a person").to_owned();
    world.broker.admin(Method::GET, &format!("/tenants/{}/users/{id}/access", world.tenant), None).await.json()
}

fn rules() -> Value {
    json!({
        "roles": [{ "name": "admin" }, { "name": "editor" }, { "name": "viewer", "description": "Reads" }],
        "rules": [
            { "claim": "realm_access.roles", "value": "app-${*}", "grants": "role" },
            { "claim": "groups", "value": "STAFF", "grants": "role", "name": "viewer" },
            { "claim": "groups", "value": "/${*}", "grants": "team" },
            { "claim": "https://corp.example/units", "split": ";", "value": "*", "grants": "business_unit" },
        ],
    })
}

/// Claims become a role, teams and business units, in ID tokens, access tokens and userinfo, after a refresh as before.
#[tokio::test]
async fn claims_become_a_role_teams_and_units() {
    let world = mapped(rules()).await;
    let said = json!({
        "realm_access": { "roles": ["app-editor", "app-owner", "other"] }, "groups": ["staff", "/Engineering", "/Ops Team"],
        "https://corp.example/units": "Berlin; R&D",
    });
    carol(&world, &said);
    let app = curious(&world, &json!({})).await;
    let mut tokens = tokens(&world, &app).await;
    for turn in ["redeemed", "refreshed"] {
        let userinfo = world.userinfo(&tokens).await.json();
        for (name, value) in [
            ("roles", json!(["editor"])),
            ("teams", json!(["Engineering", "Ops-Team--sq2ryh3g"])),
            ("business_units", json!(["Berlin", "R-D--3lghyfwn"])),
        ] {
            assert_eq!(claim(&tokens, "id_token", name), value, "{turn}");
            assert_eq!(claim(&tokens, "access_token", name), value, "{turn}");
            assert_eq!(userinfo[name], value, "{turn}");
        }
        let refresh = member(&tokens, "refresh_token");
        tokens = world.token(&app, &[("grant_type", "refresh_token"), ("refresh_token", &refresh)]).await.json();
    }
    let access = access(&world).await;
    assert_eq!(access["role"], "editor");
    let by_corp = |name: &str| json!({ "name": name, "from": "claim", "connection": "corp" });
    assert_eq!(access["roles"], json!([by_corp("editor"), by_corp("viewer")]), "all, for the administrator");
}

/// Somebody without a role is refused with a page that says so, and is not created; with one, they come in.
#[tokio::test]
async fn without_a_role_nobody_comes_in() {
    let world = mapped(rules()).await;
    carol(&world, &json!({ "groups": ["/Engineering"] }));
    let mut browser = Browser::new();
    let visit = world.follow(&mut browser, &world.authorization(), CAROL).await;
    super::attacks::assert_refused(&world, &browser, &visit, "no role");
    let page = visit.last();
    assert!(page.status == 403 && page.body.contains("You have no role here yet"), "{}", page.body);
    assert!(!page.body.contains("Engineering"), "{}", page.body);
    let people = world.broker.admin(Method::GET, &format!("/tenants/{}/users", world.tenant), None).await.json();
    assert_eq!(people["items"], json!([]), "nobody came of it");
    carol(&world, &json!({ "groups": ["Staff"] }));
    let app = curious(&world, &json!({})).await;
    assert_eq!(claim(&tokens(&world, &app).await, "id_token", "roles"), json!(["viewer"]));
}

/// A sign-in takes back what earlier claims granted, and not what an administrator did.
#[tokio::test]
async fn a_grant_by_hand_outlives_every_sign_in() {
    let world = mapped(rules()).await;
    carol(&world, &json!({ "groups": ["staff", "/Engineering"] }));
    let app = curious(&world, &json!({})).await;
    let user = claim(&tokens(&world, &app).await, "id_token", "sub");
    let path = format!("/tenants/{}/users/{}/access", world.tenant, user.as_str().expect("an id"));
    let by_hand = json!({ "roles": ["ADMIN"], "teams": ["Engineering", "board"] });
    let shown = world.broker.put(&path, by_hand).await;
    assert_eq!((&shown["role"], shown["teams"].as_array().expect("teams").len()), (&json!("admin"), 3));
    carol(&world, &json!({ "groups": [] }));
    let after = tokens(&world, &app).await;
    assert_eq!(claim(&after, "id_token", "roles"), json!(["admin"]));
    assert_eq!(claim(&after, "id_token", "teams"), json!(["Engineering", "board"]));
    let grants = access(&world).await;
    assert!(
        grants["teams"].as_array().expect("teams").iter().all(|grant| grant["from"] == "administrator"),
        "{grants}"
    );
    for (wrong, at) in [
        (json!({ "roles": ["owner"] }), "/roles/0"),
        (json!({ "teams": ["a b"] }), "/teams/0"),
        (json!({ "business_units": ["x", "X"] }), "/business_units/1"),
    ] {
        let reply = world.broker.admin(Method::PUT, &path, Some(&wrong)).await;
        assert!(reply.status == 400 && reply.body.contains(at), "{wrong}: {}", reply.body);
    }
    let stale = world.broker.admin_if(("if-match", "\"stale\""), Method::PUT, &path, Some(&json!({}))).await;
    assert_eq!(stale.status, 412);
}

/// The order of roles decides, or that of the rules.
#[tokio::test]
async fn one_role_counts() {
    let mut mapping = rules();
    let world = mapped(mapping.clone()).await;
    carol(&world, &json!({ "groups": ["staff"], "realm_access": { "roles": ["app-viewer", "app-admin"] } }));
    let app = curious(&world, &json!({})).await;
    assert_eq!(claim(&tokens(&world, &app).await, "id_token", "roles"), json!(["admin"]));
    mapping["role_choice"] = json!("first_match");
    let two = mapped(mapping).await;
    carol(&two, &json!({ "groups": ["staff"], "realm_access": { "roles": ["app-viewer", "app-admin"] } }));
    let app = curious(&two, &json!({})).await;
    assert_eq!(claim(&tokens(&two, &app).await, "id_token", "roles"), json!(["viewer"]));
}

/// Attributes come from wherever the connection says: names with any letters, dots, JSONPath.
#[tokio::test]
async fn attributes_are_found_by_paths() {
    let world = World::new().await;
    let paths = json!({
        "preferred_username_claim": "corp:login", "given_name_claim": "person.first",
        "family_name_claim": "$.person.names[-1]", "groups_claim": "$.memberships[?@.active == true].name",
        "attributes": {
            "title": { "path": "titles" },
            "all_titles": { "path": "titles", "values": "all" },
            "sites": { "path": "sites", "values": "all", "split": "[,;]" },
        },
    });
    world
        .broker
        .put(&format!("/tenants/{}/connections/corp", world.tenant), connection(world.idp.issuer(), &paths))
        .await;
    let said = json!({
        "corp:login": "carol", "person": { "first": "Carol", "names": ["X", "Curie"] }, "titles": ["Dr", "Prof"],
        "sites": "Berlin, Paris;Rome", "memberships": [{ "name": "a", "active": true }, { "name": "b", "active": false }],
    });
    carol(&world, &said);
    let names = json!(["preferred_username", "given_name", "family_name", "groups", "title", "all_titles", "sites"]);
    let app = curious(&world, &json!({ "id_token_claims": names, "access_token_claims": [] })).await;
    let tokens = tokens(&world, &app).await;
    for (name, value) in [
        ("preferred_username", json!("carol")),
        ("given_name", json!("Carol")),
        ("family_name", json!("Curie")),
        ("groups", json!(["a"])),
        ("title", json!("Dr")),
        ("all_titles", json!(["Dr", "Prof"])),
        ("sites", json!(["Berlin", "Paris", "Rome"])),
    ] {
        assert_eq!(claim(&tokens, "id_token", name), value, "{name}");
    }
    assert_eq!(world.userinfo(&tokens).await.json()["title"], "Dr");
}

/// An application can call claims what it likes, as long as none takes another one's name. TK-4.
#[tokio::test]
async fn claims_have_the_applications_names() {
    let world = mapped(rules()).await;
    carol(&world, &json!({ "groups": ["staff", "/Engineering"] }));
    let renamed = json!({ "claim_names": { "roles": "https://app.example/role", "teams": "groups" } });
    let app = curious(&world, &renamed).await;
    let tokens = tokens(&world, &app).await;
    let userinfo = world.userinfo(&tokens).await.json();
    for token in ["id_token", "access_token"] {
        assert_eq!(claim(&tokens, token, "https://app.example/role"), json!(["viewer"]));
        assert_eq!(claim(&tokens, token, "groups"), json!(["Engineering"]));
        assert_eq!((claim(&tokens, token, "roles"), claim(&tokens, token, "teams")), (Value::Null, Value::Null));
    }
    assert_eq!(userinfo["groups"], json!(["Engineering"]));
    for wrong in ["sub", "SUB", "email", "email_verified", "connection", "groups_overage", "teams", "a b", "", "roles"]
    {
        let body = json!({
            "name": "An application", "redirect_uris": [CALLBACK], "client_auth": "none",
            "id_token_claims": ["roles", "teams"], "claim_names": { "roles": wrong },
        });
        let reply = world.broker.admin(Method::PUT, &format!("/clients/{}", unique("app")), Some(&body)).await;
        assert!(reply.status == 400 && reply.body.contains("/claim_names/roles"), "{wrong}: {}", reply.body);
    }
}
