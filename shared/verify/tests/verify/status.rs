//! Revocation, as a verifier learns of it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use futures_util::future::join_all;
use miniz_oxide::deflate::compress_to_vec_zlib;
use serde_json::{Value, json};
use vestibule_verify::{Error, Verifier};

use super::issuer::{ISSUER, Issuer, LIST, TestKey};

async fn is_revoked(verifier: &Verifier, issuer: &Issuer) -> bool {
    match verifier.verify(&issuer.token()).await {
        Ok(_) => false,
        Err(Error::Revoked) => true,
        Err(other) => panic!("{other:?}"),
    }
}

async fn is_unavailable(verifier: &Verifier, issuer: &Issuer) -> bool {
    matches!(verifier.verify(&issuer.token()).await, Err(Error::StatusList(_)))
}

/// ED-7: a marked place is seen within a minute, and the neighbours of one mean nothing.
#[tokio::test]
async fn a_revocation_is_seen_within_a_minute() {
    let issuer = Issuer::new();
    let verifier = issuer.verifier();
    issuer.list(LIST, &[8, 10, 1, 17, 1023]);
    assert!(!is_revoked(&verifier, &issuer).await);
    issuer.list(LIST, &[9]);
    issuer.advance(59);
    assert!(!is_revoked(&verifier, &issuer).await, "not before the list is a minute old");
    issuer.advance(1);
    issuer.list(LIST, &[9]);
    assert!(is_revoked(&verifier, &issuer).await);
}

/// ED-7: a list that was made a while ago is used for the rest of its minute only.
#[tokio::test]
async fn a_minute_begins_when_the_list_was_made() {
    let issuer = Issuer::new();
    let verifier = issuer.verifier();
    issuer.advance(40);
    assert!(!is_revoked(&verifier, &issuer).await);
    issuer.advance(20);
    issuer.list(LIST, &[9]);
    assert!(is_revoked(&verifier, &issuer).await);
}

/// Of many requests at once one fetches the list; clocks that are apart make nobody ask more than once in five seconds.
#[tokio::test]
async fn a_list_is_fetched_once() {
    let issuer = Issuer::new();
    let verifier = issuer.verifier();
    join_all((0..50).map(|_| is_revoked(&verifier, &issuer))).await;
    assert_eq!(issuer.asked().iter().filter(|url| *url == LIST).count(), 1);
    issuer.advance(200);
    for _ in 0..10 {
        is_revoked(&verifier, &issuer).await;
    }
    assert_eq!(issuer.asked().iter().filter(|url| *url == LIST).count(), 1, "it is old each time, and believed");
}

/// When nobody answers, a list is believed to its end, and then nothing is.
#[tokio::test]
async fn a_stale_list_is_believed_to_its_end() {
    let issuer = Issuer::new();
    let verifier = issuer.verifier();
    let cold = issuer.verifier();
    assert!(!is_revoked(&verifier, &issuer).await);
    issuer.serve(LIST, None);
    assert!(is_unavailable(&cold, &issuer).await, "without a list nothing is known to be good");
    issuer.advance(300 + 29);
    assert!(!is_revoked(&verifier, &issuer).await, "five minutes, and the clocks may be apart");
    issuer.advance(1);
    assert!(is_unavailable(&verifier, &issuer).await);
    issuer.list(LIST, &[9]);
    issuer.asked();
    assert!(is_unavailable(&verifier, &issuer).await, "and nobody is asked at each request");
    assert_eq!(issuer.asked(), [""; 0]);
    issuer.advance(5);
    assert!(is_revoked(&verifier, &issuer).await);
}

