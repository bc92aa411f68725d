//! What an administrator learns of a connection that speaks SAML before and after people use it: what would come of an
//! assertion, and who watches the sessions.

use http::Method;
use serde_json::{Value, json};
use vestibule_tests::in_process::TestBroker;

const ENTRA: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims";
const PREVIEW: &str = "/tenants/acme/mapping/preview";

/// The claims of an assertion lead to the same person as at a sign-in, by long names too.
#[tokio::test]
async fn an_assertion_is_previewed() {
    let (test, _) = TestBroker::with_saml(&json!({})).await;
    let preview = async |assertion: Value| {
        test.admin(Method::POST, PREVIEW, &json!({ "connection": "saml", "assertion": assertion })).await
    };
    let entra = json!({
        "sub": "ada@corp.example", format!("{ENTRA}/emailaddress"): "ada@corp.example", format!("{ENTRA}/givenname"): "Ada",
        "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups": ["g1", "g2"],
    });
    let shown = preview(entra).await;
    assert_eq!(shown["unique_id"], json!("ada@corp.example"));
    assert_eq!(
        (&shown["profile"]["email"], &shown["profile"]["given_name"]),
        (&json!("ada@corp.example"), &json!("Ada"))
    );
    assert!(shown["groups"].to_string().contains("g2"), "{shown}");
    let named = json!({ "sub": "ada@corp.example", "name_id_format": "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress" });
    assert_eq!(preview(named).await["profile"]["email"], json!("ada@corp.example"));
    assert_eq!(preview(json!({})).await["unique_id"], Value::Null);
}

/// What has no meaning together is refused.
#[tokio::test]
async fn one_source_of_claims_is_taken() {
    let (test, _) = TestBroker::with_saml(&json!({})).await;
    for (body, path) in [
        (json!({ "connection": "saml", "assertion": {}, "id_token": { "sub": "a" } }), "/assertion"),
        (json!({ "connection": "saml", "assertion": {}, "test_login": "x" }), "/test_login"),
        (json!({ "connection": "idp", "assertion": {} }), "/assertion"),
        (json!({ "connection": "saml", "assertion": [] }), "/assertion"),
    ] {
        let reply = test.try_admin(Method::POST, PREVIEW, &body).await;
        assert_eq!(
            (reply.status.as_u16(), &reply.json()["problems"][0]["path"]),
            (400, &json!(path)),
            "{}",
            reply.body
        );
    }
}

/// Who is asked about people between sign-ins: SAML has no refresh tokens.
#[tokio::test]
async fn it_is_said_who_watches() {
    let (test, idp) = TestBroker::with_saml(&json!({})).await;
    let watched_by = async |connection: &str| {
        let shown =
            test.admin(Method::GET, &format!("/tenants/acme/connections/{connection}/sync"), &Value::Null).await;
        shown["watched_by"].as_str().expect("a word").to_owned()
    };
    assert_eq!(watched_by("saml").await, "nothing");
    let probe = json!({
        "url": "https://idp.example/users/{subject}", "token_endpoint": "https://idp.example/token", "client_id": "x",
        "client_auth": "none", "path": "active", "inactive": ["false"],
    });
    test.connect_saml_with("saml", &idp, &json!({}), &json!({ "status_probe": probe })).await;
    assert_eq!(watched_by("saml").await, "status_probe");
    assert_eq!(watched_by("idp").await, "refresh_token");
}
