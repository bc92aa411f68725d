//! The life of a signing key: published, active, retired, gone; by the tick, and as applications see it.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use futures_util::future::join_all;
use http::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256, Sha512};
use vestibule_core::store::{Expect, Key, Partition, Write};
use vestibule_protocol::jose::Algorithm;
use vestibule_protocol::time::Seconds;
use vestibule_tests::in_process::{TestBroker, claims};

use super::keys::{AllLookFirst, PROCESSES};

pub(super) const DAY: i64 = 86_400;

/// Lets time pass for broker and provider, and the scheduled work happen.
pub(super) async fn pass(test: &TestBroker, time: Seconds) {
    test.clock.advance(time);
    test.idp_clock.advance(time);
    test.broker.tick().await.expect("ticks");
}

/// The names of the published keys, in order.
async fn published(test: &TestBroker) -> Vec<String> {
    let set = test.get("/oauth2/jwks", "").await.json();
    let keys = set["keys"].as_array().expect("a list").clone();
    keys.iter().map(|key| key["kid"].as_str().expect("a name").to_owned()).collect()
}

fn header(token: &Value) -> Value {
    let header = token.as_str().and_then(|token| token.split('.').next()).expect("a token");
    serde_json::from_slice(&BASE64URL.decode(header).expect("base64url")).expect("a header")
}

pub(super) async fn userinfo(test: &TestBroker, tokens: &Value) -> StatusCode {
    test.userinfo(tokens["access_token"].as_str().expect("a token")).await.status
}

/// The name of the key that signs now.
pub(super) async fn signed_with(test: &TestBroker) -> String {
    header(&test.tokens().await["id_token"])["kid"].as_str().expect("a name").to_owned()
}

async fn sign_out(test: &TestBroker, tokens: &Value) -> StatusCode {
    let hint = tokens["id_token"].as_str().expect("a token");
    test.get(&format!("/oauth2/logout?id_token_hint={hint}"), "").await.status
}

/// TK-16: a key signs for ninety days. Its successor is published a day before, and it stays for as long as anything
/// that it signed is of use.
#[tokio::test]
async fn keys_rotate_with_overlap() {
    let test = TestBroker::new().await;
    let first = published(&test).await;
    pass(&test, Seconds(89 * DAY - 1)).await;
    assert_eq!(published(&test).await, first, "nothing is due");

    pass(&test, Seconds(1)).await;
    let both = published(&test).await;
    assert_eq!((both.len(), &both[..1]), (2, &first[..]), "the successor is known");
    let before = test.tokens().await;
    assert_eq!(header(&before["id_token"])["kid"], json!(first[0]), "and not used");
    pass(&test, Seconds(DAY - 1)).await;
    assert_eq!(header(&test.tokens().await["access_token"])["kid"], json!(first[0]));
    let last = test.tokens().await;

    pass(&test, Seconds(1)).await;
    let after = test.tokens().await;
    assert_eq!(header(&after["id_token"])["kid"], json!(both[1]), "now it signs");
    assert_eq!(header(&after["access_token"])["kid"], json!(both[1]));
    assert_eq!(published(&test).await, [both[1].clone(), first[0].clone()]);
    assert_eq!(userinfo(&test, &last).await, StatusCode::OK, "the old key's tokens are good");
    assert_eq!(userinfo(&test, &after).await, StatusCode::OK);

    pass(&test, Seconds(7 * DAY + 419)).await;
    assert_eq!(published(&test).await.len(), 2);
    assert_eq!(sign_out(&test, &last).await, StatusCode::OK, "an ID token names its session to the end");
    pass(&test, Seconds(1)).await;
    assert_eq!(published(&test).await, both[1..], "the old key is gone");
    assert_eq!(sign_out(&test, &before).await, StatusCode::BAD_REQUEST, "and verifies no more");
    assert_eq!(sign_out(&test, &after).await, StatusCode::OK);
}

/// TK-16: a process that did not make the change follows within a minute, and until then signs with the old key, which
/// everybody still accepts.
#[tokio::test]
async fn other_processes_follow() {
    let test = TestBroker::new().await;
    published(&test).await;
    pass(&test, Seconds(89 * DAY)).await;
    pass(&test, Seconds(DAY - 30)).await;
    let other = test.another_process(None);
    let keys = published(&other).await;
    pass(&test, Seconds(30)).await;
    let late = other.tokens().await;
    assert_eq!(header(&late["access_token"])["kid"], json!(keys[0]));
    assert_eq!(userinfo(&test, &late).await, StatusCode::OK);
    let early = test.tokens().await;
    assert_eq!(header(&early["access_token"])["kid"], json!(keys[1]));
    assert_eq!(userinfo(&other, &early).await, StatusCode::OK, "it was published long enough");
    test.clock.advance(Seconds(30));
    assert_eq!(header(&other.tokens().await["access_token"])["kid"], json!(keys[1]));
}

/// ED-5, TK-16: of two hundred ticks at the same moment, one changes the ring.
#[tokio::test]
async fn ticks_at_once_make_one_successor() {
    let test = TestBroker::new().await;
    let first = published(&test).await;
    test.clock.advance(Seconds(89 * DAY));
    let store = AllLookFirst::over(&test.store);
    let processes: Vec<_> = (0..PROCESSES).map(|_| test.another_process(Some(Arc::clone(&store)))).collect();
    for outcome in join_all(processes.iter().map(|process| process.broker.tick())).await {
        outcome.expect("a lost race is no failure");
    }
    let keys = published(&test).await;
    assert_eq!((keys.len(), &keys[..1]), (2, &first[..]));
}

