//! What lies in the store is of no use to whoever reads it.

use http::Method;
use serde_json::json;
use vestibule_core::store::Partition;
use vestibule_tests::client_key::{ASSERTION_TYPE, ClientKey};
use vestibule_tests::in_process::{CALLBACK, ISSUER, TestBroker};

/// Every value in these partitions, with its id.
async fn stored(test: &TestBroker, partitions: impl IntoIterator<Item = String>) -> String {
    let mut found = String::new();
    for partition in partitions {
        let page = test.store.list(&Partition::new(partition), "", None, 1000).await.expect("a page");
        for record in page.records {
            found.extend([record.id.as_str(), "=", record.value.as_str(), "\n"]);
        }
    }
    found
}

/// TK-3, ED-10: secrets of applications, codes, refresh tokens, session cookies and names of pushed requests are
/// stored as hashes; what somebody reads there opens nothing.
#[tokio::test]
async fn no_bearer_secret_is_stored() {
    let test = TestBroker::new().await;
    let signed = test.sign_in().await;
    let session = signed.cookie.clone();
    let spent = test.sign_in().await.code;
    let tokens = test.redeem(&spent).await.json();
    let secret = "secret-of-the-application-0123456789";
    let form = [
        ("client_id", "app"),
        ("client_secret", secret),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", "openid"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
    ];
    let pushed = test.post("/oauth2/par", &form).await.text("request_uri");

    let key = ClientKey::new().await;
    let client = json!({
        "name": "Signs", "redirect_uris": [CALLBACK], "client_auth": "private_key_jwt",
        "jwks": { "keys": [key.jwk()] },
    });
    test.admin(Method::PUT, "/clients/signs", &client).await;
    let claims =
        json!({ "iss": "signs", "sub": "signs", "aud": ISSUER, "jti": "name-of-a-statement", "exp": 1_750_000_060 });
    let assertion = key.sign(&claims).await;
    let proof = [
        ("grant_type", "refresh_token"),
        ("refresh_token", "none"),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", assertion.as_str()),
    ];
    assert_eq!(test.post("/oauth2/token", &proof).await.text("error"), "invalid_grant");

    let shards = |kind: &str| (0..8).map(|shard| format!("{kind}:{shard}")).collect::<Vec<_>>();
    let kinds = ["sessions:acme", "pushed:app", "replay:signs"].map(shards).concat();
    let stored = stored(&test, kinds.into_iter().chain(["client:app".to_owned(), "client:signs".to_owned()])).await;
    for kind in ["session#", "code#", "grant#", "request#", "assertion#", "client="] {
        assert!(stored.contains(kind), "{kind} was looked at");
    }
    let refresh = tokens["refresh_token"].as_str().expect("a token");
    let half = |handle: &str| handle.rsplit(['.', ':']).next().expect("a secret").to_owned();
    for bearer in [&session, &signed.code, &spent, refresh, &pushed] {
        let half = half(bearer);
        assert!(half.len() >= 43, "{half}");
        assert!(!stored.contains(&half), "{bearer}");
    }
    for secret in [secret, "name-of-a-statement", assertion.as_str()] {
        assert!(!stored.contains(secret), "{secret}");
    }
}
