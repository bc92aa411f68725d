//! The look at a provider that speaks SAML, and at a response of it.

use http::Method;
use serde_json::{Value, json};
use vestibule_core::platform::Clock;
use vestibule_protocol::saml::write_instant;
use vestibule_protocol::time::Seconds;
use vestibule_tests::idp_metadata::{TestCertificate, TestEntity, saml_connection};
use vestibule_tests::in_process::TestBroker;

const IDP: &str = "https://idp.example/entity";
const URL: &str = "https://saml.example/metadata";
const PATH: &str = "/tenants/acme/connections/ad";

/// The codes of the findings, in order, each in words.
async fn findings(test: &TestBroker) -> Vec<String> {
    let report = test.admin(Method::POST, &format!("{PATH}/check"), &Value::Null).await;
    let findings = report["findings"].as_array().expect("findings").clone();
    assert_eq!(report["ok"], json!(!findings.iter().any(|finding| finding["severity"] == "error")), "{report}");
    for finding in &findings {
        let message = finding["message"].as_str().expect("words");
        assert!(message.ends_with('.') && message.contains(' '), "{message}");
    }
    findings.iter().map(|finding| finding["code"].as_str().expect("a code").to_owned()).collect()
}

fn publish(test: &TestBroker, document: &str) {
    test.network.serve(URL, 200, document);
}

fn good(test: &TestBroker) -> TestEntity {
    TestEntity::new(IDP, &[TestCertificate::new(1, test.clock.now())])
}

/// With a status probe, so that somebody watches.
fn by_url(members: &Value) -> Value {
    let mut saml = json!({ "idp_entity_id": IDP, "metadata_url": URL });
    saml.as_object_mut().expect("members").extend(members.as_object().expect("members").clone());
    let mut connection = saml_connection(&saml);
    connection["status_probe"] = json!({
        "url": "https://idp.example/users/{subject}", "token_endpoint": "https://idp.example/token", "client_id": "x",
        "client_auth": "none", "path": "active", "inactive": ["false"],
    });
    connection
}

/// SA-17: what is published is fetched, and each thing that is wrong with it has a finding of its own.
#[tokio::test]
async fn what_a_provider_publishes_is_looked_at() {
    let test = TestBroker::new().await;
    test.admin(Method::PUT, PATH, &by_url(&json!({}))).await;
    let good = good(&test);
    publish(&test, &good.xml());
    assert_eq!(findings(&test).await, Vec::<String>::new());
    let with = |change: &dyn Fn(&mut TestEntity)| {
        let mut entity = good.clone();
        change(&mut entity);
        entity.xml()
    };
    let now = test.clock.now();
    let ending = |days: i64| TestCertificate { ends: now + Seconds(days * 86_400), ..TestCertificate::new(1, now) };
    for (document, expected) in [
        (with(&|entity| entity.id = "urn:another".to_owned()), "entity"),
        ("<html></html>".to_owned(), "entity"),
        ("not found".to_owned(), "metadata_unusable"),
        (with(&|entity| entity.attributes = format!("validUntil=\"{}\"", write_instant(now))), "metadata_expired"),
        (with(&|entity| entity.single_sign_on.clear()), "metadata_unusable"),
        (with(&|entity| entity.certificates.clear()), "metadata_unusable"),
        (with(&|entity| entity.certificates = vec![ending(0).base64()]), "certificate_expired"),
        (with(&|entity| entity.certificates = vec![ending(30).base64()]), "certificate_expires"),
    ] {
        publish(&test, &document);
        assert_eq!(findings(&test).await, [expected], "{document}");
    }
    publish(&test, &with(&|entity| entity.certificates = vec![ending(31).base64()]));
    assert_eq!(findings(&test).await, Vec::<String>::new());
    test.network.serve(URL, 404, "");
    assert_eq!(findings(&test).await, ["status"]);
    let mut elsewhere = by_url(&json!({}));
    elsewhere["saml"]["metadata_url"] = json!("https://elsewhere.example/metadata");
    test.admin(Method::PUT, PATH, &elsewhere).await;
    assert_eq!(findings(&test).await, ["unreachable"]);
}

/// An administrator who mistook the entity id sees both.
#[tokio::test]
async fn both_names_are_told() {
    let test = TestBroker::new().await;
    test.admin(Method::PUT, PATH, &by_url(&json!({ "idp_entity_id": "urn:ours" }))).await;
    publish(&test, &good(&test).xml());
    let report = test.admin(Method::POST, &format!("{PATH}/check"), &json!({})).await;
    let message = report["findings"][0]["message"].as_str().expect("words");
    assert!(message.contains(IDP) && message.contains("urn:ours"), "{message}");
}

/// SA-17: what is in use, where the provider publishes something else by now.
#[tokio::test]
async fn a_difference_to_what_is_in_use_is_seen() {
    let test = TestBroker::new().await;
    test.admin(Method::PUT, PATH, &by_url(&json!({}))).await;
    let now = test.clock.now();
    let [one, other] = [1, 2].map(|number| TestEntity::new(IDP, &[TestCertificate::new(number, now)]));
    publish(&test, &one.xml());
    test.admin(Method::POST, &format!("{PATH}/saml-provider/refresh"), &Value::Null).await;
    assert_eq!(findings(&test).await, Vec::<String>::new());
    let moved = TestEntity { single_logout: Vec::new(), ..one.clone() };
    for published in [other, moved] {
        publish(&test, &published.xml());
        assert_eq!(findings(&test).await, ["metadata_changed"]);
    }
    publish(&test, &one.xml());
    assert_eq!(findings(&test).await, Vec::<String>::new());
}

/// What the connection asks for and cannot have.
#[tokio::test]
async fn settings_that_come_to_nothing_are_seen() {
    let test = TestBroker::new().await;
    let mut entity = good(&test);
    entity.single_logout.clear();
    publish(&test, &entity.xml());
    let mut connection = by_url(&json!({ "idp_initiated": { "client": "nobody" } }));
    connection["logout"] = json!({ "at_provider": true });
    connection.as_object_mut().expect("members").remove("status_probe");
    test.admin(Method::PUT, PATH, &connection).await;
    assert_eq!(findings(&test).await, ["logout_unsupported", "sessions_unwatched", "idp_initiated_client"]);
    for (client, mode, expected) in [("app", "restart", &["idp_initiated_client"][..]), ("app", "accept", &[])] {
        test.admin(Method::PUT, PATH, &by_url(&json!({ "idp_initiated": { "client": client, "mode": mode } }))).await;
        assert_eq!(findings(&test).await, expected, "{mode}");
    }
    entity.attributes = format!("validUntil=\"{}\"", write_instant(test.clock.now() + Seconds(86_400)));
    let mut uploaded = by_url(&json!({ "metadata": entity.xml() }));
    uploaded["saml"]["metadata_url"].take();
    test.admin(Method::PUT, PATH, &uploaded).await;
    assert_eq!(findings(&test).await, ["metadata_expires"]);
    let refused =
        test.try_admin(Method::POST, "/tenants/acme/connections/idp/check", &json!({ "response": "x" })).await;
    assert_eq!(refused.status, 400, "only SAML has responses");
}
