//! Responses that are not what they should be: nobody is signed in, and an administrator's test login says why.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule_protocol::saml::Refused;
use vestibule_protocol::time::Seconds;
use vestibule_testkit::{Asked, FakeSamlIdp, Says, Signs};
use vestibule_tests::Reply;
use vestibule_tests::in_process::{ALICE, ISSUER, TestBroker};

/// One way to be wrong: what is said, how it is sent, and the reason that is told.
struct Case {
    change: fn(Says) -> Says,
    send: fn(String) -> String,
    refused: Refused,
}

const fn says(change: fn(Says) -> Says, refused: Refused) -> Case {
    Case { change, send: |xml| xml, refused }
}

const fn sent(send: fn(String) -> String, refused: Refused) -> Case {
    Case { change: |says| says, send, refused }
}

const OTHER: &str = "https://other.example/";

/// SA-8 to SA-12, and what of SA-2, SA-3 and SA-6 shows here.
const CASES: [Case; 20] = [
    says(|says| Says { signs: Signs::Nothing, ..says }, Refused::Unsigned),
    says(|says| Says { issuer: OTHER.to_owned(), ..says }, Refused::Issuer),
    says(|says| Says { audience: OTHER.to_owned(), ..says }, Refused::Audience),
    says(|says| Says { audience: says.audience.clone() + "/", ..says }, Refused::Audience),
    says(|says| Says { destination: OTHER.to_owned(), ..says }, Refused::Destination),
    says(|says| Says { recipient: OTHER.to_owned(), ..says }, Refused::Destination),
    says(|says| Says { recipient: says.recipient.replace("/saml/acs", "/idp/acs"), ..says }, Refused::Destination),
    says(|says| Says { in_response_to: Some("_other".to_owned()), ..says }, Refused::InResponseTo),
    says(|says| Says { in_response_to: None, ..says }, Refused::Unsolicited),
    says(|says| says.ago(400), Refused::Expired),
    says(|says| says.ago(-100), Refused::NotYet),
    says(|says| Says { session_ends: Some(says.issued_at - Seconds(100)), ..says }, Refused::Expired),
    // Within the leeway: no session could begin.
    says(|says| Says { session_ends: Some(says.issued_at), ..says }, Refused::Expired),
    says(|says| Says { name: " ".to_owned(), ..says }, Refused::NameId),
    says(
        |says| Says { format: Some("urn:oasis:names:tc:SAML:2.0:nameid-format:transient".to_owned()), ..says },
        Refused::Transient,
    ),
    says(|says| Says { session_index: Some("x".repeat(1_025)), ..says }, Refused::NameId),
    sent(|xml| xml.replace(ALICE, "mallory@corp.example"), Refused::Digest),
    sent(|xml| xml.replace("2001/04/xmldsig-more#rsa-sha256", "2000/09/xmldsig#rsa-sha1"), Refused::Sha1),
    sent(|xml| xml.replace("<saml:Assertion", "<!DOCTYPE x><saml:Assertion"), Refused::Doctype),
    sent(|xml| xml.replace("2.0:status:Success", "2.0:status:Responder"), Refused::Status),
];

async fn answer(test: &TestBroker, idp: &FakeSamlIdp, case: &Case, asked: &Asked, cookie: &str) -> Reply {
    let says = (case.change)(idp.says(asked, ALICE));
    let response = (case.send)(idp.response(&says).await.expect("a response"));
    test.post_saml(&asked.acs, &response, asked.relay_state.as_deref(), cookie).await
}

fn assert_refused(reply: &Reply, why: &str) {
    assert!(reply.status.is_client_error() || reply.status == StatusCode::BAD_GATEWAY, "{why}: {}", reply.status);
    reply.assert_page();
    assert!(!reply.set_cookies().iter().any(|cookie| cookie.starts_with("__Host-session=")), "{why}");
    assert!(!reply.body.contains("corp.example"), "{why}: {}", reply.body);
}

