//! Who somebody is whom a provider that speaks SAML signs in, and what is kept of them.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule_core::model::session::{ProviderSession, Session};
use vestibule_core::store::key;
use vestibule_protocol::saml::Certificate;
use vestibule_testkit::{Asked, FakeSamlIdp, Says, Signs};
use vestibule_tests::Reply;
use vestibule_tests::encryption::encrypted_assertion;
use vestibule_tests::in_process::{ALICE, TestBroker, claims, signed_in};

use super::invitations::{assert_not_invited, invite, inviting, opened, state};

const PERSISTENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";
const TRANSIENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";
const OBJECT_ID: &str = "http://schemas.microsoft.com/identity/claims/objectidentifier";

/// Signs somebody in of whom the provider says this.
async fn sign_in(test: &TestBroker, idp: &FakeSamlIdp, says: impl FnOnce(Says) -> Says) -> Reply {
    let (asked, cookie) = test.start_saml("saml", &[]).await;
    test.finish_saml(idp, &says(idp.says(&asked, ALICE)), &asked, &cookie).await
}

/// The person's name here, and what is kept of them.
async fn user(test: &TestBroker, reply: &Reply) -> (String, Value) {
    let tokens = test.redeem(&signed_in(reply).code).await.json();
    let id = claims(&tokens["id_token"])["sub"].as_str().expect("a subject").to_owned();
    let user = test.admin(Method::GET, &format!("/tenants/acme/users/{id}"), &Value::Null).await;
    (id, user)
}

/// Entra's long names, groups in several values and in several attributes of one name, and one value that is split.
#[tokio::test]
async fn attributes_make_a_person() {
    let test = TestBroker::new().await;
    let idp = test.saml_idp().await;
    let beside = json!({
        "unique_id_claim": OBJECT_ID,
        "attributes": {
            "department": { "path": "department" }, "sites": { "path": "sites", "values": "all", "split": ";" },
        },
    });
    test.connect_saml_with("saml", &idp, &json!({}), &beside).await;
    let xmlsoap = |name: &str| format!("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/{name}");
    let groups = "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups";
    let full = |says: Says| {
        says.with(OBJECT_ID, &["object-1"])
            .with(&xmlsoap("emailaddress"), &[ALICE])
            .with(&xmlsoap("givenname"), &["Alice"])
            .with(&xmlsoap("surname"), &["Liddell"])
            .with("http://schemas.microsoft.com/identity/claims/displayname", &["Alice Liddell"])
            .with(groups, &["a", "b"])
            .with(groups, &["c"])
            .with("department", &["Research & Development"])
            .with("sites", &["Oxford; London"])
    };
    let (id, person) = user(&test, &sign_in(&test, &idp, full).await).await;
    let profile = &person["profile"];
    assert_eq!((&profile["email"], &profile["name"]), (&json!(ALICE), &json!("Alice Liddell")));
    assert_eq!((&profile["given_name"], &profile["family_name"]), (&json!("Alice"), &json!("Liddell")));
    assert_eq!(profile["email_verified"], Value::Null);
    assert_eq!(person["groups"]["names"], json!(["a", "b", "c"]), "{person}");
    assert_eq!(person["mapped_attributes"]["department"], "Research & Development", "{person}");
    assert_eq!(person["mapped_attributes"]["sites"], json!(["Oxford", "London"]), "{person}");
    // The object's id names them: another NameID is the same person, even one that is another each time.
    for format in [PERSISTENT, TRANSIENT] {
        let other = |says: Says| full(Says { name: "another".to_owned(), format: Some(format.to_owned()), ..says });
        assert_eq!(user(&test, &sign_in(&test, &idp, other).await).await.0, id);
    }
    let nobody = sign_in(&test, &idp, |says| says).await;
    assert_eq!(nobody.status, StatusCode::BAD_GATEWAY, "without the attribute nobody comes in: {}", nobody.body);
    // More groups than the provider sends are not none.
    let link = "http://schemas.microsoft.com/claims/groups.link";
    let overage = |says: Says| says.with(OBJECT_ID, &["object-1"]).with(link, &["https://graph.example/"]);
    let (_, after) = user(&test, &sign_in(&test, &idp, overage).await).await;
    assert_eq!(after["groups"]["state"], "overage", "{after}");
}

/// A broker whose tenant owns the domain, with a connection of each protocol that links by address; who Alice is through the
/// one that speaks OpenID Connect.
async fn linking(saml: &Value) -> (TestBroker, FakeSamlIdp, String) {
    let test = TestBroker::new().await;
    let idp = test.saml_idp().await;
    let linking = json!({ "sign_in": { "link_by_email": true } });
    test.connect_saml_with("saml", &idp, saml, &linking).await;
    test.connect(&linking).await;
    test.admin(Method::PUT, "/tenants/acme/domains/corp.example", &json!({})).await;
    let word = json!({ "override_reason": "a test" });
    test.admin(Method::POST, "/tenants/acme/domains/corp.example/verify", &word).await;
    let alice = test.subject_of("idp", ALICE).await;
    (test, idp, alice)
}

