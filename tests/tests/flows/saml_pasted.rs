//! A response that an administrator pasted into the check of a connection: every mistake is told, and nobody's data is.

use http::Method;
use serde_json::{Value, json};
use vestibule_core::model::saml::KeyUsage;
use vestibule_core::store::key;
use vestibule_protocol::saml::Certificate;
use vestibule_testkit::{Asked, FakeSamlIdp, Says, Signs};
use vestibule_tests::encryption::encrypted_assertion;
use vestibule_tests::in_process::{ALICE, TestBroker};

const SECRET: &str = "nobodys-business@corp.example";

/// What is wrong with a response.
type Change = fn(&mut Says);

async fn check(test: &TestBroker, response: &str) -> Value {
    test.admin(Method::POST, "/tenants/acme/connections/saml/check", &json!({ "response": response })).await
}

/// The codes of what is wrong with a response. That nobody watches the sessions, and that the provider's certificate ends
/// soon, is not its fault.
fn codes(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().expect("findings").iter();
    let codes = findings.map(|finding| finding["code"].as_str().expect("a code"));
    codes.filter(|code| *code != "sessions_unwatched" && !code.starts_with("certificate_")).collect()
}

fn message(report: &Value, code: &str) -> String {
    let findings = report["findings"].as_array().expect("findings").iter();
    let found = findings.filter(|finding| finding["code"] == code).map(|finding| finding["message"].as_str());
    found.flatten().next().unwrap_or_default().to_owned()
}

async fn asked(test: &TestBroker) -> Asked {
    test.start_saml("saml", &[]).await.0
}

/// What an honest provider says of Alice.
fn honest(idp: &FakeSamlIdp, asked: &Asked) -> Says {
    idp.says(asked, "alice").with("email", &[SECRET]).with("groups", &["one", "two"])
}

/// An assertion, encrypted for a connection of the tenant's.
async fn encrypted(test: &TestBroker, connection: &str, assertion: &str) -> String {
    let keys = key::saml_keys("acme", connection).get(&*test.store).await.expect("an answer").expect("keys").value;
    let ours = keys.of(KeyUsage::Encryption).next().expect("a key for that");
    encrypted_assertion(assertion, &Certificate::read(&ours.certificate).expect("a certificate"))
}

/// A good response, as it is copied and hours later, has no finding; what came is told without its values.
#[tokio::test]
async fn a_good_response_has_no_findings() {
    let (test, idp) = TestBroker::with_saml(&json!({})).await;
    let asked = asked(&test).await;
    for signs in [Signs::Assertion, Signs::Response, Signs::Both] {
        let mut says = honest(&idp, &asked);
        says.signs = signs;
        let xml = idp.response(&says).await.expect("a response");
        test.later(86_400);
        for sent in [xml.clone(), FakeSamlIdp::posted(&xml)] {
            let report = check(&test, &sent).await;
            assert_eq!(codes(&report), Vec::<&str>::new(), "{signs:?} {report}");
            assert_eq!(report["ok"], json!(true));
            let expected = json!({
                "verified": true, "attributes": { "email": 1, "groups": 2 },
                "claims": {
                    "email": true, "family_name": false, "given_name": false, "groups": true, "name": false,
                    "preferred_username": false, "unique_id": true,
                },
            });
            assert_eq!(report["response"], expected);
            assert!(!report.to_string().contains(SECRET), "{report}");
        }
    }
}

/// SA-8 to SA-12: each mistake has its name; what is configured is told as it is on both sides.
#[tokio::test]
async fn each_mistake_is_told() {
    let (test, idp) = TestBroker::with_saml(&json!({})).await;
    let asked = asked(&test).await;
    let wrong: [(Change, &str, &str); 12] = [
        (|says| says.audience = "urn:other".to_owned(), "audience", "urn:other"),
        (|says| says.destination = "https://other.example/acs".to_owned(), "destination", "https://other.example/acs"),
        (|says| says.recipient = "https://other.example/acs".to_owned(), "destination", "https://other.example/acs"),
        (|says| says.issuer = "urn:someone".to_owned(), "issuer", "urn:someone"),
        (|says| says.signs = Signs::Nothing, "unsigned", "signed"),
        (|says| says.failure = Some("AuthnFailed"), "status", "AuthnFailed"),
        (|says| says.name.clear(), "name_id", "NameID"),
        (|says| says.in_response_to = Some("dummy".to_owned()), "dummy_in_response_to", "Rippling"),
        (|says| says.in_response_to = None, "unsolicited", "idp_initiated"),
        (|says| *says = says.clone().ago(-90), "not_yet", "90 s"),
        (
            |says| says.format = Some("urn:oasis:names:tc:SAML:2.0:nameid-format:transient".to_owned()),
            "transient",
            "unique_id_claim",
        ),
        (|says| says.attributes.clear(), "email", "email_claim"),
    ];
    for (change, code, word) in wrong {
        let mut says = honest(&idp, &asked);
        change(&mut says);
        let report = check(&test, &idp.response(&says).await.expect("a response")).await;
        assert_eq!(codes(&report), [code], "{report}");
        assert!(message(&report, code).contains(word), "{report}");
        assert!(!report.to_string().contains(SECRET), "{report}");
    }
    let mut says = honest(&idp, &asked);
    says.audience = "urn:other".to_owned();
    let report = check(&test, &idp.response(&says).await.expect("a response")).await;
    assert!(message(&report, "audience").contains("\"https://sso.example/saml/acme/saml\""), "ours, too: {report}");
}

