//! Keys that change at a connection that speaks SAML: the provider's, which are found, and ours, which overlap.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule_core::platform::Clock;
use vestibule_protocol::jose::Algorithm;
use vestibule_protocol::saml::{Certificate, LogoutRequest};
use vestibule_protocol::time::Seconds;
use vestibule_testkit::{FakeSamlIdp, Signs};
use vestibule_tests::Reply;
use vestibule_tests::encryption::encrypted_assertion;
use vestibule_tests::in_process::leaving::{SLO, by_post, by_redirect};
use vestibule_tests::in_process::{ALICE, TestBroker};
use vestibule_tests::saml::{METADATA, metadata};

const KEYS: &str = "/tenants/acme/connections/saml/saml-keys";

async fn send(test: &TestBroker, idp: &FakeSamlIdp, request: &LogoutRequest) -> Reply {
    test.slo(&idp.query(&request.to_xml(), false, None).await.expect("a signature"), "").await
}

/// SA-17: a provider that changes its key without a word is asked for its metadata once, then not again for a minute.
#[tokio::test]
async fn a_new_key_is_found() {
    let test = TestBroker::new().await;
    let (old, new) = (test.saml_idp().await, test.saml_idp().await);
    let by_url = json!({"single_sign_on": null, "single_logout": null, "certificates": null, "metadata_url": METADATA});
    test.connect_leaving("saml", &old, &by_url, &[]).await;
    test.network.serve(METADATA, 200, &metadata(old.entity_id(), &[old.certificate()], None));
    let alice = test.alice(&old, "saml").await;
    assert_eq!(test.network.fetched(METADATA), 1);
    test.network.serve(METADATA, 200, &metadata(old.entity_id(), &[new.certificate()], None));
    assert_eq!(send(&test, &new, &new.leaves(SLO, ALICE, &[])).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(test.network.fetched(METADATA), 0, "it was fetched less than a minute ago");
    test.later(61);
    assert!(send(&test, &new, &new.leaves(SLO, ALICE, &[])).await.location().is_some());
    assert_eq!(test.network.fetched(METADATA), 1);
    assert!(!test.is_in(&alice).await);
    for _ in 0..3 {
        assert_eq!(send(&test, &old, &old.leaves(SLO, ALICE, &[])).await.status, StatusCode::BAD_REQUEST);
        assert_eq!(send(&test.another_process(None), &old, &old.leaves(SLO, ALICE, &[])).await.status, 400);
    }
    assert_eq!(test.network.fetched(METADATA), 0, "nobody makes us hammer it");
    test.network.serve(METADATA, 0, "");
    test.later(61);
    for _ in 0..3 {
        assert_eq!(send(&test, &old, &old.leaves(SLO, ALICE, &[])).await.status, StatusCode::BAD_REQUEST);
    }
    assert_eq!(test.network.fetched(METADATA), 1, "a try that fails is a try");
    assert!(send(&test, &new, &new.leaves(SLO, ALICE, &[])).await.location().is_some(), "what was fetched serves on");
    test.network.serve(METADATA, 200, &metadata(old.entity_id(), &[old.certificate()], None));
    test.later(61);
    let signs_in = test.sign_in_by_saml("saml", &old).await;
    assert_eq!(signs_in.status, StatusCode::SEE_OTHER, "a response finds the new key, too: {}", signs_in.body);
}

/// What is older than six hours is fetched when it is needed, and serves while nothing comes.
#[tokio::test]
async fn old_metadata_is_fetched_on_use() {
    let test = TestBroker::new().await;
    let idp = test.saml_idp().await;
    let by_url = json!({"single_sign_on": null, "single_logout": null, "certificates": null, "metadata_url": METADATA});
    test.connect_leaving("saml", &idp, &by_url, &[]).await;
    let document =
        |days: i64| metadata(idp.entity_id(), &[idp.certificate()], Some(test.clock.now() + Seconds(days * 86_400)));
    let works = async || {
        let reply = test.authorize(&[("tenant", "acme"), ("connection", "saml")], "").await;
        reply.location().is_some_and(|to| to.as_str().starts_with("https://saml.example/"))
    };
    assert!(!works().await, "nothing was fetched");
    assert!(!works().await);
    test.network.serve(METADATA, 200, &document(1));
    assert!(!works().await, "within the cool-down");
    for (seconds, fetched) in [(61, 1), (6 * 3_600 - 1, 0), (61, 1)] {
        test.later(seconds);
        assert!(works().await && works().await, "{seconds}");
        assert_eq!(test.network.fetched(METADATA), fetched, "{seconds}");
    }
    test.network.serve(METADATA, 500, "");
    test.later(6 * 3_600);
    assert!(works().await, "what was fetched serves on");
    test.later(86_400);
    assert!(!works().await, "until it says that it is over");
    let log = test.admin(Method::GET, "/tenants/acme/connections/saml/saml-provider", &Value::Null).await;
    assert_eq!(log["failure"]["error"], "status");
}

/// A key on P-256 signs what we send, in both bindings, and the provider knows both keys while they overlap.
#[tokio::test]
async fn either_kind_of_key_signs() {
    for binding in ["redirect", "post"] {
        let (test, idp) = TestBroker::leaving(&[binding]).await;
        let made = test.admin(Method::POST, KEYS, &json!({"usage": "signing", "algorithm": "ES256"})).await;
        let made = made["keys"][1]["id"].as_str().expect("an id").to_owned();
        for (at, algorithm) in [(0, Algorithm::RS256), (1, Algorithm::ES256)] {
            let query = idp.query(&idp.leaves(SLO, ALICE, &[]).to_xml(), false, None).await.expect("a signature");
            let reply = test.slo(&query, "").await;
            let key = test.published_keys().await.remove(0);
            assert!(key.allows(algorithm));
            match binding {
                "post" => drop(by_post(&key, &reply, "SAMLResponse").await),
                _ => drop(by_redirect(&key, &reply.location().expect("an answer")).await),
            }
            if at == 0 {
                test.admin(Method::POST, &format!("{KEYS}/{made}/activate"), &Value::Null).await;
            }
        }
    }
}

/// The certificates of a use, in the order in which they were made, with their ids.
async fn certificates(test: &TestBroker, usage: &str) -> Vec<(String, Certificate)> {
    let keys = test.admin(Method::GET, KEYS, &Value::Null).await;
    let keys = keys["keys"].as_array().expect("keys").iter().filter(|key| key["usage"] == usage);
    let member = |key: &Value, name: &str| key[name].as_str().expect("a text").to_owned();
    keys.map(|key| (member(key, "id"), Certificate::read(&member(key, "certificate")).expect("a certificate")))
        .collect()
}

/// LO-7, SA-15: a name that is encrypted is opened. What is encrypted for the key before opens as long as that is there, in a
/// sign-in too, and then no more.
#[tokio::test]
async fn encryption_keys_overlap() {
    let (test, idp) = TestBroker::leaving(&["redirect"]).await;
    test.connect_leaving("saml", &idp, &json!({"wants_encryption": true}), &["redirect"]).await;
    let made = test.admin(Method::POST, KEYS, &json!({"usage": "encryption"})).await;
    let made = made["keys"].as_array().and_then(|keys| keys.last()).expect("a key")["id"].clone();
    let made = made.as_str().expect("an id");
    test.admin(Method::POST, &format!("{KEYS}/{made}/activate"), &Value::Null).await;
    let both = certificates(&test, "encryption").await;
    assert_eq!(both.len(), 2);
    let name = format!("<saml:NameID xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">{ALICE}</saml:NameID>");
    for removed in [false, true] {
        if removed {
            test.admin(Method::DELETE, &format!("{KEYS}/{}", both[0].0), &Value::Null).await;
        }
        for (at, (_, certificate)) in both.iter().enumerate() {
            let opens = at == 1 || !removed;
            let alice = test.alice(&idp, "saml").await;
            let xml = idp.leaves(SLO, ALICE, &[&alice.index]).to_xml();
            let sealed = encrypted_assertion(&name, certificate).replace("EncryptedAssertion", "EncryptedID");
            let (before, rest) = xml.split_once("<saml:NameID").expect("a name");
            let (_, after) = rest.split_once("</saml:NameID>").expect("a name");
            let query = idp.query(&format!("{before}{sealed}{after}"), false, None).await.expect("a signature");
            let reply = test.slo(&query, "").await;
            assert_eq!(reply.location().is_some(), opens, "{at} {removed} {}", reply.body);
            assert_eq!(test.is_in(&alice).await, !opens);
            let (asked, cookie) = test.start_saml("saml", &[]).await;
            let mut says = idp.says(&asked, ALICE);
            says.signs = Signs::Both;
            let assertion = idp.signed(&says.assertion(), &says.id).await.expect("a signature");
            let response = idp.enclose(&says, &encrypted_assertion(&assertion, certificate)).await.expect("a response");
            let reply = test.post_saml(&asked.acs, &response, asked.relay_state.as_deref(), &cookie).await;
            assert_eq!(reply.status == StatusCode::SEE_OTHER, opens, "{at} {removed}");
        }
    }
}