/// RP-6: where the connection's administrator says that the provider's addresses are verified, one links, and only one in a
/// domain that the tenant owns.
#[tokio::test]
async fn a_trusted_address_of_saml_links() {
    let (test, idp, alice) = linking(&json!({ "trusts_email": true })).await;
    let (id, person) = user(&test, &sign_in(&test, &idp, |says| says.with("email", &[ALICE])).await).await;
    assert_eq!((&id, &person["profile"]["email_verified"]), (&alice, &json!(true)));
    let elsewhere = |says: Says| Says { name: "another".to_owned(), format: None, ..says };
    for address in [None, Some("alice@other.example")] {
        let says = |says| match address {
            Some(address) => elsewhere(says).with("email", &[address]),
            None => elsewhere(says),
        };
        let (id, person) = user(&test, &sign_in(&test, &idp, says).await).await;
        assert_ne!(id, alice);
        assert_eq!(person["linked_email"], Value::Null, "{person}");
    }
}

/// RP-6: otherwise an address that SAML names links nobody, whatever an attribute claims of it.
#[tokio::test]
async fn an_address_of_saml_links_nobody() {
    let (test, idp, verified) = linking(&json!({})).await;
    for claimed in ["email_verified", "xms_edov"] {
        let reply = sign_in(&test, &idp, |says| says.with("email", &[ALICE]).with(claimed, &["true"])).await;
        let (id, user) = user(&test, &reply).await;
        assert_ne!(id, verified);
        assert_eq!(user["linked_email"], Value::Null, "{user}");
    }
}

/// Through a provider that speaks SAML, whose addresses the connection's administrator trusts, or does not.
#[tokio::test]
async fn an_invitation_is_accepted_through_saml() {
    let test = inviting().await;
    let idp = test.saml_idp().await;
    let (id, link) = invite(&test, json!({})).await;
    let browser = opened(&test, &link).await;
    let email = |says: Says| says.with("email", &[ALICE]);
    for (connection, trusts_email) in [("doubted", false), ("trusted", true)] {
        test.connect_saml(connection, &idp, &json!({ "trusts_email": trusts_email })).await;
        let started = test.authorize(&[("tenant", "acme"), ("connection", connection)], &browser).await;
        let (location, login) = TestBroker::started(&started);
        let asked = Asked::by_redirect(&location).expect("a request");
        let reply = test.finish_saml(&idp, &email(idp.says(&asked, "alice-1")), &asked, &login).await;
        if trusts_email {
            signed_in(&reply);
        } else {
            assert_not_invited(&reply);
            assert_eq!(state(&test, &id).await, "pending");
        }
    }
    assert_eq!(state(&test, &id).await, "accepted");
}

/// What a logout will have to name is kept with the session, and leads to it.
#[tokio::test]
async fn the_session_keeps_what_the_provider_calls_it() {
    let (test, idp) = TestBroker::with_saml(&json!({})).await;
    let reply = sign_in(&test, &idp, |says| Says {
        format: Some(PERSISTENT.to_owned()),
        session_index: Some("_index".to_owned()),
        ..says
    });
    let (id, _) = user(&test, &reply.await).await;
    let shard = key::SessionShard::of_user("acme", &id, 8);
    let all = test.store.list(&shard.partition(), "", None, 100).await.expect("a store").records;
    let parsed = |record: &vestibule_core::store::Record| serde_json::from_slice::<Session>(record.value.as_bytes());
    let session = all.iter().find(|record| record.id.starts_with("session#")).map(parsed).expect("a session");
    let name = session.expect("a session").saml.expect("a name");
    assert_eq!((name.value.as_str(), name.format.as_deref()), (ALICE, Some(PERSISTENT)));
    assert_eq!(name.session_index.as_deref(), Some("_index"));
    let prefix = key::SessionShard::of_sid("saml", "_index");
    let by_sid = all.iter().find(|record| record.id.starts_with(&prefix)).expect("an index");
    let by_sid: ProviderSession = serde_json::from_slice(by_sid.value.as_bytes()).expect("an index");
    assert_eq!((by_sid.issuer.as_str(), by_sid.subject.as_str()), (idp.entity_id(), ALICE));
}

/// SA-15: an assertion that is encrypted for us is opened; for somebody else, it is not, and neither is an unsigned one.
#[tokio::test]
async fn an_encrypted_assertion_signs_somebody_in() {
    let (test, idp) = TestBroker::with_saml(&json!({ "wants_encryption": true })).await;
    let keys = key::saml_keys("acme", "saml").get(&*test.store).await.expect("a store").expect("keys").value;
    let ours = keys.keys.iter().find(|key| json!(key.usage) == json!("encryption")).expect("a key for that");
    let theirs = idp.certificate();
    for (recipient, signs, counts) in [
        (ours.certificate.as_str(), Signs::Assertion, true),
        (ours.certificate.as_str(), Signs::Both, true),
        (ours.certificate.as_str(), Signs::Response, true),
        (ours.certificate.as_str(), Signs::Nothing, false),
        (theirs, Signs::Both, false),
    ] {
        let (asked, cookie) = test.start_saml("saml", &[]).await;
        let says = Says { signs, ..idp.says(&asked, ALICE) };
        let recipient = Certificate::read(recipient).expect("a certificate");
        let assertion = says.assertion();
        let assertion = match signs {
            Signs::Assertion | Signs::Both => idp.signed(&assertion, &says.id).await.expect("it is signed"),
            Signs::Response | Signs::Nothing => assertion,
        };
        let response = idp.enclose(&says, &encrypted_assertion(&assertion, &recipient)).await.expect("a response");
        let reply = test.post_saml(&asked.acs, &response, asked.relay_state.as_deref(), &cookie).await;
        assert_eq!(reply.status == StatusCode::SEE_OTHER, counts, "{signs:?}: {}", reply.body);
        assert!(!response.contains(ALICE));
    }
}