/// One mistake hides no other.
#[tokio::test]
async fn all_mistakes_are_told_at_once() {
    let (test, idp) = TestBroker::with_saml(&json!({})).await;
    let stranger = test.saml_idp().await;
    let asked = asked(&test).await;
    let mut says = honest(&idp, &asked).ago(-3_600);
    (says.issuer, says.audience, says.recipient) =
        ("urn:a".to_owned(), "urn:b".to_owned(), "https://c.example/".to_owned());
    (says.in_response_to, says.attributes) = (None, Vec::new());
    let report = check(&test, &stranger.response(&says).await.expect("a response")).await;
    let expected = ["signature", "issuer", "destination", "audience", "not_yet", "unsolicited", "email"];
    assert_eq!(codes(&report), expected, "{report}");
    assert_eq!(report["response"]["verified"], json!(false));
    // Changed by hand, or by a tool that makes it readable.
    let xml = idp.response(&honest(&idp, &asked)).await.expect("a response");
    let report = check(&test, &xml.replace("><saml:Subject>", ">\n<saml:Subject>")).await;
    assert_eq!(codes(&report), ["digest"], "{report}");
    let sha1 =
        xml.replace("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2000/09/xmldsig#rsa-sha1");
    assert_eq!(codes(&check(&test, &sha1).await), ["sha1"]);
    for (sent, code) in [("", "malformed"), ("%50%48", "encoding"), ("<a/>", "shape"), ("<!DOCTYPE a><a/>", "doctype")]
    {
        let report = check(&test, sent).await;
        assert_eq!(codes(&report), [code], "{sent}: {report}");
        assert_eq!(report.get("response"), None);
    }
}

/// SA-15: what is encrypted is looked into, where it is for us.
#[tokio::test]
async fn what_is_encrypted_is_looked_into() {
    let (test, idp) = TestBroker::with_saml(&json!({ "wants_encryption": true })).await;
    let asked = asked(&test).await;
    let mut says = honest(&idp, &asked);
    says.audience = "urn:other".to_owned();
    let assertion = idp.signed(&says.assertion(), &says.id).await.expect("an assertion");
    let sealed = encrypted(&test, "saml", &assertion).await;
    let response = idp.enclose(&says, &sealed).await.expect("a response");
    let report = check(&test, &response).await;
    assert_eq!((codes(&report), &report["response"]["verified"]), (vec!["audience"], &json!(true)), "{report}");
    test.connect_saml("second", &idp, &json!({ "wants_encryption": true })).await;
    let others = idp.enclose(&says, &encrypted(&test, "second", &assertion).await).await.expect("a response");
    assert_eq!(codes(&check(&test, &others).await), ["decryption"]);
}

/// Nothing of it stays: not in the store, not in the audit log.
#[tokio::test]
async fn a_pasted_response_is_not_kept() {
    let (test, idp) = TestBroker::with_saml(&json!({})).await;
    let asked = asked(&test).await;
    let xml = idp.response(&honest(&idp, &asked)).await.expect("a response");
    check(&test, &xml).await;
    let log = test.admin(Method::GET, "/tenants/acme/audit", &Value::Null).await.to_string();
    assert!(!log.contains(SECRET) && !log.contains("alice"), "{log}");
    // It was not spent, either: whoever it is for still signs in.
    let (asked, cookie) = test.start_saml("saml", &[]).await;
    let says = idp.says(&asked, ALICE);
    check(&test, &idp.response(&says).await.expect("a response")).await;
    let reply = test.finish_saml(&idp, &says, &asked, &cookie).await;
    assert!(reply.location().is_some(), "{}", reply.body);
}
