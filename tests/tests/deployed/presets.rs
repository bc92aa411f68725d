//! What is known of common identity providers, on a running broker.

use http::Method;
use serde_json::{Value, json};
use vestibule_tests::Deployment;
use vestibule_tests::idp_metadata::{TestCertificate, TestEntity};
use vestibule_tests::platform::{clock, unique};

/// A tenant of one test's own.
async fn tenant(broker: &Deployment) -> String {
    let tenant = unique("t");
    broker.put(&format!("/tenants/{tenant}"), json!({ "name": "A tenant" })).await;
    tenant
}

async fn presets(broker: &Deployment, protocol: &str) -> Vec<Value> {
    let all = broker.admin(Method::GET, "/presets", None).await.json();
    let presets = all["presets"].as_array().expect("a list").iter();
    presets.filter(|preset| preset["connection"]["protocol"] == protocol).cloned().collect()
}

fn ids(presets: &[Value]) -> Vec<&str> {
    presets.iter().map(|preset| preset["id"].as_str().expect("an id")).collect()
}

/// The connection of a preset, filled in as it says. `value`: what an administrator has in place of an example.
fn filled(preset: &Value, value: impl Fn(&str) -> Option<String>) -> Value {
    let mut body = preset["connection"].to_string();
    for copy in preset["copy"].as_array().expect("a list") {
        let text = |name: &str| copy[name].as_str().filter(|text| !text.is_empty()).expect("a text");
        assert!(body.contains(text("placeholder")), "{copy} is used");
        assert!(!text("what").is_empty() && !text("where").is_empty());
        let value = value(text("placeholder")).unwrap_or_else(|| text("example").to_owned());
        // As a part of a string of JSON.
        let escaped = json!(value).to_string();
        body = body.replace(text("placeholder"), escaped.trim_matches('"'));
    }
    serde_json::from_str(&body).expect("JSON")
}

/// A connection with placeholders in it is not stored by accident.
async fn is_refused(broker: &Deployment, tenant: &str, body: &Value) -> bool {
    let path = format!("/tenants/{tenant}/connections/placeholders");
    broker.admin(Method::PUT, &path, Some(body)).await.status == 400
}

/// Each of the ten providers has a preset; filled in as it says, it is a connection that is accepted.
#[tokio::test]
async fn presets_become_connections() {
    let broker = Deployment::from_env();
    let tenant = tenant(&broker).await;
    assert_eq!(broker.get("/admin/v1/presets").await.status, 401);
    let all = broker.admin(Method::GET, "/presets", None).await.json();
    assert_eq!(all.get("redirect_uri"), Some(&json!(broker.at("/oauth2/callback"))));
    let presets = presets(&broker, "oidc").await;
    assert_eq!(
        ids(&presets),
        ["entra", "okta", "google", "keycloak", "auth0", "onelogin", "jumpcloud", "pingone", "adfs", "zitadel"]
    );
    for preset in presets {
        assert!(is_refused(&broker, &tenant, &preset["connection"]).await, "as it is, it is not complete: {preset}");
        let body = filled(&preset, |_| None);
        assert!(!body.to_string().contains(['<', '>']), "nothing is left to fill in: {body}");
        broker.put(&format!("/tenants/{tenant}/connections/c"), body).await;
        assert!(preset["register"].as_str().is_some_and(|place| !place.is_empty()));
        assert_eq!(preset.get("give"), None, "its redirect URI is all");
    }
}

/// The same for SAML, where both sides have something to copy: what is ours is what the connection shows in `register`.
#[tokio::test]
async fn saml_presets_become_connections() {
    let broker = Deployment::from_env();
    let tenant = tenant(&broker).await;
    let presets = presets(&broker, "saml").await;
    let expected = [
        "entra-saml",
        "okta-saml",
        "adfs-saml",
        "google-saml",
        "onelogin-saml",
        "jumpcloud-saml",
        "pingone-saml",
        "pingfederate-saml",
        "rippling-saml",
        "keycloak-saml",
        "custom-saml",
    ];
    assert_eq!(ids(&presets), expected);
    for preset in presets {
        assert!(is_refused(&broker, &tenant, &preset["connection"]).await, "as it is, it is not complete: {preset}");
        // The provider's own file, which is as it calls itself in the example.
        let entity_id = filled(&preset, |_| None)["saml"]["idp_entity_id"].as_str().expect("an entity id").to_owned();
        let mut entity = TestEntity::new(&entity_id, &[TestCertificate::new(1, clock().now())]);
        entity.single_sign_on = vec![("HTTP-POST", "https://idp.example/sso".to_owned())];
        entity.single_logout.clear();
        let body = filled(&preset, |placeholder| (placeholder == "<metadata>").then(|| entity.xml()));
        let mut left = body.clone();
        left["saml"]["metadata"] = Value::Null;
        assert!(!left.to_string().contains(['<', '>']), "nothing is left to fill in: {left}");
        let shown = broker.put(&format!("/tenants/{tenant}/connections/c"), body.clone()).await;
        assert_eq!(shown["saml"]["idp_entity_id"], json!(entity_id), "{preset}");
        for name in ["unique_id_claim", "email_claim", "given_name_claim", "family_name_claim"] {
            assert!(body.get(name).is_none_or(|claim| *claim == shown[name]), "{name} of {preset}");
        }
        let given = preset["give"].as_array().expect("a list").iter();
        let given: Vec<&str> = given
            .map(|give| {
                assert!(give["field"].as_str().is_some_and(|field| !field.is_empty()), "{give}");
                give["value"].as_str().expect("a name")
            })
            .collect();
        assert!(["entity_id", "acs_url"].iter().all(|needed| given.contains(needed)), "{given:?}");
        let register = &shown["saml"]["register"];
        assert!(given.iter().all(|name| register[*name].is_string()), "{given:?} are in {register}");
        assert!(preset["register"].as_str().is_some_and(|place| !place.is_empty()));
        assert!(preset["notes"].as_array().is_some_and(|notes| !notes.is_empty()));
    }
}
