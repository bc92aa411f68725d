//! What the broker publishes about itself, and the headers on everything.

use http::Method;
use serde_json::{Value, json};
use vestibule_tests::{Deployment, Reply};

const DOCUMENTS: [&str; 2] = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"];

/// Both documents name the same issuer, the same endpoints, and only what is really offered. TK-11, AZ-3, AZ-4, AZ-6.
#[tokio::test]
async fn both_documents_say_the_same() {
    let broker = Deployment::from_env();
    let mut documents = Vec::new();
    for path in DOCUMENTS {
        let reply = broker.get(path).await;
        assert_eq!(reply.status, 200);
        let document = reply.json();
        let is = |name: &str, value: Value| assert_eq!(document.get(name), Some(&value), "{path}: {name}");
        is("issuer", json!(broker.url));
        is("authorization_endpoint", json!(broker.at("/oauth2/authorize")));
        is("token_endpoint", json!(broker.at("/oauth2/token")));
        is("jwks_uri", json!(broker.at("/oauth2/jwks")));
        is("revocation_endpoint", json!(broker.at("/oauth2/revoke")));
        is("introspection_endpoint", json!(broker.at("/oauth2/introspect")));
        let proving = json!(["client_secret_basic", "client_secret_post", "private_key_jwt"]);
        is("introspection_endpoint_auth_methods_supported", proving);
        is("response_types_supported", json!(["code"]));
        is("code_challenge_methods_supported", json!(["S256"]));
        is("authorization_response_iss_parameter_supported", json!(true));
        let members = document.as_object().expect("an object");
        for (name, value) in members {
            assert_ne!(value, &json!([]), "{path}: {name} is left out when there is nothing in it");
            assert_ne!(value, &Value::Null, "{path}: {name}");
        }
        let grants = document.get("grant_types_supported").expect("the default would be wrong");
        assert!(!grants.to_string().contains("implicit") && !grants.to_string().contains("password"), "{grants}");
        documents.push(document);
    }
    let [openid, oauth] = &documents[..] else { panic!("two documents") };
    for name in ["issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "grant_types_supported"] {
        assert_eq!(openid.get(name), oauth.get(name), "{name}");
    }
    assert_eq!(openid.get("userinfo_endpoint"), Some(&json!(broker.at("/oauth2/userinfo"))));
    assert_eq!(openid.get("end_session_endpoint"), Some(&json!(broker.at("/oauth2/logout"))));
    for channel in ["backchannel_logout", "frontchannel_logout"] {
        let member = format!("{channel}_supported");
        assert_eq!(openid.get(&member), Some(&json!(true)), "{member}");
        let member = format!("{channel}_session_supported");
        assert_eq!(openid.get(&member), Some(&json!(true)), "{member}");
    }
    assert_eq!(openid.get("subject_types_supported"), Some(&json!(["public"])));
    let algorithms = openid.get("id_token_signing_alg_values_supported").map(Value::to_string).unwrap_or_default();
    assert!(algorithms.contains("ES256") && !algorithms.contains("none"), "{algorithms}");
}

/// Public keys only, each with a name, an algorithm and its use. TK-16, and ED-4 as far as it shows from outside.
#[tokio::test]
async fn the_key_set_is_public() {
    let broker = Deployment::from_env();
    let set = broker.get("/oauth2/jwks").await;
    assert_eq!(set.status, 200);
    let keys = set.json().get("keys").and_then(Value::as_array).cloned().expect("a list");
    assert!(!keys.is_empty());
    for key in &keys {
        for private in ["d", "p", "q", "dp", "dq", "qi", "k", "oth"] {
            assert_eq!(key.get(private), None, "{private}");
        }
        assert_eq!(key.get("use"), Some(&json!("sig")));
        assert_eq!(key.get("alg"), Some(&json!("ES256")));
        assert!(key.get("kid").and_then(Value::as_str).is_some_and(|kid| !kid.is_empty()));
    }
    // The active key comes first, and does not change during a run: `signing_keys` publishes others beside it.
    let again = broker.get("/oauth2/jwks").await.json();
    assert_eq!(again.pointer("/keys/0"), keys.first(), "every request sees the same key");
}

/// Nobody may send credentials across origins, and where reading across origins is allowed it is for everyone. AZ-10.
#[tokio::test]
async fn cross_origin_reading_is_for_public_documents() {
    let broker = Deployment::from_env();
    for path in [DOCUMENTS[0], DOCUMENTS[1], "/oauth2/jwks", "/oauth2/token", "/oauth2/userinfo", "/"] {
        let request = broker.request(Method::GET, path).header("origin", "https://evil.example");
        let reply = Reply::of(request).await;
        assert_eq!(reply.header("access-control-allow-credentials"), None, "{path}");
        let allowed = reply.header("access-control-allow-origin");
        assert!(matches!(allowed, None | Some("*")), "{path}: {allowed:?}");
    }
    let admin = broker.request(Method::GET, "/admin/v1/tenants/x").header("origin", "https://evil.example");
    assert_eq!(Reply::of(admin.bearer_auth(&broker.admin_token)).await.header("access-control-allow-origin"), None);
}

/// The front page, the health check, and pages that are not there. AZ-11.
#[tokio::test]
async fn every_page_has_the_same_headers() {
    let broker = Deployment::from_env();
    let front = broker.get("/").await;
    assert_eq!(front.status, 200);
    assert!(front.body.contains("Vestibule"), "{}", front.body);
    let health = broker.get("/healthz").await;
    assert_eq!((health.status.as_u16(), health.body.trim()), (200, "ok"));
    let missing = broker.get("/no/such/page").await;
    assert_eq!(missing.status, 404);
    assert_eq!(broker.get("/oauth2/callback").await.location(), None);
    for path in ["/", "/oauth2/authorize", "/oauth2/callback", "/oauth2/logout"] {
        let reply = broker.get(path).await;
        assert!(!reply.status.is_server_error(), "{path}: {}", reply.status);
        assert_eq!(reply.header("referrer-policy"), Some("no-referrer"), "{path}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{path}");
        let policy = reply.header("content-security-policy").unwrap_or_default();
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(!reply.body.contains("<script"), "{path}: pages work without scripts");
    }
    for path in ["/oauth2/authorize", "/oauth2/callback", "/oauth2/logout"] {
        broker.get(path).await.assert_page();
    }
}

/// Paths are what they are: nothing is served by detours. AZ-13.
#[tokio::test]
async fn odd_paths_are_not_found() {
    let broker = Deployment::from_env();
    for path in ["//", "/oauth2//token", "/oauth2/%", "/%ff", "/admin", "/admin/v1", "/.well-known/", "/OAUTH2/JWKS"] {
        let reply = broker.get(path).await;
        assert!(reply.status.is_client_error(), "{path}: {}", reply.status);
    }
}
