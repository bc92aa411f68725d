//! Connections as an administrator sets them up, on a running broker.

use http::Method;
use serde_json::{Value, json};
use vestibule_testkit::{ClientAuth, Document, Lie, Registration};
use vestibule_tests::platform::unique;
use vestibule_tests::world::{ALICE, IDP_SECRET, connection};
use vestibule_tests::{Browser, Deployment, World};

const DIRECTORY: &str = "11111111-2222-3333-4444-555555555555";

/// Settings that cannot be right are refused, and nothing is stored. RP-7, RP-12, AZ-13.
#[tokio::test]
async fn settings_that_cannot_be_right_are_refused() {
    let broker = Deployment::from_env();
    let tenant = unique("t");
    broker.put(&format!("/tenants/{tenant}"), json!({ "name": "A tenant" })).await;
    let endpoints = |member: &str, address: Value| {
        let mut all = json!({ "authorization": "https://idp.example/a", "token": "https://idp.example/t", "jwks": "https://idp.example/k" });
        all[member] = address;
        json!({ "endpoints": all })
    };
    let template = |issuer: &str, directories: Value| json!({ "issuer": issuer, "entra_directories": directories });
    let wrong = vec![
        json!({ "client_auth": "client_secret_jwt" }),
        json!({ "client_auth": "none" }),
        json!({ "client_auth": "private_key_jwt" }),
        json!({ "client_auth": "private_key_jwt", "client_secret": null, "assertion_audience": "https://idp.example" }),
        json!({ "client_secret": null }),
        json!({ "client_secret": "" }),
        json!({ "skew_seconds": 301 }),
        json!({ "skew_seconds": -1 }),
        json!({ "max_age": -1 }),
        json!({ "response_mode": "fragment" }),
        json!({ "max_age": "soon" }),
        json!({ "prompt": ["none", "login"] }),
        json!({ "prompt": ["login", "login"] }),
        json!({ "prompt": ["create"] }),
        json!({ "prompt": "login" }),
        json!({ "acr_values": ["a b"] }),
        json!({ "acr_values": [""] }),
        json!({ "audience": "" }),
        json!({ "client_id": "" }),
        json!({ "email_claim": "" }),
        json!({ "unique_id_claim": "" }),
        json!({ "groups_claim": "a\u{0}b" }),
        json!({ "scopes": ["email"] }),
        json!({ "secret": "x" }),
        endpoints("token", Value::Null),
        endpoints("jwks", json!("k")),
        endpoints("authorization", json!("javascript:alert(1)")),
        endpoints("authorization", json!("http://idp.example/a")),
        endpoints("token", json!("https://169.254.169.254/t")),
        endpoints("userinfo", json!("https://10.0.0.1/u")),
        endpoints("end", json!("https://idp.example/e")),
        template("https://login.example/{tenantid}/v2.0", json!([])),
        template("https://login.example/{tenantid}/v2.0", json!(["common"])),
        template("https://login.example/{tenantid}/{tenantid}", json!([DIRECTORY])),
        template("https://{tenantid}.example/", json!([DIRECTORY])),
        template("https://login.example/{tenant}/v2.0", json!([DIRECTORY])),
        template("https://login.example/v2.0", json!([DIRECTORY])),
    ];
    are_refused(&broker, &tenant, &wrong).await;
}

/// Requests that could not be sent ahead or signed as the connection says. RP-2, RP-7.
#[tokio::test]
async fn requests_that_cannot_be_made_are_refused() {
    let broker = Deployment::from_env();
    let tenant = unique("t");
    broker.put(&format!("/tenants/{tenant}"), json!({ "name": "A tenant" })).await;
    let endpoints = |pushed: Value| {
        let all = json!({
            "authorization": "https://idp.example/a", "token": "https://idp.example/t", "jwks": "https://idp.example/k",
            "pushed_authorization_request": pushed,
        });
        json!({ "endpoints": all, "push_requests": true })
    };
    let introspection = |address: &str| {
        let mut members = endpoints(json!("https://idp.example/p"));
        members["endpoints"]["introspection"] = json!(address);
        members
    };
    let template = "https://login.example/{tenantid}/v2.0";
    let wrong = [
        endpoints(Value::Null),
        endpoints(json!("http://idp.example/p")),
        endpoints(json!("https://127.0.0.1@169.254.169.254/p")),
        introspection("http://idp.example/i"),
        introspection("https://127.0.0.1@169.254.169.254/i"),
        json!({ "push_requests": "yes" }),
        json!({ "sign_requests": 1 }),
        json!({ "sign_requests": true, "issuer": template, "entra_directories": [DIRECTORY] }),
    ];
    are_refused(&broker, &tenant, &wrong).await;
}

/// What we send, a connection cannot send differently. RP-2.
#[tokio::test]
async fn parameters_of_ours_cannot_be_set() {
    let broker = Deployment::from_env();
    let tenant = unique("t");
    broker.put(&format!("/tenants/{tenant}"), json!({ "name": "A tenant" })).await;
    let ours =
        ["state", "nonce", "redirect_uri", "code_challenge", "Scope", "response_mode", "request", "prompt", "", "a b"];
    let ours = [ours.as_slice(), &["iss", "aud", "exp", "nbf", "iat", "jti", "sub", "request_uri"]].concat();
    let wrong: Vec<Value> = ours.iter().map(|name| json!({ "authorization_parameters": { *name: "x" } })).collect();
    are_refused(&broker, &tenant, &wrong).await;
}