/// A list that is not what it should be is none.
#[tokio::test]
async fn another_list_is_no_list() {
    let issuer = Issuer::new();
    let good = || issuer.list_claims(LIST, &[]);
    let with = |name: &str, value: Value| {
        let mut claims = good();
        claims[name] = value;
        issuer.key.sign("statuslist+jwt", &claims)
    };
    let packed = |bytes: &[u8]| BASE64URL.encode(compress_to_vec_zlib(bytes, 6));
    let now = issuer.now();
    let (thief, unknown) = (TestKey::new("k1"), TestKey::new("k9"));
    let header = json!({ "alg": "none", "typ": "statuslist+jwt", "kid": "k1" });
    for (what, list) in [
        ("another issuer's", with("iss", json!("https://other.example"))),
        ("about another address", with("sub", json!("https://sso.example/oauth2/status/acme.1"))),
        ("of a longer address", with("sub", json!(format!("{LIST}0")))),
        ("over", with("exp", json!(now - 30))),
        ("from the future", with("iat", json!(now + 31))),
        ("without an end", with("exp", Value::Null)),
        ("of two bits a place", with("status_list", json!({ "bits": 2, "lst": packed(&[0; 128]) }))),
        ("not compressed", with("status_list", json!({ "bits": 1, "lst": BASE64URL.encode([0; 128]) }))),
        ("too large", with("status_list", json!({ "bits": 1, "lst": packed(&vec![0; 2 * 1024 * 1024]) }))),
        ("no base64url", with("status_list", json!({ "bits": 1, "lst": "+/=" }))),
        ("an access token", issuer.token()),
        ("of another type", issuer.key.sign("JWT", &good())),
        ("of another key", thief.sign("statuslist+jwt", &good())),
        ("of an unknown key", unknown.sign("statuslist+jwt", &good())),
        ("not signed", issuer.key.sign_with(&header, &good())),
        ("not a token", "<html>".to_owned()),
    ] {
        issuer.serve(LIST, Some(list));
        assert!(is_unavailable(&issuer.verifier(), &issuer).await, "{what}");
    }
    issuer.serve(LIST, Some(issuer.key.sign("statuslist+jwt", &good())));
    assert!(!is_revoked(&issuer.verifier(), &issuer).await);
}

/// A bad list does not take the place of a good one.
#[tokio::test]
async fn a_bad_list_replaces_no_good_one() {
    let issuer = Issuer::new();
    let verifier = issuer.verifier();
    issuer.list(LIST, &[9]);
    assert!(is_revoked(&verifier, &issuer).await);
    let thief = TestKey::new("k1");
    issuer.serve(LIST, Some(thief.sign("statuslist+jwt", &issuer.list_claims(LIST, &[]))));
    issuer.advance(60);
    assert!(is_revoked(&verifier, &issuer).await);
}

/// A token that names no list of its issuer is refused, and nothing else is fetched on its word.
#[tokio::test]
async fn a_token_names_a_list_of_its_issuer() {
    let issuer = Issuer::new();
    let verifier = issuer.verifier();
    verifier.verify(&issuer.token()).await.expect("it counts");
    issuer.asked();
    let place = |uri: &str| json!({ "status": { "status_list": { "idx": 9, "uri": uri } } });
    for (what, others) in [
        ("none", json!({ "status": null })),
        ("a place beyond the end", json!({ "status": { "status_list": { "idx": 1024, "uri": LIST } } })),
        ("another host", place("https://evil.example/oauth2/status/acme.0")),
        ("a host that begins alike", place("https://sso.example.evil.example/oauth2/status/acme.0")),
        ("another path", place("https://sso.example/oauth2/jwks")),
        ("a path that goes up", place("https://sso.example/oauth2/status/../jwks")),
        ("a query", place("https://sso.example/oauth2/status/acme.0?x")),
        ("no name", place(&format!("{ISSUER}/oauth2/status/"))),
        ("no address", place("")),
    ] {
        let refused = verifier.verify(&issuer.token_with(&others)).await;
        assert!(matches!(refused, Err(Error::NoStatus)), "{what}: {refused:?}");
    }
    for malformed in [json!({}), json!({ "status_list": {} }), json!({ "status_list": { "idx": -1, "uri": LIST } })] {
        let refused = verifier.verify(&issuer.token_with(&json!({ "status": malformed }))).await;
        assert!(matches!(refused, Err(Error::Malformed)), "{malformed}: {refused:?}");
    }
    assert_eq!(issuer.asked(), [""; 0]);
}
