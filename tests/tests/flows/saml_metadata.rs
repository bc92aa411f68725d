//! Metadata of a connection that speaks SAML, ours and its provider's.

use std::sync::Arc;

use futures_util::future::join_all;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule_core::platform::Clock;
use vestibule_protocol::time::Seconds;
use vestibule_tests::in_process::TestBroker;
use vestibule_tests::saml::{ENTITY, METADATA, SigningPair, metadata};
use vestibule_tests::watched_store::{Yields, watched};

const CONNECTION: &str = "/tenants/acme/connections/saml";
const PROVIDER: &str = "/tenants/acme/connections/saml/saml-provider";
const REFRESH: &str = "/tenants/acme/connections/saml/saml-provider/refresh";

/// Sets up a connection that fetches the provider's metadata, with these members of `saml` in place of the usual ones.
async fn connect(test: &TestBroker, members: &Value) -> Value {
    let mut saml = json!({"idp_entity_id": ENTITY, "metadata_url": METADATA});
    saml.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
    let connection = json!({"name": "SAML", "protocol": "saml", "saml": saml});
    test.admin(Method::PUT, CONNECTION, &connection).await
}

async fn refresh(test: &TestBroker) -> Value {
    test.admin(Method::POST, REFRESH, &Value::Null).await
}

fn fingerprints(provider: &Value) -> Vec<String> {
    let certificates = provider["facts"]["certificates"].as_array().expect("certificates");
    certificates.iter().map(|one| one["sha256"].as_str().expect("a fingerprint").to_owned()).collect()
}

/// Our metadata is there before a connection is enabled, with what the provider's administrator needs.
#[tokio::test]
async fn ours_is_there_before_the_connection_is_enabled() {
    let test = TestBroker::new().await;
    let connection = json!({
        "name": "SAML", "protocol": "saml", "enabled": false,
        "saml": {"idp_entity_id": ENTITY, "metadata_url": METADATA, "wants_encryption": true},
    });
    let shown = test.admin(Method::PUT, CONNECTION, &connection).await;
    let reply = test.get("/saml/acme/saml/metadata", "").await;
    assert_eq!((reply.status, reply.header("content-type")), (StatusCode::OK, Some("application/samlmetadata+xml")));
    assert_eq!(reply.header("cache-control"), Some("public, max-age=300"));
    let register = &shown["saml"]["register"];
    for name in ["entity_id", "acs_url", "slo_url"] {
        let value = register[name].as_str().expect("a text");
        assert!(reply.body.contains(&format!("\"{value}\"")), "{name} {}", reply.body);
    }
    assert_eq!(register["metadata_url"], "https://sso.example/saml/acme/saml/metadata");
    assert_eq!(reply.body.matches("use=\"signing\"").count(), 1);
    assert_eq!(reply.body.matches("use=\"encryption\"").count(), 1);
    connect(&test, &json!({"wants_encryption": false})).await;
    let without = test.another_process(None).get("/saml/acme/saml/metadata", "").await;
    assert_eq!(without.body.matches("use=").count(), 1, "only if it is wanted: {}", without.body);
}

