//! Our keys toward a provider that speaks SAML: several beside each other, one of them in use.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule_core::store::Partition;
use vestibule_protocol::saml::Certificate;
use vestibule_tests::in_process::TestBroker;
use vestibule_tests::saml::ENTITY;

const CONNECTION: &str = "/tenants/acme/connections/saml";
const KEYS: &str = "/tenants/acme/connections/saml/saml-keys";

async fn connected() -> TestBroker {
    let test = TestBroker::new().await;
    let saml = json!({"idp_entity_id": ENTITY, "metadata_url": "https://saml.example/metadata"});
    test.admin(Method::PUT, CONNECTION, &json!({"name": "SAML", "protocol": "saml", "saml": saml})).await;
    test
}

async fn keys(test: &TestBroker) -> Vec<Value> {
    test.admin(Method::GET, KEYS, &Value::Null).await["keys"].as_array().expect("keys").clone()
}

async fn add(test: &TestBroker, usage: &str, algorithm: &str) -> String {
    let shown = test.admin(Method::POST, KEYS, &json!({"usage": usage, "algorithm": algorithm})).await;
    let last = shown["keys"].as_array().and_then(|keys| keys.last().cloned()).expect("a key");
    assert_eq!((&last["usage"], &last["algorithm"]), (&json!(usage), &json!(algorithm)));
    last["id"].as_str().expect("an id").to_owned()
}

async fn act(test: &TestBroker, method: Method, path: &str) -> StatusCode {
    test.try_admin(method, &format!("{KEYS}/{path}"), &Value::Null).await.status
}

/// Which of the certificates are in our metadata, in its order.
async fn published(test: &TestBroker, usage: &str) -> Vec<String> {
    let document = test.another_process(None).get("/saml/acme/saml/metadata", "").await.body;
    let keys = document.split("<md:KeyDescriptor").filter(|part| part.contains(&format!("use=\"{usage}\"")));
    keys.filter_map(|part| part.split_once("X509Certificate>")?.1.split_once('<'))
        .map(|(key, _)| key.to_owned())
        .collect()
}

/// A certificate as metadata has it.
fn base64(key: &Value) -> String {
    let pem = key["certificate"].as_str().expect("a certificate");
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----\n") && pem.ends_with("\n-----END CERTIFICATE-----\n"));
    assert!(pem.lines().all(|line| line.len() <= 64));
    Certificate::read(pem).expect("it can be read");
    pem.lines().filter(|line| !line.starts_with('-')).collect()
}

/// A new key is published before it is used, and the old one as long as it is there.
#[tokio::test]
async fn keys_overlap() {
    let test = connected().await;
    let first = keys(&test).await.remove(0);
    assert_eq!(
        (&first["usage"], &first["active"], &first["algorithm"]),
        (&json!("signing"), &json!(true), &json!("RS256"))
    );
    assert!(first.get("private").is_none());
    let second = add(&test, "signing", "ES256").await;
    let both = keys(&test).await;
    assert_eq!(both[1]["active"], false);
    assert_eq!(published(&test, "signing").await, [base64(&both[0]), base64(&both[1])]);
    assert_eq!(act(&test, Method::POST, &format!("{second}/activate")).await, StatusCode::OK);
    let active: Vec<_> = keys(&test).await.iter().map(|key| key["active"].clone()).collect();
    assert_eq!(active, [json!(false), json!(true)], "one at a time");
    assert_eq!(published(&test, "signing").await, [base64(&both[1]), base64(&both[0])], "the active one first");
    let first = first["id"].as_str().expect("an id");
    assert_eq!(act(&test, Method::DELETE, first).await, StatusCode::NO_CONTENT);
    assert_eq!(published(&test, "signing").await, [base64(&both[1])]);
}

/// A connection that begins to want encryption publishes one certificate for that, whichever is active.
#[tokio::test]
async fn one_encryption_key_is_published() {
    let test = connected().await;
    let first = add(&test, "encryption", "RS256").await;
    assert_eq!(published(&test, "encryption").await, Vec::<String>::new(), "only if it is wanted");
    let saml =
        json!({"idp_entity_id": ENTITY, "metadata_url": "https://saml.example/metadata", "wants_encryption": true});
    test.admin(Method::PUT, CONNECTION, &json!({"name": "SAML", "protocol": "saml", "saml": saml})).await;
    let second = add(&test, "encryption", "RS256").await;
    let all = keys(&test).await;
    assert_eq!((all.len(), &all[1]["active"], &all[2]["active"]), (3, &json!(true), &json!(false)));
    assert_eq!(published(&test, "encryption").await, [base64(&all[1])]);
    assert_eq!(act(&test, Method::POST, &format!("{second}/activate")).await, StatusCode::OK);
    assert_eq!(published(&test, "encryption").await, [base64(&all[2])]);
    assert!(keys(&test).await[0]["active"].as_bool().expect("a flag"), "keys to sign with are another matter");
    assert_eq!(act(&test, Method::DELETE, &first).await, StatusCode::NO_CONTENT);
}

