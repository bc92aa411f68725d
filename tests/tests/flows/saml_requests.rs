//! What a provider that speaks SAML is asked, and how. SA-18.

use http::StatusCode;
use serde_json::{Value, json};
use vestibule_core::store::key;
use vestibule_protocol::saml::{Certificate, RedirectMessage, signed_logout};
use vestibule_testkit::Asked;
use vestibule_tests::form::Form;
use vestibule_tests::in_process::{ALICE, TestBroker, signed_in};
use vestibule_tests::platform::crypto;
use vestibule_tests::{Reply, platform};

const POST: &str = "https://saml.example/post?app=1";

fn by_post(members: &Value) -> Value {
    let mut saml = json!({ "single_sign_on": [{ "binding": "post", "location": POST }] });
    saml.as_object_mut().expect("an object").extend(members.as_object().cloned().unwrap_or_default());
    saml
}

/// What our metadata says that we sign with.
async fn our_certificate(test: &TestBroker, connection: &str) -> Certificate {
    let keys = key::saml_keys("acme", connection).get(&*test.store).await.expect("a store").expect("keys").value;
    Certificate::read(&keys.keys[0].certificate).expect("a certificate")
}

/// A request says who asks, where the answer goes, and nothing that was not set. No two have the same id.
#[tokio::test]
async fn a_request_says_what_is_set() {
    let (test, idp) = TestBroker::with_saml(&json!({})).await;
    let (asked, _) = test.start_saml("saml", &[]).await;
    assert_eq!(asked.issuer, "https://sso.example/saml/acme/saml");
    assert_eq!(asked.acs, "https://sso.example/saml/acme/saml/acs");
    assert_eq!(Some(asked.id), asked.relay_state.map(|login| format!("_{login}")));
    assert!(asked.xml.contains(r#"IssueInstant="2025-06-15T15:06:40Z""#), "{}", asked.xml);
    for absent in ["ForceAuthn", "IsPassive", "NameIDPolicy", "RequestedAuthnContext", "Signature"] {
        assert!(!asked.xml.contains(absent), "{absent}: {}", asked.xml);
    }
    assert_ne!(test.start_saml("saml", &[]).await.0.xml, asked.xml);
    let (format, class) = ("urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", "urn:x:mfa");
    let set = json!({
        "force_authn": true, "name_id_format": format, "authn_contexts": [class], "sp_entity_id": "urn:our:name",
    });
    test.connect_saml("set", &idp, &set).await;
    let (asked, _) = test.start_saml("set", &[]).await;
    assert_eq!(asked.issuer, "urn:our:name");
    for there in [r#"ForceAuthn="true""#, &format!(r#"Format="{format}""#), ">urn:x:mfa<"] {
        assert!(asked.xml.contains(there), "{there}: {}", asked.xml);
    }
}

/// An application that wants the person to prove anew who they are gets that, and an old proof does not count.
#[tokio::test]
async fn the_application_can_insist() {
    let (test, idp) = TestBroker::with_saml(&json!({})).await;
    for (asks, forces) in [
        (("prompt", "login"), true),
        (("prompt", "consent login"), true),
        (("max_age", "0"), true),
        (("prompt", "select_account"), false),
        (("max_age", "300"), false),
    ] {
        let (asked, cookie) = test.start_saml("saml", &[asks]).await;
        assert_eq!(asked.xml.contains(r#"ForceAuthn="true""#), forces, "{asks:?}");
        let mut says = idp.says(&asked, ALICE);
        says.authenticated_at = says.issued_at - vestibule_protocol::time::Seconds(3_600);
        let there = test.finish_saml(&idp, &says, &asked, &cookie).await.location().expect("the application");
        let is_checked = asks.0 == "max_age";
        assert_eq!(there.query_pairs().any(|(_, value)| value == "login_required"), is_checked, "{asks:?}: {there}");
    }
    let acr = [("claims", r#"{"id_token":{"acr":{"essential":true,"value":"urn:x:mfa"}}}"#)];
    for (class, error) in [("urn:x:password", Some("unmet_authentication_requirements")), ("urn:x:mfa", None)] {
        let (asked, cookie) = test.start_saml("saml", &acr).await;
        let mut says = idp.says(&asked, ALICE);
        says.context = class.to_owned();
        let there = test.finish_saml(&idp, &says, &asked, &cookie).await.location().expect("the application");
        let told = there.query_pairs().find(|(name, _)| name == "error").map(|(_, error)| error.into_owned());
        assert_eq!(told.as_deref(), error, "{there}");
    }
}

/// By redirect, the query is signed as it stands; when the connection says so, and when the provider's metadata does.
#[tokio::test]
async fn a_redirect_is_signed() {
    let (test, idp) = TestBroker::with_saml(&json!({ "sign_requests": true })).await;
    let metadata = format!(
        r#"<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{}"><IDPSSODescriptor
        WantAuthnRequestsSigned="true" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor>
        <KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>{}</X509Certificate></X509Data></KeyInfo>
        </KeyDescriptor><SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="{POST}"/>
        <SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
        Location="https://saml.example/sso"/></IDPSSODescriptor></EntityDescriptor>"#,
        idp.entity_id(),
        idp.certificate(),
    );
    let described = json!({
        "metadata": metadata, "single_sign_on": null, "certificates": null, "idp_entity_id": null,
    });
    test.connect_saml("wanted", &idp, &described).await;
    for connection in ["saml", "wanted"] {
        let through = [("tenant", "acme"), ("connection", connection)];
        let (location, cookie) = TestBroker::started(&test.authorize(&through, "").await);
        let message = RedirectMessage::read(location.query().expect("a query")).expect("a message");
        let (algorithm, input, signature) = message.signature.expect("a signature");
        let key = our_certificate(&test, connection).await.key;
        crypto().verify(&key, algorithm, input.as_bytes(), &signature).await.expect("it is ours");
        let other = platform::rsa_key().public;
        crypto().verify(&other, algorithm, input.as_bytes(), &signature).await.expect_err("it is nobody else's");
        let asked = Asked::by_redirect(&location).expect("a request");
        signed_in(&test.finish_saml(&idp, &idp.says(&asked, ALICE), &asked, &cookie).await);
    }
}

/// A provider that takes forms only gets one, from a page that posts it by itself; signed within, if at all.
#[tokio::test]
async fn a_form_is_posted() {
    let (test, idp) = TestBroker::with_saml(&by_post(&json!({}))).await;
    test.connect_saml("signed", &idp, &by_post(&json!({ "sign_requests": true }))).await;
    for (connection, is_signed) in [("saml", false), ("signed", true)] {
        let page = test.authorize(&[("tenant", "acme"), ("connection", connection)], "").await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        page.assert_page();
        let policy = page.header("content-security-policy").expect("a policy");
        assert!(policy.contains("script-src 'sha256-") && policy.starts_with("default-src 'none'"), "{policy}");
        let [form] = Form::all(&page.body).try_into().expect("one form");
        assert!(form.post && form.action == POST, "{form:?}");
        let field = |name: &str| form.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let asked = Asked::by_post(POST, field("SAMLRequest").expect("a request"), field("RelayState"));
        let asked = asked.expect("a request");
        assert_eq!(asked.xml.contains("<ds:Signature"), is_signed, "{}", asked.xml);
        if is_signed {
            let signed = signed_logout(&asked.xml).expect("a signature");
            let key = our_certificate(&test, connection).await.key;
            let verified = crypto().verify(&key, signed.algorithm(), signed.input(), signed.signature()).await;
            verified.expect("it is ours");
        }
        let cookie = login_cookie(&page);
        assert!(cookie.ends_with("; Path=/; Max-Age=600; Secure; HttpOnly; SameSite=None"), "{cookie}");
        let pair = cookie.split(';').next().expect("a pair");
        signed_in(&test.finish_saml(&idp, &idp.says(&asked, ALICE), &asked, pair).await);
    }
}

fn login_cookie(page: &Reply) -> &str {
    let [cookie] = page.set_cookies().try_into().expect("one cookie");
    cookie
}

/// A connection without a usable description of its provider tells the application, which can do nothing about it.
#[tokio::test]
async fn a_provider_that_is_not_known_yet_is_unavailable() {
    let test = TestBroker::new().await;
    let idp = test.saml_idp().await;
    let fetched =
        json!({ "metadata_url": "https://saml.example/metadata", "single_sign_on": null, "certificates": null });
    test.connect_saml("saml", &idp, &fetched).await;
    let there = test.authorize(&[("tenant", "acme"), ("connection", "saml")], "").await.location();
    assert_eq!(Reply::one_param(&there.expect("the application"), "error"), "temporarily_unavailable");
}