/// Only connections that speak SAML have metadata.
#[tokio::test]
async fn others_have_none() {
    let test = TestBroker::new().await;
    connect(&test, &json!({})).await;
    for path in ["acme/idp", "acme/none", "other/saml", "acme/%2e%2e", "acme/SAML", "acme/saml%23x"] {
        let reply = test.get(&format!("/saml/{path}/metadata"), "").await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}");
    }
    for path in ["/tenants/acme/connections/idp/saml-provider", "/tenants/acme/connections/none/saml-provider"] {
        assert_eq!(test.try_admin(Method::GET, path, &Value::Null).await.status, StatusCode::NOT_FOUND, "{path}");
        let path = format!("{path}/refresh");
        assert_eq!(test.try_admin(Method::POST, &path, &Value::Null).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

/// SA-17: what cannot be used changes nothing, and an administrator sees why.
#[tokio::test]
async fn what_cannot_be_used_changes_nothing() {
    let test = TestBroker::new().await;
    let now = test.clock.now();
    let pair = SigningPair::new(now, 365).await;
    connect(&test, &json!({})).await;
    let before = test.admin(Method::GET, PROVIDER, &Value::Null).await;
    assert_eq!((&before["facts"], &before["usable"]), (&Value::Null, &json!(false)));
    test.network.serve(METADATA, 200, &metadata(ENTITY, &[&pair.certificate], None));
    let good = refresh(&test).await;
    assert_eq!((&good["usable"], &good["failure"], fingerprints(&good).len()), (&json!(true), &Value::Null, 1));
    let fine = metadata(ENTITY, &[&pair.certificate], None);
    for (status, document, error) in [
        (500, fine.clone(), "status"),
        (302, fine.clone(), "status"),
        (0, fine.clone(), "unreachable"),
        (200, String::new(), "malformed"),
        (200, fine.replace("<EntityDescriptor", "<!DOCTYPE x><EntityDescriptor"), "doctype"),
        (200, metadata("https://other.example/idp", &[&pair.certificate], None), "entity"),
        (200, metadata(ENTITY, &[&pair.certificate], Some(now)), "metadata_expired"),
        (200, metadata(ENTITY, &[], None), "shape"),
        (200, fine.replace("SingleSignOnService", "Nothing"), "nowhere_to_sign_in"),
        (200, fine.replace("https://saml.example/Single", "http://10.0.0.1/Single"), "nowhere_to_sign_in"),
        (200, " ".repeat(1_100_000) + &fine, "too_large"),
    ] {
        test.network.serve(METADATA, status, &document);
        test.clock.advance(Seconds(1));
        let shown = refresh(&test).await;
        assert_eq!(shown["failure"]["error"], error);
        assert_eq!(shown["failure"]["at"], json!(test.clock.now().seconds()), "{error}");
        assert_eq!((&shown["facts"], &shown["fetched_at"]), (&good["facts"], &good["fetched_at"]), "{error}");
    }
    test.network.serve(METADATA, 200, &fine);
    assert_eq!(refresh(&test).await["failure"], Value::Null);
}

/// SA-17: metadata counts until it says that it is over.
#[tokio::test]
async fn an_end_is_respected() {
    let test = TestBroker::new().await;
    let pair = SigningPair::new(test.clock.now(), 365).await;
    connect(&test, &json!({})).await;
    test.network.serve(METADATA, 200, &metadata(ENTITY, &[&pair.certificate], Some(test.clock.now() + Seconds(3_600))));
    assert_eq!(refresh(&test).await["usable"], true);
    test.network.serve(METADATA, 0, "");
    test.clock.advance(Seconds(3_599));
    assert_eq!(refresh(&test).await["usable"], true, "what was fetched serves while nothing new comes");
    test.clock.advance(Seconds(1));
    assert_eq!(refresh(&test).await["usable"], false);
}

/// RP-7: a tenant that lists its providers' hosts is asked at those only.
#[tokio::test]
async fn a_host_that_is_not_listed_is_not_asked() {
    let test = TestBroker::new().await;
    let pair = SigningPair::new(test.clock.now(), 365).await;
    connect(&test, &json!({})).await;
    test.network.serve(METADATA, 200, &metadata(ENTITY, &[&pair.certificate], None));
    let listing = |host: &str| json!({"name": "Acme", "egress_hosts": [host]});
    test.admin(Method::PUT, "/tenants/acme", &listing("elsewhere.example")).await;
    assert_eq!(refresh(&test).await["failure"]["error"], "egress");
    assert_eq!(test.network.fetched(METADATA), 0);
    test.admin(Method::PUT, "/tenants/acme", &listing("saml.example")).await;
    assert_eq!(refresh(&test).await["usable"], true);
    let refused = json!({"idp_entity_id": ENTITY, "metadata_url": "http://169.254.169.254/metadata"});
    let connection = json!({"name": "SAML", "protocol": "saml", "saml": refused});
    let reply = test.try_admin(Method::PUT, CONNECTION, &connection).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
}

/// SA-2: what was fetched of one provider never serves another.
#[tokio::test]
async fn another_providers_metadata_is_forgotten() {
    let test = TestBroker::new().await;
    let pair = SigningPair::new(test.clock.now(), 365).await;
    let other = "https://other.example/idp";
    for members in [json!({"idp_entity_id": other}), json!({"metadata_url": "https://saml.example/new"})] {
        connect(&test, &json!({})).await;
        test.network.serve(METADATA, 200, &metadata(ENTITY, &[&pair.certificate], None));
        assert_eq!(refresh(&test).await["usable"], true);
        connect(&test, &members).await;
        let shown = test.admin(Method::GET, PROVIDER, &Value::Null).await;
        assert_eq!((&shown["facts"], &shown["usable"]), (&Value::Null, &json!(false)), "{members}");
    }
}

/// SA-17: without anybody signing in, metadata is fetched again within six hours, and a change of keys is in the log.
#[tokio::test]
async fn new_certificates_come_by_the_schedule_and_are_told_of() {
    let test = TestBroker::new().await;
    let (old, new) = (SigningPair::new(test.clock.now(), 365).await, SigningPair::new(test.clock.now(), 400).await);
    connect(&test, &json!({})).await;
    test.network.serve(METADATA, 200, &metadata(ENTITY, &[&old.certificate], None));
    test.quarters_of_an_hour(24).await;
    assert_eq!(test.network.fetched(METADATA), 1, "once in six hours");
    let first = test.admin(Method::GET, PROVIDER, &Value::Null).await;
    test.network.serve(METADATA, 200, &metadata(ENTITY, &[&new.certificate, &old.certificate], None));
    test.quarters_of_an_hour(24).await;
    let both = test.admin(Method::GET, PROVIDER, &Value::Null).await;
    test.network.serve(METADATA, 200, &metadata(ENTITY, &[&old.certificate, &new.certificate], None));
    test.quarters_of_an_hour(24).await;
    assert_eq!(test.network.fetched(METADATA), 2);
    test.quarters_of_an_hour(1).await;
    let log = "/tenants/acme/audit?from=2025-06-15&kind=saml_certificates_changed";
    let log = test.admin(Method::GET, log, &Value::Null).await;
    let told = log["events"].as_array().expect("events");
    assert_eq!(told.len(), 1, "neither the first nor another order is a change: {told:?}");
    let (mut before, mut after) = (fingerprints(&first), fingerprints(&both));
    before.sort();
    after.sort();
    assert_eq!((&told[0]["before"], &told[0]["after"]), (&json!(before), &json!(after)));
    assert_eq!(told[0]["connection"], "saml");
    assert!(!json!(told).to_string().contains(&old.certificate[..40]), "no certificate is in the log");
}

/// A connection that is disabled is left alone by the schedule, and one that is set by hand needs nobody.
#[tokio::test]
async fn the_schedule_asks_where_there_is_something_to_ask() {
    let test = TestBroker::new().await;
    let pair = SigningPair::new(test.clock.now(), 365).await;
    test.network.serve(METADATA, 200, &metadata(ENTITY, &[&pair.certificate], None));
    let saml = json!({"idp_entity_id": ENTITY, "metadata_url": METADATA});
    let disabled = json!({"name": "SAML", "protocol": "saml", "enabled": false, "saml": saml});
    test.admin(Method::PUT, CONNECTION, &disabled).await;
    let by_hand = json!({
        "idp_entity_id": ENTITY, "certificates": [pair.certificate],
        "single_sign_on": [{"binding": "redirect", "location": "https://saml.example/sso"}],
    });
    let by_hand = json!({"name": "SAML", "protocol": "saml", "saml": by_hand});
    test.admin(Method::PUT, "/tenants/acme/connections/hand", &by_hand).await;
    test.quarters_of_an_hour(24).await;
    assert_eq!(test.network.fetched(METADATA), 0);
    let shown = test.admin(Method::GET, "/tenants/acme/connections/hand/saml-provider", &Value::Null).await;
    assert_eq!((&shown["usable"], fingerprints(&shown).len()), (&json!(true), 1));
    let refused = test.try_admin(Method::POST, "/tenants/acme/connections/hand/saml-provider/refresh", &Value::Null);
    assert_eq!(refused.await.status, StatusCode::BAD_REQUEST);
}

/// SA-17: of many who fetch at once, one does, and one event tells of what changed.
#[tokio::test]
async fn of_a_race_one_fetches() {
    let test = TestBroker::new().await;
    let (old, new) = (SigningPair::new(test.clock.now(), 365).await, SigningPair::new(test.clock.now(), 400).await);
    connect(&test, &json!({})).await;
    test.network.serve(METADATA, 200, &metadata(ENTITY, &[&old.certificate], None));
    refresh(&test).await;
    test.network.fetched(METADATA);
    test.network.serve(METADATA, 200, &metadata(ENTITY, &[&new.certificate], None));
    let (store, _) = watched(&test.store, Yields);
    let racers: Vec<_> = (0..8).map(|_| test.another_process(Some(Arc::clone(&store)))).collect();
    join_all(racers.iter().map(refresh)).await;
    assert_eq!(test.network.fetched(METADATA), 1);
    assert_eq!(fingerprints(&test.admin(Method::GET, PROVIDER, &Value::Null).await).len(), 1);
    assert_eq!(test.audited(&["saml_certificates_changed"]).await.len(), 1);
}