/// What somebody sees who tests the connection.
async fn tested(test: &TestBroker, idp: &FakeSamlIdp, case: &Case) -> (Reply, Value) {
    let at = "/tenants/acme/connections/saml";
    let made = test.admin(Method::POST, &format!("{at}/test-login"), &Value::Null).await;
    let link = made["url"].as_str().and_then(|url| url.strip_prefix(ISSUER)).expect("a link").to_owned();
    let (location, cookie) = TestBroker::started(&test.get(&link, "").await);
    let asked = Asked::by_redirect(&location).expect("a request");
    let page = answer(test, idp, case, &asked, &cookie).await;
    let id = made["id"].as_str().expect("an id");
    (page, test.admin(Method::GET, &format!("{at}/test-logins/{id}"), &Value::Null).await)
}

#[tokio::test]
async fn whatever_is_wrong_is_refused_with_its_reason() {
    let (test, idp) = TestBroker::with_saml(&json!({})).await;
    for case in &CASES {
        let why = case.refused.name();
        let (asked, cookie) = test.start_saml("saml", &[]).await;
        let reply = answer(&test, &idp, case, &asked, &cookie).await;
        if case.refused == Refused::Status {
            let there = reply.location().expect("the application");
            assert_eq!(Reply::one_param(&there, "error"), "access_denied");
        } else {
            assert_refused(&reply, why);
        }
        let (page, view) = tested(&test, &idp, case).await;
        assert_eq!((page.status, &view["state"]), (StatusCode::BAD_GATEWAY, &json!("failed")), "{why}: {view}");
        let reason = view["reason"].as_str().expect("a reason");
        let told = if case.refused == Refused::Status { "Responder".to_owned() } else { case.refused.to_string() };
        assert!(reason.contains(&told), "{why}: {reason}");
        assert_refused(&page, why);
    }
    let users = test.admin(Method::GET, "/tenants/acme/users", &Value::Null).await;
    assert_eq!(users["items"], json!([]), "nobody was created");
}

/// SA-2, SA-8: a key counts for its connection alone, whoever else in the same deployment trusts it.
#[tokio::test]
async fn another_connections_key_is_nobodys() {
    let (test, idp) = TestBroker::with_saml(&json!({})).await;
    let theirs = test.saml_idp().await;
    test.connect_saml("other", &theirs, &json!({})).await;
    for (connection, idp, counts) in [("saml", &theirs, false), ("other", &idp, false), ("saml", &idp, true)] {
        let (asked, cookie) = test.start_saml(connection, &[]).await;
        let says = idp.says(&asked, ALICE);
        let reply = test.finish_saml(idp, &says, &asked, &cookie).await;
        assert_eq!(reply.status == StatusCode::SEE_OTHER, counts, "{connection}: {}", reply.body);
    }
}

/// Forms that are none, messages that are none, and more than is read.
#[tokio::test]
async fn broken_forms_are_refused() {
    let (test, idp) = TestBroker::with_saml(&json!({})).await;
    let (asked, cookie) = test.start_saml("saml", &[]).await;
    let response = idp.response(&idp.says(&asked, ALICE)).await.expect("a response");
    let good = FakeSamlIdp::posted(&response);
    let (state, path) = (asked.relay_state.as_deref().expect("a RelayState"), "/saml/acme/saml/acs");
    let large = "A".repeat(600 * 1024);
    for form in [
        vec![],
        vec![("RelayState", state)],
        vec![("RelayState", state), ("SAMLResponse", "")],
        vec![("RelayState", state), ("SAMLResponse", "!")],
        vec![("RelayState", state), ("SAMLResponse", "PGEvPg==")],
        vec![("RelayState", state), ("SAMLResponse", &good), ("SAMLResponse", &good)],
        vec![("RelayState", state), ("RelayState", state), ("SAMLResponse", &good)],
        vec![("RelayState", state), ("SAMLResponse", &large)],
        vec![("RelayState", state), ("SAMLRequest", &good)],
    ] {
        let reply = test.post_with(path, &form, &cookie).await;
        assert_refused(&reply, &format!("{:?}", form.iter().map(|(name, _)| name).collect::<Vec<_>>()));
    }
    assert_eq!(test.get(path, &cookie).await.status, StatusCode::METHOD_NOT_ALLOWED);
    let (long, padding) = ("x".repeat(400 * 1024), [("RelayState", state), ("SAMLResponse", good.as_str())]);
    let reply = test.post_with(path, &[&padding, [("more", long.as_str())].as_slice()].concat(), &cookie).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "what is under the limit counts: {}", reply.body);
}
