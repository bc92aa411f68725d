//! Who may speak SCIM, as administrators set it up and as directories ask for it: tokens, and OAuth clients at the token
//! endpoint. What these open, and when they end, is in `flows`.

use futures_util::future::join_all;
use http::Method;
use serde_json::{Value, json};
use vestibule_tests::client_key::{ASSERTION_TYPE, ClientKey};
use vestibule_tests::{Reply, World};

const ENTRA: &str = "https://login.microsoftonline.com/8f1b8b2e-0000-4000-8000-000000000000/v2.0";

async fn post(world: &World, path: &str, members: &Value) -> Reply {
    let mut body = json!({"name": "Entra"});
    body.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
    world.broker.admin(Method::POST, &format!("/tenants/{}{path}", world.tenant), Some(&body)).await
}

async fn ask(world: &World, form: &[(&str, &str)]) -> Reply {
    let form = [&[("grant_type", "client_credentials"), ("scope", "scim")], form].concat();
    Reply::of(world.broker.request(Method::POST, "/oauth2/token").form(&form)).await
}

/// Seen once, then never again; of rotations at once one succeeds. TK-3, ED-1
#[tokio::test]
async fn a_token_is_shown_once_and_rotated_once() {
    let world = World::new().await;
    let made = post(&world, "/scim-tokens", &json!({"connection": "corp"})).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert!(made.header("etag").is_some() && made.header("cache-control").is_some_and(|it| it.contains("no-store")));
    let (id, token) = (made.text("id"), made.text("token"));
    assert!(token.starts_with("vst_p_") && token.len() > 60, "{token}");
    let secret = token.split_once('.').expect("two parts").1;
    let all = format!("/tenants/{}/scim-tokens", world.tenant);
    for path in [all.clone(), format!("{all}/{id}")] {
        let shown = world.broker.admin(Method::GET, &path, None).await;
        assert!(shown.body.contains(&id) && !shown.body.contains(secret), "{}", shown.body);
    }
    let rotate = format!("{all}/{id}/rotate");
    let body = json!({"overlap_seconds": 600});
    let rotations = join_all((0..8).map(|_| world.broker.admin(Method::POST, &rotate, Some(&body)))).await;
    let new: Vec<_> = rotations.iter().filter(|reply| reply.status == 200).collect();
    assert_eq!(new.len(), 1, "{:?}", rotations.iter().map(|reply| reply.status).collect::<Vec<_>>());
    let listed = world.broker.admin(Method::GET, &all, None).await.json();
    let listed = listed["items"].as_array().expect("items").clone();
    assert_eq!(listed.len(), 2, "{listed:?}");
    let old = listed.iter().find(|token| token["id"] == json!(id)).expect("it goes on");
    assert_eq!(old["replaced_by"], json!(new[0].text("id")));
}

/// A tenant's administrator lets its directories in; a reading token does not, and another tenant's is not there. SC-2
#[tokio::test]
async fn a_tenants_administrator_lets_directories_in() {
    let (world, other) = (World::new().await, World::new().await);
    let scope = |tenant: &str, rest: &str| format!("tenant:{tenant}{rest}");
    let (_, own) = world.broker.token(&[&scope(&world.tenant, "")]).await;
    let (_, reading) = world.broker.token(&[&scope(&world.tenant, ":read")]).await;
    let (_, foreign) = world.broker.token(&[&scope(&other.tenant, "")]).await;
    for (path, members) in [("scim-tokens", json!({})), ("scim-clients", json!({"client_auth": "client_secret_post"}))]
    {
        let (all, mut body) = (format!("/tenants/{}/{path}", world.tenant), members);
        body["name"] = json!("Okta");
        let made = own.admin(Method::POST, &all, Some(&body)).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let id = made.json()["id"].as_str().map_or_else(|| made.text("client_id"), str::to_owned);
        let one = format!("{all}/{id}");
        let theirs = format!("/tenants/{}/{path}/{id}", other.tenant);
        for (bearer, method, path, expected) in [
            (&reading, Method::GET, &one, 200),
            (&reading, Method::GET, &all, 200),
            (&reading, Method::POST, &all, 403),
            (&reading, Method::DELETE, &one, 403),
            (&foreign, Method::GET, &all, 404),
            (&foreign, Method::POST, &all, 404),
            (&foreign, Method::DELETE, &one, 404),
            (&foreign, Method::GET, &theirs, 404),
            (&foreign, Method::DELETE, &theirs, 404),
            (&own, Method::DELETE, &one, 204),
            (&own, Method::GET, &one, 404),
        ] {
            let reply = bearer.admin(method.clone(), path, Some(&body)).await;
            assert_eq!(reply.status, expected, "{method} {path}: {}", reply.body);
        }
    }
}

