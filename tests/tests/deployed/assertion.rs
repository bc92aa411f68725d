//! Applications that prove who they are by signing: `private_key_jwt` (RFC 7523).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use http::Method;
use serde_json::{Value, json};
use vestibule_tests::client_key::{ASSERTION_TYPE, ClientKey};
use vestibule_tests::platform::unique;
use vestibule_tests::world::{Application, CALLBACK, code_grant, register};
use vestibule_tests::{Reply, World};

/// An application of the world's tenant with a key.
async fn signing_app(world: &World, key: &ClientKey) -> Application {
    let app = Application { id: unique("app"), secret: None, auth: "private_key_jwt" };
    let body = registration(world, &json!({ "keys": [key.jwk()] }));
    world.broker.put(&format!("/clients/{}", app.id), body).await;
    app
}

fn registration(world: &World, jwks: &Value) -> Value {
    json!({
        "name": "An application that signs", "tenants": [world.tenant], "redirect_uris": [CALLBACK],
        "client_auth": "private_key_jwt", "jwks": jwks,
    })
}

/// A token request that gets as far as its refresh token, if the statement counts: it is no good.
async fn present(world: &World, assertion: &str) -> Reply {
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", "none"),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", assertion),
    ];
    Reply::of(world.broker.request(Method::POST, "/oauth2/token").form(&form)).await
}

/// Whether the broker believed it.
fn believed(reply: &Reply) -> bool {
    match (reply.status.as_u16(), reply.text("error").as_str()) {
        (400, "invalid_grant") => true,
        (401, "invalid_client") => false,
        other => panic!("{other:?}: {}", reply.body),
    }
}

/// A whole sign-in, and a refresh, with a new statement each time. TK-15.
#[tokio::test]
async fn a_client_signs_for_itself() {
    let world = World::new().await;
    let key = ClientKey::new().await;
    let app = signing_app(&world, &key).await;
    let sign = async || key.sign(&ClientKey::claims(&app.id, &world.broker.url)).await;
    let request = world.authorization_of(&app, &world.tenant);
    let code = world.code(&request).await;
    let (first, second) = (sign().await, sign().await);
    let proof = |assertion| [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion)];
    let form = [code_grant(&code, &request.verifier).as_slice(), &proof(first.as_str())].concat();
    let reply = Reply::of(world.broker.request(Method::POST, "/oauth2/token").form(&form)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let refresh = reply.text("refresh_token");
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str()), ("client_id", &app.id)];
    let form = [refresh.as_slice(), &proof(second.as_str())].concat();
    let reply = Reply::of(world.broker.request(Method::POST, "/oauth2/token").form(&form)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
}

/// A statement counts once, however many come at once. TK-15, ED-1.
#[tokio::test]
async fn a_statement_counts_once() {
    let world = World::new().await;
    let key = ClientKey::new().await;
    let app = signing_app(&world, &key).await;
    let assertion = key.sign(&ClientKey::claims(&app.id, &world.broker.url)).await;
    let tries = (0..20).map(|_| present(&world, &assertion));
    let replies = futures_util::future::join_all(tries).await;
    assert_eq!(replies.iter().filter(|reply| believed(reply)).count(), 1);
    let mut claims = ClientKey::claims(&app.id, &world.broker.url);
    assert!(believed(&present(&world, &key.sign(&claims).await).await), "another one does");
    claims["exp"] = json!(claims["exp"].as_i64().unwrap_or_default() + 1);
    assert!(!believed(&present(&world, &key.sign(&claims).await).await), "its name is what counts");
    let neighbour = signing_app(&world, &key).await;
    claims["iss"] = json!(neighbour.id);
    claims["sub"] = json!(neighbour.id);
    assert!(believed(&present(&world, &key.sign(&claims).await).await), "names are each client's own");
}

/// What is not signed by the client, for this broker, for now, is refused. TK-15, TK-5.
#[tokio::test]
async fn wrong_statements_are_refused() {
    let world = World::new().await;
    let (key, other_key) = (ClientKey::new().await, ClientKey::new().await);
    let app = signing_app(&world, &key).await;
    let other = signing_app(&world, &other_key).await;
    let good = || ClientKey::claims(&app.id, &world.broker.url);
    let now = good()["iat"].as_i64().unwrap_or_default();
    let token_endpoint = world.broker.at("/oauth2/token");
    for (name, value) in [
        ("iss", json!(other.id)),
        ("sub", json!(other.id)),
        ("sub", json!("nobody")),
        ("aud", json!(token_endpoint)),
        ("aud", json!([world.broker.url])),
        ("aud", json!([world.broker.url, "https://other.example"])),
        ("aud", json!(format!("{}/", world.broker.url))),
        ("aud", json!("https://other.example")),
        ("exp", json!(now - 100)),
        ("exp", json!(now + 3_600)),
        ("exp", Value::Null),
        ("jti", Value::Null),
        ("jti", json!("")),
        ("nbf", json!(now + 600)),
        ("iat", json!(now + 600)),
    ] {
        let mut claims = good();
        claims[name] = value.clone();
        let reply = present(&world, &key.sign(&claims).await).await;
        assert!(!believed(&reply), "{name}: {value}");
        assert!(!reply.body.contains(&app.id), "one text for every reason: {}", reply.body);
    }
    assert!(!believed(&present(&world, &other_key.sign(&good()).await).await), "another's key");
    let kid = key.jwk()["kid"].clone();
    let posed = other_key.sign_with(&json!({ "alg": "ES256", "kid": kid }), &good()).await;
    assert!(!believed(&present(&world, &posed).await), "another's key under this one's name");
    for header in [
        json!({ "alg": "none", "kid": kid }),
        json!({ "alg": "HS256", "kid": kid }),
        json!({ "alg": "RS256", "kid": kid }),
        json!({ "alg": "ES256", "kid": "unknown" }),
        json!({ "alg": "ES256", "kid": kid, "typ": "at+jwt" }),
        json!({ "alg": "ES256", "kid": kid, "jwk": other_key.jwk() }),
        json!({ "alg": "ES256", "kid": kid, "jku": "https://evil.example/keys" }),
        json!({ "alg": "ES256", "kid": kid, "crit": ["x"] }),
    ] {
        assert!(!believed(&present(&world, &key.sign_with(&header, &good()).await).await), "{header}");
    }
    let signed = key.sign(&good()).await;
    let [header, _, signature] = signed.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    let changed = BASE64URL.encode(good().to_string());
    for wrong in [format!("{header}.{changed}.{signature}"), format!("{header}.{changed}."), "x".to_owned()] {
        assert!(!believed(&present(&world, &wrong).await), "{wrong}");
    }
    assert!(believed(&present(&world, &signed).await), "nobody else can spend it");
}