/// ED-5: after a year without ticks nothing is rushed: the successor is published first, as always.
#[tokio::test]
async fn missed_ticks_cost_nothing() {
    let test = TestBroker::new().await;
    let first = published(&test).await;
    test.clock.advance(Seconds(365 * DAY));
    test.idp_clock.advance(Seconds(365 * DAY));
    assert_eq!(header(&test.tokens().await["id_token"])["kid"], json!(first[0]));
    for _ in 0..3 {
        pass(&test, Seconds(60)).await;
        assert_eq!(published(&test).await.len(), 2);
        assert_eq!(header(&test.tokens().await["id_token"])["kid"], json!(first[0]));
    }
    pass(&test, Seconds(DAY)).await;
    assert_ne!(header(&test.tokens().await["id_token"])["kid"], json!(first[0]));
}

/// A deployment may keep its key until somebody asks for another.
#[tokio::test]
async fn without_a_schedule_the_key_stays() {
    let test = TestBroker::new().await.with_settings(|config| config.key_rotation = None);
    let first = published(&test).await;
    for _ in 0..3 {
        pass(&test, Seconds(365 * DAY)).await;
        assert_eq!(published(&test).await, first);
    }
}

/// What one algorithm leaves behind on the way to another: tokens of both are good, the metadata names both until the
/// old one is gone, and `at_hash` follows the algorithm (OpenID Connect Core §3.1.3.6). TK-11, TK-16.
#[tokio::test]
async fn the_algorithm_changes_with_overlap() {
    let test = TestBroker::new().await;
    let old = test.tokens().await;
    for (algorithm, name) in [(Algorithm::RS256, "RS256"), (Algorithm::EdDSA, "EdDSA")] {
        let changed = test.with_settings(|config| config.signing_algorithm = algorithm);
        let before = published(&changed).await;
        pass(&changed, Seconds(60)).await;
        assert_eq!(published(&changed).await.len(), before.len() + 1);
        pass(&changed, Seconds(DAY - 60)).await;
        let early = changed.tokens().await;
        assert_eq!(header(&early["id_token"])["kid"], json!(before[0]), "the new key is published first");
        pass(&changed, Seconds(60)).await;
        let tokens = changed.tokens().await;
        let signed_with = header(&tokens["id_token"]);
        assert_eq!((&signed_with["alg"], &header(&tokens["access_token"])["alg"]), (&json!(name), &json!(name)));
        assert_eq!(userinfo(&changed, &tokens).await, StatusCode::OK);
        assert_eq!(userinfo(&changed, &early).await, StatusCode::OK);
        let access_token = tokens["access_token"].as_str().expect("a token");
        let hash = match algorithm {
            Algorithm::EdDSA => Sha512::digest(access_token)[..32].to_vec(),
            _ => Sha256::digest(access_token)[..16].to_vec(),
        };
        assert_eq!(claims(&tokens["id_token"])["at_hash"], json!(BASE64URL.encode(hash)));
        let metadata = changed.get("/.well-known/openid-configuration", "").await.json();
        let named = metadata["id_token_signing_alg_values_supported"].as_array().expect("a list").clone();
        assert_eq!(named[0], json!(name), "{named:?}");
        assert!(named.contains(&json!("ES256")), "{named:?}");
    }
    assert_eq!(sign_out(&test, &old).await, StatusCode::OK);
    let eddsa = test.with_settings(|config| config.signing_algorithm = Algorithm::EdDSA);
    pass(&eddsa, Seconds(8 * DAY)).await;
    let metadata = eddsa.get("/.well-known/openid-configuration", "").await.json();
    assert_eq!(metadata["id_token_signing_alg_values_supported"], json!(["EdDSA"]));
}

/// A new deployment signs with what it is told to from the first token on.
#[tokio::test]
async fn the_first_key_is_of_the_algorithm_asked_for() {
    let test = TestBroker::new().await.with_settings(|config| config.signing_algorithm = Algorithm::EdDSA);
    let tokens = test.tokens().await;
    assert_eq!(header(&tokens["id_token"])["alg"], "EdDSA");
    let set = test.get("/oauth2/jwks", "").await.json();
    let members: Vec<&String> = set["keys"][0].as_object().expect("a key").keys().collect();
    assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x"]);
    let metadata = test.get("/.well-known/openid-configuration", "").await.json();
    assert_eq!(metadata["id_token_signing_alg_values_supported"], json!(["EdDSA"]));
}

/// The ring of version 0.1 had no states: its key goes on signing, and is replaced when it is old enough.
#[tokio::test]
async fn a_ring_of_the_version_before_is_used() {
    let test = TestBroker::new().await;
    let tokens = test.tokens().await;
    let first = published(&test).await;
    let key = Key { partition: Partition::new("keys"), id: "ring".to_owned() };
    let found = test.store.get(&key).await.expect("a store").expect("a ring");
    let mut ring: Value = serde_json::from_str(&found.value).expect("JSON");
    assert!(ring["keys"][0].as_object_mut().expect("a key").remove("state").is_some());
    let put = Write::Put { id: key.id, value: ring.to_string(), expires_at: None, expect: Expect::Present };
    test.store.commit(&key.partition, vec![put]).await.expect("a commit");

    let upgraded = test.another_process(None);
    assert_eq!(userinfo(&upgraded, &tokens).await, StatusCode::OK);
    assert_eq!(header(&upgraded.tokens().await["id_token"])["kid"], json!(first[0]));
    pass(&upgraded, Seconds(89 * DAY - 1)).await;
    assert_eq!(published(&upgraded).await, first);
    pass(&upgraded, Seconds(1)).await;
    assert_eq!(published(&upgraded).await.len(), 2);
}
