//! Signing keys in the administrator's hands: rotation by hand, and keys that the owner brings along.

use axum::body::Body;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use vestibule_core::platform::PrivateKey;
use vestibule_core::store::{Key, Partition};
use vestibule_protocol::jose::Algorithm;
use vestibule_protocol::time::Seconds;
use vestibule_testkit::crypto_conformance::PRIVATE_JWKS;
use vestibule_tests::Reply;
use vestibule_tests::in_process::TestBroker;
use vestibule_tests::platform::ec_private_jwk;

use super::rotation::{DAY, pass, signed_with, userinfo};

/// Name, state, and when it is to be used.
type Seen = (String, String, Option<i64>);

/// The keys as the administrator sees them.
async fn keys(test: &TestBroker) -> Vec<Seen> {
    shown(&test.admin(Method::GET, "/signing-keys", &Value::Null).await)
}

async fn rotate(test: &TestBroker) -> Vec<Seen> {
    shown(&test.admin(Method::POST, "/signing-keys/rotate", &Value::Null).await)
}

async fn put(test: &TestBroker, body: &Value) -> Reply {
    let request = Request::put("/admin/v1/signing-keys");
    let request = request.header(header::AUTHORIZATION, format!("Bearer {}", test.broker.config.admin_token.expose()));
    test.send(request.body(Body::from(body.to_string())).expect("a request")).await
}

fn shown(view: &Value) -> Vec<Seen> {
    let text = |key: &Value, name: &str| key[name].as_str().expect("a text").to_owned();
    let keys = view["keys"].as_array().unwrap_or_else(|| panic!("no list: {view}")).iter();
    keys.map(|key| (text(key, "kid"), text(key, "state"), key["use_from"].as_i64())).collect()
}

fn states(keys: &[Seen]) -> Vec<&str> {
    keys.iter().map(|(_, state, _)| state.as_str()).collect()
}

/// The key of a specification, with a name.
fn jwk(algorithm: Algorithm, kid: &str) -> Value {
    let found = PRIVATE_JWKS.iter().find(|(of, _)| *of == algorithm).expect("a key");
    let mut jwk: Value = serde_json::from_str(found.1).expect("JSON");
    jwk["kid"] = json!(kid);
    jwk
}

async fn new_key(test: &TestBroker) -> PrivateKey {
    test.broker.platform.crypto.generate(Algorithm::ES256).await.expect("a key")
}

/// TK-16: a rotation by hand keeps the overlap: the next key is published for seven minutes before it signs, however
/// often it is asked for, and what the old key signed stays good.
#[tokio::test]
async fn a_rotation_by_hand_keeps_the_overlap() {
    let test = TestBroker::new().await;
    let old = test.tokens().await;
    let first = keys(&test).await;
    assert_eq!(states(&first), ["active"]);
    let asked = rotate(&test).await;
    assert_eq!(states(&asked), ["active", "published"]);
    assert_eq!(rotate(&test).await, asked);
    pass(&test, Seconds(419)).await;
    assert_eq!(signed_with(&test).await, first[0].0);
    pass(&test, Seconds(1)).await;
    assert_eq!(signed_with(&test).await, asked[1].0);
    assert_eq!(states(&keys(&test).await), ["active", "retired"]);
    assert_eq!(userinfo(&test, &old).await, StatusCode::OK);
}

/// A scheduled successor that waits is brought forward, not joined by another.
#[tokio::test]
async fn a_rotation_by_hand_takes_the_key_that_waits() {
    let test = TestBroker::new().await;
    keys(&test).await;
    pass(&test, Seconds(89 * DAY)).await;
    pass(&test, Seconds(600)).await;
    let waiting = keys(&test).await;
    assert_eq!(states(&waiting), ["active", "published"]);
    rotate(&test).await;
    pass(&test, Seconds(60)).await;
    assert_eq!(signed_with(&test).await, waiting[1].0, "it was published long enough");
}

/// The owner's key is published, then signs, on a deployment of each algorithm. What is stored and shown has no private
/// member. TK-16, ED-10.
#[tokio::test]
async fn the_owners_key_comes_into_use() {
    for algorithm in [Algorithm::ES256, Algorithm::RS256, Algorithm::EdDSA] {
        let test = TestBroker::new().await.with_settings(|config| config.signing_algorithm = algorithm);
        test.tokens().await;
        let own = jwk(algorithm, "mine");
        let reply = put(&test, &json!({ "keys": [own] })).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
        let set = test.get("/oauth2/jwks", "").await.body;
        assert!(set.contains("\"mine\""), "{set}");
        let ring = Key { partition: Partition::new("keys"), id: "ring".to_owned() };
        let stored = test.store.get(&ring).await.expect("a store").expect("a ring").value;
        for private in ["d", "p", "q", "dp", "dq", "qi"] {
            let Some(secret) = own[private].as_str() else { continue };
            for text in [&reply.body, &set, &stored] {
                assert!(!text.contains(secret) && !text.contains(&format!("\"{private}\"")), "{private}");
            }
        }
        pass(&test, Seconds(419)).await;
        let old = test.tokens().await;
        assert_ne!(signed_with(&test).await, "mine");
        pass(&test, Seconds(1)).await;
        assert_eq!(signed_with(&test).await, "mine");
        assert_eq!(userinfo(&test, &test.tokens().await).await, StatusCode::OK);
        assert_eq!(userinfo(&test, &old).await, StatusCode::OK);
    }
}

