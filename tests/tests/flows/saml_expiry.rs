//! What of a connection that speaks SAML ends soon: told of once, 30 days before.

use http::Method;
use serde_json::{Value, json};
use vestibule_core::platform::Clock;
use vestibule_protocol::time::{Seconds, Timestamp};
use vestibule_tests::in_process::TestBroker;
use vestibule_tests::in_process::deliveries::EVENTS;
use vestibule_tests::saml::{ENTITY, METADATA, SigningPair, metadata};

const DAY: i64 = 86_400;

async fn connect(test: &TestBroker, saml: &Value) {
    let connection = json!({"name": "SAML", "protocol": "saml", "saml": saml});
    test.admin(Method::PUT, "/tenants/acme/connections/saml", &connection).await;
}

/// Two rounds of the schedule go by; what was told of since this day.
async fn told_since(test: &TestBroker, since: Timestamp) -> Vec<Value> {
    test.quarters_of_an_hour(50).await;
    let path = format!("/tenants/acme/audit?kind=saml_expiring&from={}", since.day());
    test.admin(Method::GET, &path, &Value::Null).await["events"].as_array().expect("events").clone()
}

/// A certificate of the provider's is told of once, to the log and to whoever wants to know, and its successor anew.
#[tokio::test]
async fn a_providers_certificate_is_told_of_once() {
    let test = TestBroker::new().await;
    test.subscribed(&json!(["connection.expiring"])).await;
    let begin = test.clock.now();
    let pair = SigningPair::new(begin, 40).await;
    let sso = json!([{"binding": "redirect", "location": "https://saml.example/sso"}]);
    let by_hand = |pair: &SigningPair| json!({"idp_entity_id": ENTITY, "certificates": [pair.certificate], "single_sign_on": sso});
    connect(&test, &by_hand(&pair)).await;
    assert_eq!(told_since(&test, begin).await.len(), 0, "39 days before");
    test.clock.advance(Seconds(9 * DAY));
    let told = told_since(&test, begin).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&told[0]["what"], &told[0]["connection"]), (&json!("provider_certificate"), &json!("saml")));
    assert_eq!(told[0]["ends_at"], json!((begin + Seconds(40 * DAY)).seconds()));
    assert_eq!(told[0]["sha256"].as_str().map(str::len), Some(64));
    let posted = test.network.received(EVENTS);
    assert_eq!(posted.len(), 1);
    let posted: Value = serde_json::from_slice(&posted[0].body).expect("JSON");
    assert_eq!((&posted["type"], &posted["data"]["connection"]), (&json!("connection.expiring"), &json!("saml")));
    test.clock.advance(Seconds(40 * DAY));
    assert_eq!(told_since(&test, begin).await.len(), 1, "never again, not even when it has ended");
    let next = SigningPair::new(test.clock.now(), 20).await;
    connect(&test, &by_hand(&next)).await;
    assert_eq!(told_since(&test, begin).await.len(), 2, "another one is another matter");
}

/// A certificate that was fetched, and metadata that says when it is over. Metadata that is renewed again and again is told
/// of once.
#[tokio::test]
async fn what_was_fetched_is_told_of() {
    let test = TestBroker::new().await;
    let begin = test.clock.now();
    let pair = SigningPair::new(begin, 20).await;
    connect(&test, &json!({"idp_entity_id": ENTITY, "metadata_url": METADATA})).await;
    test.network.serve(METADATA, 200, &metadata(ENTITY, &[&pair.certificate], Some(begin + Seconds(10 * DAY))));
    let told = told_since(&test, begin).await;
    let mut what: Vec<_> = told.iter().filter_map(|event| event["what"].as_str()).collect();
    what.sort_unstable();
    assert_eq!(what, ["provider_certificate", "provider_metadata"]);
    test.network.serve(METADATA, 200, &metadata(ENTITY, &[&pair.certificate], Some(begin + Seconds(12 * DAY))));
    assert_eq!(told_since(&test, begin).await.len(), 2, "renewed, and still not for long");
    test.network.serve(METADATA, 200, &metadata(ENTITY, &[&pair.certificate], Some(begin + Seconds(100 * DAY))));
    assert_eq!(told_since(&test, begin).await.len(), 2);
    test.clock.advance(Seconds(75 * DAY));
    let later = test.clock.now();
    let told = told_since(&test, later).await;
    assert_eq!(told.len(), 1, "renewed for long, it can end again: {told:?}");
}

/// Our own certificate, if it is in use.
#[tokio::test]
async fn our_own_certificate_is_told_of() {
    let test = TestBroker::new().await;
    let begin = test.clock.now();
    let pair = SigningPair::new(begin, 10_000).await;
    let sso = json!([{"binding": "redirect", "location": "https://saml.example/sso"}]);
    connect(&test, &json!({"idp_entity_id": ENTITY, "certificates": [pair.certificate], "single_sign_on": sso})).await;
    let keys = "/tenants/acme/connections/saml/saml-keys";
    let own = test.admin(Method::GET, keys, &Value::Null).await;
    test.clock.advance(Seconds(10 * 365 * DAY - 31 * DAY));
    let then = test.clock.now();
    let second = test.admin(Method::POST, keys, &json!({"usage": "signing", "algorithm": "ES256"})).await;
    test.clock.advance(Seconds(DAY));
    let told = told_since(&test, then).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&told[0]["what"], &told[0]["sha256"]), (&json!("own_certificate"), &own["keys"][0]["sha256"]));
    assert_ne!(own["keys"][0]["sha256"], second["keys"][1]["sha256"]);
}