async fn are_refused(broker: &Deployment, tenant: &str, wrong: &[Value]) {
    let path = format!("/tenants/{tenant}/connections/c");
    for members in wrong {
        let body = connection("https://idp.example", members);
        let reply = broker.admin(Method::PUT, &path, Some(&body)).await;
        assert_eq!(reply.status, 400, "{members}: {}", reply.body);
        assert!(!reply.body.contains(IDP_SECRET), "{}", reply.body);
    }
    assert_eq!(broker.admin(Method::GET, &path, None).await.status, 404, "nothing was stored");
}

/// What was set is shown, and the secret is not. TK-3.
#[tokio::test]
async fn what_was_set_is_shown() {
    let broker = Deployment::from_env();
    let tenant = unique("t");
    broker.put(&format!("/tenants/{tenant}"), json!({ "name": "A tenant" })).await;
    let members = json!({
        "issuer": "https://login.example/{tenantid}/v2.0", "entra_directories": [DIRECTORY],
        "endpoints": {
            "authorization": "https://idp.example/a", "token": "https://idp.example/t", "jwks": "https://idp.example/k",
            "introspection": "https://idp.example/i", "pushed_authorization_request": "https://idp.example/p",
        },
        "scopes": ["openid", "offline_access"], "audience": "api://x", "prompt": ["login", "select_account"],
        "acr_values": ["mfa"], "max_age": 60, "response_mode": "form_post", "push_requests": true, "authorization_parameters": { "domain_hint": "corp.example" },
        "email_claim": "upn", "unique_id_claim": "oid", "groups_claim": "roles", "skew_seconds": 300,
    });
    let path = format!("/tenants/{tenant}/connections/c");
    broker.put(&path, connection("", &members)).await;
    let shown = broker.admin(Method::GET, &path, None).await;
    for (name, value) in members.as_object().expect("members") {
        assert_eq!(shown.json().get(name), Some(value), "{name}");
    }
    assert!(!shown.body.contains(IDP_SECRET));
    broker.put(&path, connection("https://idp.example", &json!({}))).await;
    let shown = broker.admin(Method::GET, &path, None).await.json();
    for (name, value) in [
        ("audience", json!("broker")),
        ("email_claim", json!("email")),
        ("unique_id_claim", json!("sub")),
        ("groups_claim", json!("groups")),
        ("skew_seconds", json!(60)),
        ("max_age", Value::Null),
        ("response_mode", json!("query")),
        ("sign_requests", json!(false)),
        ("push_requests", json!(false)),
        ("prompt", json!([])),
    ] {
        assert_eq!(shown.get(name), Some(&value), "{name}");
    }
}

/// A provider without discovery, where we are a public client, whose tokens name another audience and another unique id,
/// and whose userinfo is signed: the sign-in works all the same. RP-2, RP-4, RP-5, RP-6.
#[tokio::test]
async fn an_unusual_provider_signs_somebody_in() {
    let world = World::new().await;
    let at = |path: &str| format!("{}{path}", world.idp.issuer());
    let members = json!({
        "client_auth": "none", "client_secret": null, "audience": "api://x", "unique_id_claim": "oid",
        "endpoints": {
            "authorization": at("/authorize"), "token": at("/token"), "jwks": at("/jwks"), "userinfo": at("/userinfo"),
        },
    });
    let path = format!("/tenants/{}/connections/corp", world.tenant);
    world.broker.put(&path, connection(world.idp.issuer(), &members)).await;
    world.idp.register(Registration {
        client_id: "broker".to_owned(),
        client_secret: String::new(),
        client_auth: ClientAuth::None,
        redirect_uris: vec![world.broker.at("/oauth2/callback")],
        post_logout_redirect_uris: Vec::new(),
    });
    world.idp.lie(Lie::DiscoveryDown);
    world.idp.lie(Lie::SignedUserinfo);
    world.idp.say(Document::IdToken, "aud", json!("api://x"));
    world.idp.say(Document::IdToken, "oid", json!("object-1"));
    world.tokens().await;
    assert_eq!(world.idp.requests("/.well-known/openid-configuration"), 0);
    world.idp.lie(Lie::UserinfoForged);
    let visit = world.follow(&mut Browser::new(), &world.authorization(), ALICE).await;
    assert_eq!(visit.page().status, 502, "{}", visit.page().body);
    visit.page().assert_page();
}

/// We prove ourselves to the provider with the key that everybody can see at our address, and with no other.
#[tokio::test]
async fn a_published_key_proves_who_we_are() {
    let world = World::new().await;
    let members = json!({ "client_auth": "private_key_jwt", "client_secret": null });
    let path = format!("/tenants/{}/connections/corp", world.tenant);
    world.broker.put(&path, connection(world.idp.issuer(), &members)).await;
    world.idp.register(Registration {
        client_id: "broker".to_owned(),
        client_secret: String::new(),
        client_auth: ClientAuth::PrivateKeyJwt,
        redirect_uris: vec![world.broker.at("/oauth2/callback")],
        post_logout_redirect_uris: Vec::new(),
    });
    let visit = world.follow(&mut Browser::new(), &world.authorization(), ALICE).await;
    assert_eq!(visit.page().status, 400, "no key is known yet: {}", visit.page().body);
    world.idp.trust_keys(&world.broker.get("/oauth2/jwks").await.json());
    world.tokens().await;
}