/// One way to authenticate a request, and only the registered one. TK-1, TK-15.
#[tokio::test]
async fn signing_does_not_mix_with_other_ways() {
    let world = World::new().await;
    let key = ClientKey::new().await;
    let app = signing_app(&world, &key).await;
    let grant = [("grant_type", "refresh_token"), ("refresh_token", "none")];
    for auth in ["none", "client_secret_post", "client_secret_basic"] {
        let posed = Application { id: app.id.clone(), secret: Some("s".repeat(40)), auth };
        assert_eq!(world.token(&posed, &grant).await.text("error"), "invalid_client", "{auth}");
    }
    let by_secret = register(&world.broker, "client_secret_post", &json!([world.tenant])).await;
    let posed = key.sign(&ClientKey::claims(&by_secret.id, &world.broker.url)).await;
    assert!(!believed(&present(&world, &posed).await), "it has a secret, no key");

    let assertion = key.sign(&ClientKey::claims(&app.id, &world.broker.url)).await;
    let proof = [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion.as_str())];
    let mixed = [
        [grant.as_slice(), &proof, &[("client_secret", "s")]].concat(),
        [grant.as_slice(), &proof, &[("client_id", by_secret.id.as_str())]].concat(),
        [grant.as_slice(), &proof, &proof].concat(),
        [grant.as_slice(), &[("client_assertion", assertion.as_str())]].concat(),
        [grant.as_slice(), &[("client_assertion_type", "urn:x"), ("client_assertion", assertion.as_str())]].concat(),
    ];
    for form in mixed {
        let reply = Reply::of(world.broker.request(Method::POST, "/oauth2/token").form(&form)).await;
        assert_eq!((reply.status.as_u16(), reply.text("error").as_str()), (400, "invalid_request"), "{form:?}");
    }
    let basic = world.broker.request(Method::POST, "/oauth2/token").basic_auth(&app.id, Some("s"));
    let reply = Reply::of(basic.form(&[grant.as_slice(), &proof].concat())).await;
    assert_eq!((reply.status.as_u16(), reply.text("error").as_str()), (400, "invalid_request"));
    assert!(believed(&present(&world, &assertion).await), "none of that spent it");
}

/// Keys are public, few, and in the registration itself; whatever tells a private key is refused. TK-15, ED-10.
#[tokio::test]
async fn a_registration_holds_public_keys_only() {
    let world = World::new().await;
    let key = ClientKey::new().await;
    let path = format!("/clients/{}", unique("app"));
    let with = |name: &str, value: Value| {
        let mut jwk = key.jwk();
        jwk[name] = value;
        json!({ "keys": [jwk] })
    };
    let wrong = [
        with("d", json!("AAAA")),
        with("k", json!("AAAA")),
        with("kty", json!("oct")),
        with("use", json!("enc")),
        with("x", json!("AAAA")),
        with("crv", json!("P-999")),
        json!({ "keys": [] }),
        json!({ "keys": vec![key.jwk(); 11] }),
        json!({ "keys": ["x"] }),
        json!({ "keys": [key.jwk()], "jwks_uri": "https://app.example/keys" }),
        Value::Null,
    ];
    for jwks in wrong {
        let reply = world.broker.admin(Method::PUT, &path, Some(&registration(&world, &jwks))).await;
        assert_eq!(reply.status, 400, "{jwks}: {}", reply.body);
    }
    let mut body = registration(&world, &json!({ "keys": [key.jwk()] }));
    body["client_secret"] = json!("s".repeat(40));
    assert_eq!(world.broker.admin(Method::PUT, &path, Some(&body)).await.status, 400, "a secret beside the keys");
    let mut body = registration(&world, &json!({ "keys": [key.jwk()] }));
    body["client_auth"] = json!("none");
    assert_eq!(world.broker.admin(Method::PUT, &path, Some(&body)).await.status, 400, "keys without their use");
    let good = registration(&world, &json!({ "keys": [key.jwk()] }));
    let reply = world.broker.admin(Method::PUT, &path, Some(&good)).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    assert_eq!(reply.json()["jwks"]["keys"][0]["x"], key.jwk()["x"]);
}
