//! The broker's signing keys in the administrator's hands. A new key signs only seven minutes after it is published, so
//! what happens then is in `flows`.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use vestibule_protocol::jose::Algorithm;
use vestibule_tests::platform::{crypto, ec_private_jwk, unique};
use vestibule_tests::world::{World, member};
use vestibule_tests::{Deployment, Reply};

const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "k", "oth"];

/// The names of the keys in a set or a view, in order; nothing in it is private.
fn names(reply: &Reply) -> Vec<String> {
    assert_eq!(reply.status, 200, "{}", reply.body);
    let keys = reply.json().get("keys").and_then(Value::as_array).cloned().expect("a list");
    for (key, private) in keys.iter().flat_map(|key| PRIVATE.map(|private| (key, private))) {
        assert_eq!(key.get(private), None, "{private}");
    }
    keys.iter().map(|key| member(key, "kid")).collect()
}

/// Waits until the key set has a key: what a process or a place remembers of the set is two minutes old at most.
async fn until_published(broker: &Deployment, kid: &str) {
    for _ in 0..130 {
        if names(&broker.get("/oauth2/jwks").await).iter().any(|known| known == kid) {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    panic!("{kid} is not published");
}

/// A rotation by hand publishes a key, keeps the others, and takes nothing from the tokens that are out; so does a key
/// of the owner's, which comes next in its place. Nothing that can be seen has private members. TK-16, ED-10.
#[tokio::test]
async fn a_new_key_leaves_old_tokens_alone() {
    let world = World::new().await;
    let broker = &world.broker;
    let tokens = world.tokens().await;
    let before = names(&broker.get("/oauth2/jwks").await);

    let rotated = broker.admin(Method::POST, "/signing-keys/rotate", None).await;
    let kids = names(&rotated);
    let next = kids.iter().find(|kid| !before.contains(kid)).cloned().unwrap_or_else(|| kids[1].clone());
    until_published(broker, &next).await;
    assert_eq!(names(&broker.admin(Method::POST, "/signing-keys/rotate", None).await), kids, "one is enough");

    let own = unique("own");
    let key = crypto().generate(Algorithm::ES256).await.expect("a key");
    let jwk = ec_private_jwk(&key, &own);
    let set = json!({ "keys": [jwk] });
    let imported = broker.admin(Method::PUT, "/signing-keys", Some(&set)).await;
    assert!(names(&imported).contains(&own));
    assert!(!imported.body.contains(&member(&jwk, "d")));
    until_published(broker, &own).await;
    let seen = broker.admin(Method::GET, "/signing-keys", None).await;
    assert_eq!(names(&seen), names(&imported));
    assert_eq!(names(&broker.admin(Method::PUT, "/signing-keys", Some(&set)).await), names(&imported), "sent again");

    let set = names(&broker.get("/oauth2/jwks").await);
    assert!(set.contains(&before[0]), "the key that signed the tokens is there: {set:?}");
    assert_eq!(world.userinfo(&tokens).await.status, 200);
    let refreshed = world.refresh(&member(&tokens, "refresh_token")).await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.body);
    let logout = broker.get(&format!("/oauth2/logout?id_token_hint={}", member(&tokens, "id_token"))).await;
    assert_eq!(logout.status, 200, "{}", logout.body);

    let path = format!("/signing-keys/{own}");
    assert_eq!(broker.admin(Method::DELETE, &path, None).await.status, 204);
    let left = names(&broker.admin(Method::GET, "/signing-keys", None).await);
    assert!(!left.contains(&own) && left.contains(&before[0]), "one key is removed: {left:?}");
    assert_eq!(broker.admin(Method::DELETE, &path, None).await.status, 404);
}

/// A key that cannot sign for its public half, or is not for the deployment's algorithm, is refused on every platform,
/// and nothing of it is repeated. TK-16, CK-8.
#[tokio::test]
async fn unusable_keys_are_refused() {
    let broker = Deployment::from_env();
    let (key, other) = (crypto().generate(Algorithm::ES256).await, crypto().generate(Algorithm::ES256).await);
    let (key, other) = (key.expect("a key"), other.expect("a key"));
    let secret = member(&ec_private_jwk(&key, "x"), "d");
    let with = |name: &str, value: Value| {
        let mut jwk = ec_private_jwk(&key, &unique("k"));
        jwk[name] = value;
        jwk
    };
    let zero = json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    for (why, jwk) in [
        ("a symmetric key", json!({ "kty": "oct", "k": secret })),
        ("another algorithm", json!({ "kty": "OKP", "crv": "Ed25519", "d": secret, "x": secret })),
        ("a public key", with("d", Value::Null)),
        ("two halves of two keys", with("d", json!(member(&ec_private_jwk(&other, "x"), "d")))),
        ("a zero", with("d", zero.clone())),
        ("a point off the curve", with("y", zero)),
        ("a short number", with("d", json!("AAEC"))),
        ("no text", with("d", json!(7))),
        ("for encryption", with("use", json!("enc"))),
        ("no name", with("kid", json!(""))),
    ] {
        let reply = broker.admin(Method::PUT, "/signing-keys", Some(&json!({ "keys": [jwk] }))).await;
        assert_eq!(reply.status, 400, "{why}: {}", reply.body);
        assert!(!reply.body.contains(&secret), "{why}");
    }
    for body in [json!({}), json!({ "keys": [] }), json!([]), json!({ "keys": ["x"] })] {
        let reply = broker.admin(Method::PUT, "/signing-keys", Some(&body)).await;
        assert_eq!(reply.status, 400, "{body}: {}", reply.body);
    }
}

/// The keys are the administrator's alone. TK-2.
#[tokio::test]
async fn nobody_else_touches_the_keys() {
    let broker = Deployment::from_env();
    for (method, path) in [
        (Method::GET, "signing-keys"),
        (Method::PUT, "signing-keys"),
        (Method::POST, "signing-keys/rotate"),
        (Method::DELETE, "signing-keys/any"),
    ] {
        for token in [None, Some("not-the-token-of-the-administrator")] {
            let request = broker.request(method.clone(), &format!("/admin/v1/{path}")).body(r#"{"keys":[]}"#);
            let request = token.into_iter().fold(request, reqwest::RequestBuilder::bearer_auth);
            assert_eq!(Reply::of(request).await.status, 401, "{method} {path}");
        }
    }
    for (method, path) in [(Method::GET, "/signing-keys/rotate"), (Method::DELETE, "/signing-keys")] {
        assert_eq!(broker.admin(method, path, None).await.status, 405, "{path}");
    }
}
