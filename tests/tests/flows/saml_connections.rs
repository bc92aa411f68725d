//! What is kept of connections that speak SAML, beside their settings, and what the audit log says of changes.

use http::Method;
use serde_json::{Value, json};
use vestibule_core::model::saml::{KeyUsage, SamlKeys};
use vestibule_core::platform::Clock;
use vestibule_core::store::{Partition, key};
use vestibule_tests::idp_metadata::{TestCertificate, TestEntity, saml_connection};
use vestibule_tests::in_process::TestBroker;

const PATH: &str = "/tenants/acme/connections/ad";
const IDP: &str = "https://idp.example/entity";

fn certificate(test: &TestBroker, number: u8) -> TestCertificate {
    TestCertificate::new(number, test.clock.now())
}

/// By hand, with these certificates and more members.
fn by_hand(certificates: &[TestCertificate], members: &Value) -> Value {
    let mut saml = json!({
        "idp_entity_id": IDP,
        "single_sign_on": [{"binding": "redirect", "location": "https://idp.example/sso"}],
        "certificates": certificates.iter().map(TestCertificate::pem).collect::<Vec<_>>(),
    });
    saml.as_object_mut().expect("members").extend(members.as_object().expect("members").clone());
    saml_connection(&saml)
}

/// The ids of what is stored of the connection.
async fn stored(test: &TestBroker) -> Vec<String> {
    let page = test.store.list(&Partition::new("tenant:acme"), "", None, 1_000).await.expect("a page");
    page.records.into_iter().map(|record| record.id).filter(|id| id.ends_with("#ad")).collect()
}

async fn keys(test: &TestBroker) -> Option<SamlKeys> {
    key::saml_keys("acme", "ad").get(&*test.store).await.expect("an answer").map(|found| found.value)
}

/// What stands in the log of the connection's changes, oldest first.
async fn changes(test: &TestBroker) -> Vec<Value> {
    let events = test.audited(&["configured"]).await;
    let mut all: Vec<_> =
        events.into_iter().filter(|event| event["object"] == json!(PATH)).map(Value::Object).collect();
    all.sort_by_key(|event| event["time"].as_i64());
    all
}

/// SA-18: our keys are made with the connection, outlive every change of it, and end with it.
#[tokio::test]
async fn our_keys_are_the_connections() {
    let test = TestBroker::new().await;
    let one = [certificate(&test, 1)];
    test.admin(Method::PUT, PATH, &by_hand(&one, &json!({}))).await;
    let made = keys(&test).await.expect("keys");
    assert_eq!(made.keys.iter().map(|key| (key.usage, key.active)).collect::<Vec<_>>(), [(KeyUsage::Signing, true)]);
    for members in [json!({ "sign_requests": true }), json!({ "idp_entity_id": "urn:another" }), json!({})] {
        test.admin(Method::PUT, PATH, &by_hand(&one, &members)).await;
        assert_eq!(keys(&test).await.as_ref(), Some(&made), "{members}");
    }
    test.admin(Method::PUT, PATH, &by_hand(&one, &json!({ "wants_encryption": true }))).await;
    let both = keys(&test).await.expect("keys");
    assert_eq!(both.keys[0], made.keys[0]);
    assert_eq!(both.of(KeyUsage::Encryption).filter(|key| key.active).count(), 1);
    // What was encrypted for us before the switch went off still arrives.
    test.admin(Method::PUT, PATH, &by_hand(&one, &json!({}))).await;
    assert_eq!(keys(&test).await, Some(both));
    let refused = test.try_admin(Method::PUT, PATH, &by_hand(&[], &json!({}))).await;
    assert_eq!(refused.status, 400);
    test.admin(Method::DELETE, PATH, &Value::Null).await;
    assert_eq!(stored(&test).await, Vec::<String>::new());
    test.admin(Method::PUT, PATH, &by_hand(&one, &json!({}))).await;
    assert_ne!(keys(&test).await.expect("keys").keys[0].certificate, made.keys[0].certificate, "new ones");
}

/// What is known of one provider serves no other, and what is SAML's does not stay with a connection that speaks it no more.
#[tokio::test]
async fn what_is_kept_ends_with_what_it_was_for() {
    let test = TestBroker::new().await;
    let url = "https://saml.example/metadata";
    test.network.serve(url, 200, &TestEntity::new(IDP, &[certificate(&test, 1)]).xml());
    let remember = async || {
        test.pass(61);
        test.admin(Method::POST, &format!("{PATH}/saml-provider/refresh"), &Value::Null).await;
    };
    let is_there = async || stored(&test).await.contains(&"saml-provider#ad".to_owned());
    let fetched =
        |entity_id: &str, url: &str| saml_connection(&json!({ "idp_entity_id": entity_id, "metadata_url": url }));
    let first = fetched(IDP, url);
    for (next, stays) in [
        (first.clone(), true),
        (fetched("urn:another", url), false),
        (fetched(IDP, "https://saml.example/other"), false),
        (saml_connection(&json!({ "metadata": TestEntity::new(IDP, &[certificate(&test, 1)]).xml() })), false),
    ] {
        test.admin(Method::PUT, PATH, &first).await;
        remember().await;
        assert!(is_there().await);
        test.admin(Method::PUT, PATH, &next).await;
        assert_eq!(is_there().await, stays, "{next}");
        assert!(keys(&test).await.is_some());
    }
    test.admin(Method::PUT, PATH, &first).await;
    remember().await;
    assert!(is_there().await);
    let oidc = json!({
        "name": "Corp", "protocol": "oidc", "issuer": "https://idp.example", "client_id": "x", "client_auth": "none",
    });
    test.admin(Method::PUT, PATH, &oidc).await;
    assert_eq!(stored(&test).await, ["connection#ad"]);
}

/// SA-2: whoever exchanges a certificate can sign anybody in, so each change of one is in the log, by its fingerprint.
#[tokio::test]
async fn a_changed_certificate_is_in_the_log() {
    let test = TestBroker::new().await;
    let [first, second] = [1, 2].map(|number| certificate(&test, number));
    test.admin(Method::PUT, PATH, &by_hand(&[first], &json!({}))).await;
    test.pass(1);
    test.admin(Method::PUT, PATH, &by_hand(&[second], &json!({}))).await;
    test.pass(1);
    let metadata = TestEntity::new(IDP, &[first]).xml();
    test.admin(Method::PUT, PATH, &saml_connection(&json!({ "metadata": metadata }))).await;
    let events = changes(&test).await;
    let told = |event: &Value| {
        let differences = event["differences"].as_array().expect("differences").iter();
        let certificates = differences.filter(|change| change["name"] == "saml.certificates");
        certificates.map(|change| (change["before"].clone(), change["after"].clone())).collect::<Vec<_>>()
    };
    let holds = |value: &Value, one: &TestCertificate| value.as_str().is_some_and(|text| text.contains(&one.sha256()));
    for (event, before, after) in [(&events[1], &first, &second), (&events[2], &second, &first)] {
        let told = told(event);
        assert!(matches!(&told[..], [(old, new)] if holds(old, before) && holds(new, after)), "{event}");
    }
    let log = json!(events).to_string();
    assert!(!log.contains(&first.base64()) && !log.contains("private"), "{log}");
}
