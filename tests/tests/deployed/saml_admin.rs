//! Connections that speak SAML as an administrator sets them up, on a running broker.

use http::Method;
use serde_json::{Value, json};
use vestibule_protocol::saml::write_instant;
use vestibule_protocol::time::{Seconds, Timestamp};
use vestibule_tests::idp_metadata::{TestCertificate, TestEntity, federation, saml_connection};
use vestibule_tests::platform::{clock, unique};
use vestibule_tests::world::connection;
use vestibule_tests::{Deployment, Reply};

const IDP: &str = "https://idp.example/entity";

/// A tenant of one test's own, and the address of a connection in it.
async fn place() -> (Deployment, String) {
    let broker = Deployment::from_env();
    let tenant = unique("t");
    broker.put(&format!("/tenants/{tenant}"), json!({ "name": "Acme" })).await;
    (broker, format!("/tenants/{tenant}/connections/ad"))
}

fn now() -> Timestamp {
    clock().now()
}

fn entity() -> TestEntity {
    TestEntity::new(IDP, &[TestCertificate::new(1, now())])
}

/// The paths of the problems, sorted, with what is said of each.
fn problems(reply: &Reply) -> Vec<(String, String)> {
    assert_eq!(reply.status, 400, "{}", reply.body);
    let body = reply.json();
    let problems = body["problems"].as_array().expect("problems").iter();
    let text = |problem: &Value, member: &str| problem[member].as_str().expect("a text").to_owned();
    let mut all: Vec<_> = problems.map(|problem| (text(problem, "path"), text(problem, "problem"))).collect();
    all.sort();
    all
}

fn paths(reply: &Reply) -> Vec<String> {
    problems(reply).into_iter().map(|(path, _)| path).collect()
}

/// SA-2, SA-17: what cannot be right is told at once, each with its place, and nothing is stored.
#[tokio::test]
async fn every_problem_of_a_saml_connection_is_told() {
    let (broker, path) = place().await;
    let weak = TestCertificate { bits: 1_024, ..TestCertificate::new(1, now()) };
    let mut body = saml_connection(&json!({
        "idp_entity_id": "<entity_id>",
        "sp_entity_id": "two words",
        "single_sign_on": [
            {"binding": "redirect", "location": "http://idp.example/sso"},
            {"binding": "post", "location": "https://10.0.0.1/sso"},
            {"binding": "post", "location": "sso"},
        ],
        "single_logout": [{"binding": "post", "location": "https://idp.example/slo", "response_location": "http://idp.example/"}],
        "certificates": [weak.pem(), "AAAA", TestCertificate::new(2, now()).base64()],
        "name_id_format": "an address",
        "authn_contexts": ["urn:a", ""],
        "idp_initiated": {"client": "NO"},
    }));
    body["skew_seconds"] = json!(301);
    let reply = broker.admin(Method::PUT, &path, Some(&body)).await;
    let expected = [
        "/saml/authn_contexts",
        "/saml/certificates/0",
        "/saml/certificates/1",
        "/saml/idp_entity_id",
        "/saml/idp_initiated/client",
        "/saml/name_id_format",
        "/saml/single_logout/0",
        "/saml/single_sign_on/0",
        "/saml/single_sign_on/1",
        "/saml/single_sign_on/2",
        "/saml/sp_entity_id",
        "/skew_seconds",
    ];
    assert_eq!(paths(&reply), expected, "{}", reply.body);
    assert!(reply.body.contains("RSA of 2048 bits or more"), "{}", reply.body);
    assert_eq!(broker.admin(Method::GET, &path, None).await.status, 404, "nothing was stored");
}

/// A provider is described in one way, whole, and where we and browsers may go.
#[tokio::test]
async fn a_provider_is_described_in_one_way() {
    let (broker, path) = place().await;
    for (saml, expected) in [
        (Value::Null, vec!["/saml"]),
        (json!({}), vec!["/saml", "/saml/idp_entity_id"]),
        (json!({ "idp_entity_id": IDP }), vec!["/saml"]),
        (
            json!({ "idp_entity_id": IDP, "metadata": entity().xml(), "metadata_url": "https://idp.example/m" }),
            vec!["/saml"],
        ),
        (
            json!({ "metadata": entity().xml(), "certificates": entity().certificates }),
            vec!["/saml", "/saml/single_sign_on"],
        ),
        (
            json!({ "idp_entity_id": IDP, "certificates": ["AAAA"] }),
            vec!["/saml/certificates/0", "/saml/single_sign_on"],
        ),
        (
            json!({ "idp_entity_id": IDP, "single_sign_on": [{"binding": "post", "location": "https://idp.example/"}] }),
            vec!["/saml/certificates"],
        ),
        (
            json!({ "idp_entity_id": IDP, "single_sign_on": [{"binding": "soap", "location": "https://idp.example/"}] }),
            vec!["/saml/certificates", "/saml/single_sign_on/0/binding"],
        ),
        (json!({ "metadata_url": "https://idp.example/m" }), vec!["/saml/idp_entity_id"]),
        (json!({ "idp_entity_id": IDP, "metadata_url": "<metadata_url>" }), vec!["/saml/metadata_url"]),
        (json!({ "idp_entity_id": IDP, "metadata_url": "https://169.254.169.254/m" }), vec!["/saml/metadata_url"]),
        (
            json!({ "idp_entity_id": IDP, "metadata_url": "https://idp.example/m", "idp_initiated": {"client": "a", "mode": "trust"} }),
            vec!["/saml/idp_initiated/mode"],
        ),
        (json!({ "idp_entity_id": IDP, "metadata_url": "https://idp.example/m", "sha1": true }), vec!["/saml/sha1"]),
    ] {
        let reply = broker.admin(Method::PUT, &path, Some(&saml_connection(&saml))).await;
        assert_eq!(paths(&reply), expected, "{saml}");
    }
    assert_eq!(broker.admin(Method::GET, &path, None).await.status, 404, "nothing was stored");
}