async fn remove(test: &TestBroker, kid: &str) -> Reply {
    test.try_admin(Method::DELETE, &format!("/signing-keys/{kid}"), &Value::Null).await
}

/// A key that somebody else may have is gone at once: nothing that it signed counts, another signs, and sessions go on
/// with tokens of that one. TK-16.
#[tokio::test]
async fn a_stolen_key_is_removed_at_once() {
    let test = TestBroker::new().await;
    let old = test.tokens().await;
    let stolen = keys(&test).await[0].0.clone();
    let other = test.another_process(None);
    assert_eq!(userinfo(&other, &old).await, StatusCode::OK);

    assert_eq!(remove(&test, &stolen).await.status, StatusCode::NO_CONTENT);
    let left = keys(&test).await;
    assert_eq!(states(&left), ["active"]);
    assert_ne!(left[0].0, stolen);
    assert!(!test.get("/oauth2/jwks", "").await.body.contains(&stolen));
    assert_eq!(userinfo(&test, &old).await, StatusCode::UNAUTHORIZED);
    let hint = old["id_token"].as_str().expect("a token");
    assert_eq!(test.get(&format!("/oauth2/logout?id_token_hint={hint}"), "").await.status, StatusCode::BAD_REQUEST);
    let refreshed = test.refresh(old["refresh_token"].as_str().expect("a token")).await.json();
    assert_eq!(userinfo(&test, &refreshed).await, StatusCode::OK);
    assert_eq!(signed_with(&test).await, left[0].0);

    test.clock.advance(Seconds(60));
    assert_eq!(userinfo(&other, &old).await, StatusCode::UNAUTHORIZED, "other processes follow within a minute");
    assert_eq!(remove(&test, &stolen).await.status, StatusCode::NOT_FOUND);
    assert_eq!(keys(&test).await, left);
}

/// What waits takes over when the active key is removed; any other key goes without a change of who signs.
#[tokio::test]
async fn a_removal_leaves_one_that_signs() {
    let test = TestBroker::new().await;
    let published = rotate(&test).await;
    let [(active, ..), (waiting, ..)] = published.as_slice() else { panic!("two keys: {published:?}") };
    remove(&test, active).await;
    let left = keys(&test).await;
    assert_eq!((left.len(), &left[0].0, states(&left)), (1, waiting, vec!["active"]));
    let again = rotate(&test).await;
    assert_eq!(states(&again), ["active", "published"]);
    remove(&test, &again[1].0).await;
    assert_eq!(keys(&test).await, left);
    for nobody in ["", "unknown", "a%2Fb", "rotate/x"] {
        let status = remove(&test, nobody).await.status;
        assert!(matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED), "{nobody}: {status}");
    }
    assert_eq!(keys(&test).await, left);
}

/// The tick seals the keys with the sealing key that is first now, so that the one before it can go. A sealing key that
/// is not there yet costs nothing. CK-9, TK-16.
#[tokio::test]
async fn keys_are_sealed_anew() {
    let test = TestBroker::new().await;
    let old = test.tokens().await;
    rotate(&test).await;
    let before = keys(&test).await;
    let stranger = test.with_sealing_keys(vec![("new", 9)]);
    stranger.broker.tick().await.expect("ticks");
    assert_eq!(userinfo(&test.another_process(None), &old).await, StatusCode::OK, "what does not open stays");

    let both = test.with_sealing_keys(vec![("new", 9), ("k1", 1)]);
    both.broker.tick().await.expect("ticks");
    assert_eq!(keys(&stranger).await, before);
    assert_eq!(userinfo(&stranger, &old).await, StatusCode::OK);
    let ring = Key { partition: Partition::new("keys"), id: "ring".to_owned() };
    let version = test.store.get(&ring).await.expect("a store").expect("a ring").version;
    both.broker.tick().await.expect("ticks");
    assert_eq!(test.store.get(&ring).await.expect("a store").expect("a ring").version, version, "once");
}

