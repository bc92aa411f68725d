//! The look at a connection's provider that an administrator can ask for.

use http::Method;
use serde_json::{Value, json};
use vestibule_core::platform::Clock;
use vestibule_testkit::{Canned, Demand, Document, Lie};
use vestibule_tests::in_process::TestBroker;

async fn look(test: &TestBroker) -> Value {
    test.admin(Method::POST, "/tenants/acme/connections/idp/check", &Value::Null).await
}

/// The codes of the findings, in order.
async fn findings(test: &TestBroker) -> Vec<String> {
    let report = look(test).await;
    let findings = report["findings"].as_array().expect("findings").clone();
    let worst = findings.iter().any(|finding| finding["severity"] == "error");
    assert_eq!(report["ok"], json!(!worst), "{report}");
    for finding in &findings {
        let message = finding["message"].as_str().expect("words");
        assert!(message.ends_with(['.', '?']) && message.contains(' '), "{message}");
    }
    findings.iter().map(|finding| finding["code"].as_str().expect("a code").to_owned()).collect()
}

#[tokio::test]
async fn a_good_provider_has_no_findings() {
    let test = TestBroker::new().await;
    assert_eq!(look(&test).await, json!({"ok": true, "findings": []}));
    test.connect(&json!({"enabled": false})).await;
    assert_eq!(findings(&test).await, ["disabled"]);
}

/// RP-7: each thing that is wrong has a finding of its own, and a provider that is mended has none.
#[tokio::test]
async fn what_is_wrong_is_said() {
    let test = TestBroker::new().await;
    let html = || Canned::new("text/html", "<!doctype html><title>Sign in</title>");
    let moved = || Canned { status: http::StatusCode::FOUND, ..html() };
    let discovery = "/.well-known/openid-configuration";
    let metadata = |name: &'static str, value: Value| (Document::Metadata, name, value);
    for (member, expected) in [
        (metadata("issuer", json!("https://other.example")), vec!["issuer_mismatch"]),
        (metadata("issuer", json!("https://idp.example/")), vec!["issuer_mismatch"]),
        (metadata("issuer", Value::Null), vec!["issuer_mismatch", "metadata_incomplete"]),
        (metadata("token_endpoint", Value::Null), vec!["metadata_incomplete"]),
        (metadata("jwks_uri", json!("keys")), vec!["metadata_incomplete"]),
        (metadata("response_types_supported", json!(["id_token"])), vec!["code_unsupported"]),
        (metadata("code_challenge_methods_supported", json!(["plain"])), vec!["s256_missing"]),
        (metadata("code_challenge_methods_supported", Value::Null), vec!["s256_unannounced"]),
        (
            metadata("token_endpoint_auth_methods_supported", json!(["private_key_jwt"])),
            vec!["client_auth_unsupported"],
        ),
        (metadata("scopes_supported", json!(["openid"])), vec!["scope_unknown"]),
        (metadata("jwks_uri", json!("https://elsewhere.example/k")), vec!["unreachable"]),
    ] {
        test.idp.be_honest();
        let (document, name, value) = member;
        test.idp.say(document, name, value.clone());
        assert_eq!(findings(&test).await, expected, "{name} {value}");
    }
    for (path, reply, expected) in [
        (discovery, html(), "metadata_unreadable"),
        (discovery, moved(), "status"),
        ("/jwks", html(), "keys_unreadable"),
        ("/jwks", moved(), "status"),
        ("/jwks", Canned::new("application/json", "{\"keys\":[]}"), "no_usable_key"),
        ("/jwks", Canned::new("application/json", "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AA\"},7]}"), "no_usable_key"),
    ] {
        test.idp.be_honest();
        test.idp.answer_with(path, reply);
        assert_eq!(findings(&test).await, [expected], "{path}");
    }
    test.idp.be_honest();
    test.idp.lie(Lie::DiscoveryDown);
    assert_eq!(findings(&test).await, ["status"]);
    test.idp.be_honest();
    assert_eq!(findings(&test).await, Vec::<String>::new(), "nothing is remembered");
}