/// EN-9, TK-15: by secret and by signature; one statement counts once, however many come at once. What a directory gets is
/// no person's token.
#[tokio::test]
async fn directories_get_tokens_for_themselves() {
    let world = World::new().await;
    let made = post(&world, "/scim-clients", &json!({"client_auth": "client_secret_basic"})).await;
    let (id, secret) = (made.text("client_id"), made.text("client_secret"));
    let request = world.broker.request(Method::POST, "/oauth2/token").basic_auth(&id, Some(&secret));
    let reply = Reply::of(request.form(&[("grant_type", "client_credentials")])).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(reply.header("cache-control").is_some_and(|it| it.contains("no-store")));
    assert_eq!((reply.text("scope"), reply.json().get("refresh_token")), ("scim".to_owned(), None));
    let userinfo = world.broker.request(Method::GET, "/oauth2/userinfo").bearer_auth(reply.text("access_token"));
    assert_eq!(Reply::of(userinfo).await.status, 401);
    assert_eq!(ask(&world, &[("client_id", &id), ("client_secret", &secret)]).await.status, 401);
    assert_eq!(
        world.token(&world.app, &[("grant_type", "client_credentials")]).await.text("error"),
        "unauthorized_client"
    );

    let key = ClientKey::new().await;
    let made =
        post(&world, "/scim-clients", &json!({"client_auth": "private_key_jwt", "jwks": {"keys": [key.jwk()]}})).await;
    let signed = key.sign(&ClientKey::claims(&made.text("client_id"), &world.broker.url)).await;
    let proof = [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", signed.as_str())];
    let replies = join_all((0..10).map(|_| ask(&world, &proof))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
    let path = format!("/tenants/{}/scim-clients/{}", world.tenant, made.text("client_id"));
    assert_eq!(world.broker.admin(Method::DELETE, &path, None).await.status, 204);
    let signed = key.sign(&ClientKey::claims(&made.text("client_id"), &world.broker.url)).await;
    let proof = [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", signed.as_str())];
    assert_eq!(ask(&world, &proof).await.text("error"), "invalid_client");
}

/// EN-9: an issuer vouches for its workload; its keys are found by its metadata, over the network.
#[tokio::test]
async fn a_trusted_issuer_vouches() {
    let world = World::new().await;
    let trusted = json!({"issuer": world.idp.issuer(), "subject": "object-id", "audience": "api://scim"});
    let made =
        post(&world, "/scim-clients", &json!({"client_auth": "trusted_issuer", "trusted_issuer": trusted})).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let id = made.text("client_id");
    let mut claims = ClientKey::claims("object-id", "api://scim");
    claims["iss"] = json!(world.idp.issuer());
    let good = world.idp.vouch(&claims).await.expect("a signature");
    let proof =
        |assertion| [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion), ("client_id", &*id)];
    let form = proof(&good);
    let replies = join_all((0..5).map(|_| ask(&world, &form))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1, "it has a name, and counts once");
    claims["sub"] = json!("another");
    let wrong = world.idp.vouch(&claims).await.expect("a signature");
    assert_eq!(ask(&world, &proof(&wrong)).await.text("error"), "invalid_client");
}

/// What cannot be right is refused, with the place. AZ-13
#[tokio::test]
async fn what_cannot_be_right_is_refused() {
    let world = World::new().await;
    let key = ClientKey::new().await.jwk();
    let trusted = |members: Value| {
        let mut trusted = json!({"issuer": ENTRA, "subject": "s"});
        trusted.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
        json!({"client_auth": "trusted_issuer", "trusted_issuer": trusted})
    };
    let secret = |name: &str, value: Value| json!({"client_auth": "client_secret_basic", name: value});
    for (members, path) in [
        (json!({}), "/client_auth"),
        (json!({"client_auth": "none"}), "/client_auth"),
        (secret("access_token_life", json!(3599)), "/access_token_life"),
        (secret("access_token_life", json!(21_601)), "/access_token_life"),
        (secret("connection", json!("nowhere")), "/connection"),
        (secret("jwks", json!({"keys": [key]})), "/jwks"),
        (secret("client_secret", json!("mine")), "/client_secret"),
        (secret("trusted_issuer", json!({"issuer": ENTRA, "subject": "s"})), "/trusted_issuer"),
        (json!({"client_auth": "private_key_jwt"}), "/jwks"),
        (json!({"client_auth": "private_key_jwt", "jwks": {"keys": [{"kty": "oct", "k": "AA"}]}}), "/jwks/keys/0"),
        (json!({"client_auth": "trusted_issuer"}), "/trusted_issuer"),
        (trusted(json!({"issuer": "ftp://idp.example"})), "/trusted_issuer/issuer"),
        (trusted(json!({"issuer": "https://10.0.0.1"})), "/trusted_issuer/issuer"),
        (trusted(json!({"issuer": "https://idp.example/{tenantid}"})), "/trusted_issuer/issuer"),
        (trusted(json!({"subject": ""})), "/trusted_issuer/subject"),
        (trusted(json!({"subject": ENTRA})), "/trusted_issuer/subject"),
        (trusted(json!({"audience": "x".repeat(256)})), "/trusted_issuer/audience"),
    ] {
        let reply = post(&world, "/scim-clients", &members).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["problems"][0]["path"]), (400, &json!(path)), "{members}");
    }
    for (members, path) in [
        (json!({"name": ""}), "/name"),
        (json!({"expires_at": 1}), "/expires_at"),
        (json!({"connection": "nowhere"}), "/connection"),
        (json!({"token": "mine"}), "/token"),
    ] {
        let reply = post(&world, "/scim-tokens", &members).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["problems"][0]["path"]), (400, &json!(path)), "{members}");
    }
    for _ in 0..20 {
        assert_eq!(post(&world, "/scim-clients", &secret("connection", Value::Null)).await.status, 201);
    }
    assert_eq!(post(&world, "/scim-clients", &secret("connection", Value::Null)).await.status, 400);
    let nowhere = world.broker.admin(Method::POST, "/tenants/none/scim-tokens", Some(&json!({"name": "x"}))).await;
    assert_eq!(nowhere.status, 404);
}