/// What cannot be right is refused and changes nothing.
#[tokio::test]
async fn what_cannot_be_right_is_refused() {
    let test = connected().await;
    let active = keys(&test).await[0]["id"].as_str().expect("an id").to_owned();
    for body in [
        json!({}),
        json!({"usage": "both"}),
        json!({"usage": "signing", "algorithm": "ES384"}),
        json!({"usage": "signing", "algorithm": "EdDSA"}),
        json!({"usage": "signing", "algorithm": "HS256"}),
        json!({"usage": "encryption", "algorithm": "ES256"}),
        json!({"usage": "signing", "active": true}),
    ] {
        assert_eq!(test.try_admin(Method::POST, KEYS, &body).await.status, StatusCode::BAD_REQUEST, "{body}");
    }
    assert_eq!(act(&test, Method::DELETE, &active).await, StatusCode::BAD_REQUEST, "it is in use");
    for key in ["none", "a%2fb"] {
        assert_eq!(act(&test, Method::DELETE, key).await, StatusCode::NOT_FOUND, "{key}");
        assert_eq!(act(&test, Method::POST, &format!("{key}/activate")).await, StatusCode::NOT_FOUND, "{key}");
    }
    for connection in ["idp", "none"] {
        let path = format!("/tenants/acme/connections/{connection}/saml-keys");
        assert_eq!(test.try_admin(Method::GET, &path, &Value::Null).await.status, StatusCode::NOT_FOUND);
        let body = json!({"usage": "signing"});
        assert_eq!(test.try_admin(Method::POST, &path, &body).await.status, StatusCode::NOT_FOUND);
    }
    add(&test, "signing", "ES256").await;
    add(&test, "signing", "ES256").await;
    let fourth = test.try_admin(Method::POST, KEYS, &json!({"usage": "signing"})).await;
    assert_eq!(fourth.status, StatusCode::BAD_REQUEST, "three at most");
    assert_eq!(keys(&test).await.len(), 3);
}

/// Each change is in the log, with who did it and without a private half.
#[tokio::test]
async fn changes_are_in_the_log() {
    let test = connected().await;
    let first = keys(&test).await[0]["id"].as_str().expect("an id").to_owned();
    let second = add(&test, "signing", "ES256").await;
    act(&test, Method::POST, &format!("{second}/activate")).await;
    act(&test, Method::DELETE, &first).await;
    let log = test.audited(&["configured"]).await;
    let about = |key: &str| -> Vec<&str> {
        let path = format!("{KEYS}/{key}");
        let of_key = log.iter().filter(|event| event["object"] == path.as_str());
        of_key.filter_map(|event| event["change"].as_str()).collect()
    };
    let (mut first, mut second) = (about(&first), about(&second));
    first.sort_unstable();
    second.sort_unstable();
    assert_eq!((first, second), (vec!["deleted"], vec!["created", "replaced"]));
    assert!(!json!(log).to_string().contains("private"));
}

/// CK-9, ED-10: our keys are sealed anew with a tenant's other secrets.
#[tokio::test]
async fn keys_are_sealed_anew() {
    let test = connected().await;
    add(&test, "signing", "ES256").await;
    let sealed_with = async |key: &str| -> usize {
        let found = test.store.list(&Partition::new("tenant:acme"), "saml-keys#", None, 10).await.expect("a page");
        found.records.iter().map(|record| record.value.matches(&format!("\"{key}.")).count()).sum()
    };
    assert_eq!(sealed_with("k1").await, 2);
    let both = test.with_sealing_keys(vec![("k2", 2), ("k1", 1)]);
    let done = both.admin(Method::POST, "/tenants/acme/reseal", &Value::Null).await;
    assert_eq!(done, json!({"resealed": 2, "unreadable": []}), "the keys, and the other connection's secret");
    assert_eq!((sealed_with("k1").await, sealed_with("k2").await), (0, 2));
    let stranger = test.with_sealing_keys(vec![("k3", 3)]);
    let told = stranger.admin(Method::POST, "/tenants/acme/reseal", &Value::Null).await.to_string();
    assert!(told.contains(KEYS), "what does not open is named: {told}");
}