/// A setting that means nothing would be believed to mean something.
#[tokio::test]
async fn settings_of_the_other_protocol_are_refused() {
    let (broker, path) = place().await;
    let mut body = saml_connection(&json!({ "metadata": entity().xml() }));
    let others = json!({
        "issuer": "https://idp.example", "client_id": "x", "client_secret": "y", "client_auth": "none", "scopes": ["openid"],
        "endpoints": {"authorization": "https://idp.example/a", "token": "https://idp.example/t", "jwks": "https://idp.example/k"},
        "assertion_audience": "issuer", "audience": "z", "prompt": ["login"], "acr_values": ["mfa"], "max_age": 60,
        "entra_directories": ["11111111-2222-3333-4444-555555555555"], "response_mode": "form_post", "sign_requests": true,
        "push_requests": true, "authorization_parameters": {"a": "b"},
        "logout": {"front_channel": true, "end_session_endpoint": "https://idp.example/end"},
    });
    let members = others.as_object().expect("members");
    body.as_object_mut().expect("a body").extend(members.clone());
    let told = problems(&broker.admin(Method::PUT, &path, Some(&body)).await);
    assert_eq!(told.len(), members.len() + 1, "{told:?}");
    assert!(told.iter().all(|(_, problem)| problem == "belongs to protocol oidc"), "{told:?}");
    let body = connection("https://idp.example", &json!({ "saml": { "metadata": entity().xml() } }));
    let told = problems(&broker.admin(Method::PUT, &path, Some(&body)).await);
    assert_eq!(told, [("/saml".to_owned(), "belongs to protocol saml".to_owned())]);
}

/// SA-17: all certificates of the provider that is meant are taken over, and its https addresses.
#[tokio::test]
async fn metadata_is_taken_over() {
    let (broker, path) = place().await;
    let certificates = [1, 2, 1].map(|number| TestCertificate::new(number, now()));
    let ends = now() + Seconds(3_600);
    let mut meant = TestEntity::new(IDP, &certificates);
    meant.attributes = format!("WantAuthnRequestsSigned=\"true\" validUntil=\"{}\"", write_instant(ends));
    meant.single_sign_on.insert(0, ("HTTP-POST", "http://idp.example/plain".to_owned()));
    meant.single_sign_on.insert(0, ("SOAP", "https://idp.example/soap".to_owned()));
    let metadata = federation(&[TestEntity::new("urn:other", &[TestCertificate::new(9, now())]), meant]);
    // As long as AD FS makes it.
    let metadata = format!("{metadata}<!--{}-->", "x".repeat(100_000));
    let shown = broker.put(&path, saml_connection(&json!({ "idp_entity_id": IDP, "metadata": metadata }))).await;
    let saml = &shown["saml"];
    assert_eq!(saml["idp_entity_id"], json!(IDP));
    let places = saml["single_sign_on"].as_array().expect("a list").iter();
    let places: Vec<_> = places.map(|place| (place["binding"].as_str(), place["location"].as_str())).collect();
    let sso = format!("{IDP}/sso");
    assert_eq!(places, [(Some("redirect"), Some(sso.as_str())), (Some("post"), Some(sso.as_str()))]);
    assert_eq!(saml["single_logout"], json!([{ "binding": "redirect", "location": format!("{IDP}/slo") }]));
    assert_eq!((&saml["wants_signed_requests"], &saml["valid_until"]), (&json!(true), &json!(ends.seconds())));
    let expected: Vec<Value> = certificates[..2].iter().map(|certificate| json!(certificate.sha256())).collect();
    let fingerprints: Vec<_> =
        saml["certificates"].as_array().expect("a list").iter().map(|one| one["sha256"].clone()).collect();
    assert_eq!(fingerprints, expected);
    assert_eq!(saml["certificates"][0]["ends_at"], json!(certificates[0].ends.seconds()));
    let one = saml_connection(&json!({ "metadata": entity().xml() }));
    assert_eq!(broker.put(&path, one).await["saml"]["idp_entity_id"], json!(IDP), "the only one is meant");
}