/// RP-7: what a connection asks for and its provider does not offer is found.
#[tokio::test]
async fn what_is_not_offered_is_said() {
    let test = TestBroker::new().await;
    test.connect(&json!({"response_mode": "form_post"})).await;
    assert_eq!(findings(&test).await, Vec::<String>::new());
    for modes in [json!(["query"]), Value::Null] {
        test.idp.say(Document::Metadata, "response_modes_supported", modes);
        assert_eq!(findings(&test).await, ["form_post_unsupported"]);
    }
    test.idp.be_honest();
    test.connect(&json!({"logout": {"at_provider": true}})).await;
    assert_eq!(findings(&test).await, Vec::<String>::new());
    test.idp.say(Document::Metadata, "end_session_endpoint", Value::Null);
    assert_eq!(findings(&test).await, ["end_session_unsupported"]);
    test.connect(&json!({})).await;
    assert_eq!(findings(&test).await, Vec::<String>::new());
    test.idp.be_honest();
    test.connect(&json!({"sign_requests": true, "push_requests": true})).await;
    assert_eq!(findings(&test).await, Vec::<String>::new());
    test.idp.say(Document::Metadata, "request_parameter_supported", json!(false));
    test.idp.say(Document::Metadata, "pushed_authorization_request_endpoint", Value::Null);
    assert_eq!(findings(&test).await, ["signed_requests_unsupported", "pushed_requests_unsupported"]);
    test.connect(&json!({})).await;
    assert_eq!(findings(&test).await, Vec::<String>::new());
    test.idp.demand(Demand::SignedRequests);
    test.idp.demand(Demand::PushedRequests);
    assert_eq!(findings(&test).await, ["signed_requests_required", "pushed_requests_unsupported"]);
}

/// RP-12: a clock that is further off than the connection tolerates is seen in the `Date` header.
#[tokio::test]
async fn a_clock_that_is_off_is_seen() {
    let test = TestBroker::new().await;
    let keys = test.idp.jwks_document();
    let now = test.clock.now().seconds();
    for (off, skew, expected) in
        [(0, 60, false), (60, 60, false), (61, 60, true), (-61, 60, true), (61, 300, false), (1, 0, true)]
    {
        test.connect(&json!({"skew_seconds": skew})).await;
        let date = httpdate(now + off);
        test.idp.answer_with(
            "/jwks",
            Canned { headers: vec![("date", date)], ..Canned::new("application/json", keys.clone()) },
        );
        assert_eq!(findings(&test).await == ["clock_off"], expected, "{off} s off, {skew} s tolerated");
    }
}

/// 2025-06-15 is the day on which the tests' clock stands: 15:06:40.
fn httpdate(at: i64) -> String {
    let (midnight, second) = (1_749_945_600, at - 1_749_945_600);
    assert!((0..86_400).contains(&second), "{midnight}");
    format!("Sun, 15 Jun 2025 {:02}:{:02}:{:02} GMT", second / 3600, second / 60 % 60, second % 60)
}

/// Who is not there cannot be looked at.
#[tokio::test]
async fn an_unknown_connection_is_not_found() {
    let test = TestBroker::new().await;
    for path in ["/tenants/acme/connections/other/check", "/tenants/other/connections/idp/check"] {
        assert_eq!(test.try_admin(Method::POST, path, &Value::Null).await.status, 404, "{path}");
    }
    assert_eq!(test.get("/admin/v1/tenants/acme/connections/idp/check", "").await.status, 401);
}

/// Whose sessions cannot be watched is told, and what to do about it.
#[tokio::test]
async fn sessions_that_cannot_be_watched_are_told() {
    let test = TestBroker::unwatched().await;
    assert_eq!(findings(&test).await, ["sessions_unwatched"]);
    test.idp.say(Document::Metadata, "grant_types_supported", json!(["authorization_code"]));
    assert_eq!(findings(&test).await, ["no_refresh_tokens"]);
    let probe = json!({
        "url": "https://idp.example/api/people/{subject}", "token_endpoint": "https://idp.example/token",
        "client_id": "probe", "client_auth": "none", "path": "active", "active": ["true"],
    });
    test.connect(&json!({ "status_probe": probe })).await;
    assert_eq!(findings(&test).await, Vec::<String>::new());
}