/// A set is the whole of what comes next, in its order; sending it again changes nothing, before its first use or after.
#[tokio::test]
async fn a_set_is_a_queue_and_can_be_sent_again() {
    let test = TestBroker::new().await;
    let generated = rotate(&test).await;
    let second = ec_private_jwk(&new_key(&test).await, "second");
    let queue = json!({ "keys": [jwk(Algorithm::ES256, "first"), second] });
    let sent = shown(&put(&test, &queue).await.json());
    let names: Vec<&str> = sent.iter().map(|key| key.0.as_str()).collect();
    assert_eq!(names, [&generated[0].0, "first", "second"], "what waited unused is gone");
    assert_eq!(sent[2].2, sent[1].2.map(|first| first + 90 * DAY), "one rotation later");
    test.clock.advance(Seconds(100));
    assert_eq!(shown(&put(&test, &queue).await.json()), sent);
    pass(&test, Seconds(320)).await;
    assert_eq!(signed_with(&test).await, "first");
    let used = keys(&test).await;
    assert_eq!(states(&used), ["active", "retired", "published"]);
    assert_eq!(shown(&put(&test, &queue).await.json()), used);
    assert_eq!(used[2].2, sent[2].2);
}

/// What cannot sign, or has somebody else's name, is refused, and the ring stays as it was. Answers quote nothing.
#[tokio::test]
async fn unusable_sets_are_refused() {
    let test = TestBroker::new().await;
    put(&test, &json!({ "keys": [jwk(Algorithm::ES256, "mine")] })).await;
    pass(&test, Seconds(420)).await;
    let before = keys(&test).await;
    assert_eq!(states(&before), ["active", "retired"]);
    let mine = |member: &str, value: Value| {
        let mut key = jwk(Algorithm::ES256, "mine");
        key[member] = value;
        json!({ "keys": [key] })
    };
    let new = new_key(&test).await;
    let stranger = |kid: &str| ec_private_jwk(&new, kid);
    let with = |member: &str, value: Value| {
        let mut key = stranger("k");
        key[member] = value;
        json!({ "keys": [key] })
    };
    let secret = jwk(Algorithm::ES256, "x")["d"].as_str().expect("a number").to_owned();
    let zero = json!(BASE64URL.encode([0; 32]));
    for (why, body) in [
        ("no key", json!({ "keys": [] })),
        ("nine keys", json!({ "keys": vec![stranger("k"); 9] })),
        ("no list", json!({})),
        ("a symmetric key", json!({ "keys": [{ "kty": "oct", "k": secret }] })),
        ("another algorithm", json!({ "keys": [jwk(Algorithm::EdDSA, "ed")] })),
        ("another algorithm", json!({ "keys": [jwk(Algorithm::RS256, "rsa")] })),
        ("a public key", with("d", Value::Null)),
        ("two halves of two keys", with("d", json!(secret))),
        ("two halves of two keys, one known", mine("d", stranger("k")["d"].clone())),
        ("a point off the curve", with("y", zero.clone())),
        ("a zero", with("d", zero)),
        ("for encryption", with("use", json!("enc"))),
        ("there under another name", mine("kid", json!("other"))),
        ("the name of another", json!({ "keys": [stranger("mine")] })),
        ("the name of a retired one", json!({ "keys": [stranger(&before[1].0)] })),
        ("a name that is none", json!({ "keys": [stranger("a b")] })),
        ("twice", json!({ "keys": [stranger("k"), stranger("k")] })),
        ("twice, with two names", json!({ "keys": [stranger("k"), stranger("l")] })),
    ] {
        let reply = put(&test, &body).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{why}: {}", reply.body);
        assert!(!reply.body.contains(&secret), "{why}");
        assert_eq!(keys(&test).await, before, "{why}");
    }
}

/// PKCS #8 of Ed25519 has the private half alone: that it is not that of `x` shows in its signature only.
#[tokio::test]
async fn an_ed25519_key_of_two_halves_is_refused() {
    let test = TestBroker::new().await.with_settings(|config| config.signing_algorithm = Algorithm::EdDSA);
    let before = keys(&test).await;
    let mut halves = jwk(Algorithm::EdDSA, "halves");
    let other = test.get("/oauth2/jwks", "").await.json();
    halves["x"] = other["keys"][0]["x"].clone();
    assert_eq!(put(&test, &json!({ "keys": [halves] })).await.status, StatusCode::BAD_REQUEST);
    let mut unknown = jwk(Algorithm::EdDSA, "unknown");
    unknown["x"] = unknown["d"].clone();
    assert_eq!(put(&test, &json!({ "keys": [unknown] })).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(keys(&test).await, before);
}