/// SA-1, SA-17: a mistake in metadata is found when it is uploaded, not when somebody signs in.
#[tokio::test]
async fn metadata_that_cannot_be_used_is_refused() {
    let (broker, path) = place().await;
    let good = entity();
    let with = |change: &dyn Fn(&mut TestEntity)| {
        let mut entity = good.clone();
        change(&mut entity);
        entity.xml()
    };
    let weak = TestCertificate { bits: 1_024, ..TestCertificate::new(1, now()) };
    let over = format!("validUntil=\"{}\"", write_instant(now() - Seconds(1)));
    let other = TestEntity::new("urn:other", &[TestCertificate::new(9, now())]);
    for (metadata, words) in [
        (with(&|entity| entity.attributes.clone_from(&over)), "has expired"),
        (with(&|entity| entity.id = "urn:another".to_owned()), "of that entity id"),
        (with(&|entity| entity.certificates = vec![weak.base64()]), "RSA of 2048 bits or more"),
        (with(&|entity| entity.certificates = vec!["AAAA".to_owned()]), "certificate cannot be read"),
        (with(&|entity| entity.certificates.clear()), "1 to 16 signing certificates"),
        (
            with(&|entity| entity.single_sign_on = vec![("HTTP-Redirect", "http://idp.example/".to_owned())]),
            "https address",
        ),
        (with(&|entity| entity.single_sign_on = vec![("SOAP", "https://idp.example/".to_owned())]), "https address"),
        (federation(&[other]), "of that entity id"),
        (federation(&[good.clone(), good.clone()]), "of that entity id"),
        (good.xml().replace("IDPSSODescriptor", "SPSSODescriptor"), "of that entity id"),
        (format!("<!DOCTYPE x [<!ENTITY a 'b'>]>{}", good.xml()), "document type"),
        ("https://idp.example/metadata".to_owned(), "well-formed"),
        ("<metadata>".to_owned(), "well-formed"),
    ] {
        let body = saml_connection(&json!({ "idp_entity_id": IDP, "metadata": metadata }));
        let told = problems(&broker.admin(Method::PUT, &path, Some(&body)).await);
        assert!(told.len() == 1 && told[0].0 == "/saml/metadata" && told[0].1.contains(words), "{told:?}, not {words}");
    }
    let several = federation(&[good, TestEntity::new("urn:other", &[TestCertificate::new(9, now())])]);
    let reply = broker.admin(Method::PUT, &path, Some(&saml_connection(&json!({ "metadata": several })))).await;
    assert_eq!(paths(&reply), ["/saml/metadata"], "nobody is meant");
    assert_eq!(broker.admin(Method::GET, &path, None).await.status, 404, "nothing was stored");
}

/// TK-3: what was set is shown, certificates by their fingerprints, and what to register at the provider.
#[tokio::test]
async fn what_was_set_by_hand_is_shown() {
    let (broker, path) = place().await;
    let certificates = [1, 2].map(|number| TestCertificate::new(number, now()));
    let set = json!({
        "idp_entity_id": IDP,
        "single_sign_on": [{"binding": "post", "location": "https://idp.example/sso"}],
        "single_logout": [{"binding": "redirect", "location": "https://idp.example/slo", "response_location": "https://idp.example/slr"}],
        "sign_requests": true, "force_authn": true, "name_id_format": "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
        "authn_contexts": ["urn:oasis:names:tc:SAML:2.0:ac:classes:X509"], "wants_encryption": true,
        "idp_initiated": {"client": "portal", "mode": "accept"},
    });
    let mut body = set.clone();
    body["certificates"] = json!([certificates[0].pem(), certificates[1].base64()]);
    broker.put(&path, saml_connection(&body)).await;
    let shown = broker.admin(Method::GET, &path, None).await;
    let saml = &shown.json()["saml"];
    for (name, value) in set.as_object().expect("members") {
        assert_eq!(&saml[name], value, "{name}");
    }
    for (number, certificate) in certificates.iter().enumerate() {
        assert_eq!(saml["certificates"][number]["sha256"], json!(certificate.sha256()));
        assert!(!shown.body.contains(&certificate.base64()), "by its fingerprint only");
    }
    let base = broker.at(&path.replace("/tenants/", "/saml/").replace("/connections", ""));
    let expected = json!({
        "entity_id": base, "acs_url": format!("{base}/acs"), "slo_url": format!("{base}/slo"), "metadata_url": format!("{base}/metadata"),
    });
    assert_eq!(saml["register"], expected);
    for word in ["private", "PRIVATE", "pkcs8", "sealed"] {
        assert!(!shown.body.contains(word), "{word} in {}", shown.body);
    }
    body["sp_entity_id"] = json!("urn:example:us");
    let shown = broker.put(&path, saml_connection(&body)).await;
    assert_eq!(shown["saml"]["register"]["entity_id"], json!("urn:example:us"));
    assert_eq!(shown["saml"]["register"]["acs_url"], expected["acs_url"]);
}
