//! Tenants that list the hosts of their providers: nothing that a connection fetches comes from another one.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule_testkit::{Document, Lie};
use vestibule_tests::in_process::TestBroker;

async fn list(test: &TestBroker, hosts: &[&str]) -> Value {
    test.admin(Method::PUT, "/tenants/acme", &json!({"name": "Acme", "egress_hosts": hosts})).await
}

/// How a login ends: `None` before the provider, else the callback's status.
async fn login(test: &TestBroker) -> Option<StatusCode> {
    let reply = test.start_reply().await;
    let location = reply.location().unwrap_or_else(|| panic!("{} {}", reply.status, reply.body));
    if location.as_str().contains("error=temporarily_unavailable") {
        return None;
    }
    let (authorization, cookie) = TestBroker::started(&reply);
    Some(test.finish(&authorization, &cookie).await.status)
}

/// RP-7: metadata and keys, whichever way the issuer leads.
#[tokio::test]
async fn a_host_that_is_not_listed_is_not_asked() {
    let test = TestBroker::new().await;
    list(&test, &["elsewhere.example", "idp.example.evil.example"]).await;
    assert_eq!(login(&test).await, None);
    assert_eq!(test.idp.requests("/.well-known/openid-configuration"), 0);
    let report = test.admin(Method::POST, "/tenants/acme/connections/idp/check", &Value::Null).await;
    assert_eq!(report["findings"][0]["code"], "unreachable", "{report}");
    let message = report["findings"][0]["message"].as_str().expect("words");
    assert!(message.contains("egress_hosts"), "{message}");
    assert_eq!(test.idp.requests("/.well-known/openid-configuration"), 0, "nor by the check");
    let shown = list(&test, &["IdP.example"]).await;
    assert_eq!(shown["egress_hosts"], json!(["idp.example"]));
    assert_eq!(login(&test).await, Some(StatusCode::SEE_OTHER));
    let report = test.admin(Method::POST, "/tenants/acme/connections/idp/check", &Value::Null).await;
    assert_eq!(report["ok"], true, "{report}");
    assert_eq!(test.idp.unexpected(), Vec::<String>::new());
}

/// RP-7: each address that the metadata gives, and those that are set by hand. Without a list they are asked.
#[tokio::test]
async fn no_address_leads_past_the_list() {
    let elsewhere = |path: &str| json!(format!("https://other.example{path}"));
    for (member, path, at) in [
        ("jwks_uri", "/jwks", None),
        ("pushed_authorization_request_endpoint", "/par", None),
        ("token_endpoint", "/token", Some(StatusCode::BAD_GATEWAY)),
        ("userinfo_endpoint", "/userinfo", Some(StatusCode::BAD_GATEWAY)),
    ] {
        for (hosts, asked) in [(vec![], 1), (vec!["idp.example"], 0)] {
            let test = TestBroker::new().await;
            list(&test, &hosts).await;
            test.connect(&json!({"push_requests": true})).await;
            test.idp.say(Document::Metadata, member, elsewhere(path));
            assert_eq!(login(&test).await, at, "{member} {hosts:?}");
            assert_eq!(test.idp.unexpected().len(), asked, "{member} {hosts:?}: {:?}", test.idp.unexpected());
        }
    }
    let test = TestBroker::new().await;
    list(&test, &["idp.example"]).await;
    let endpoints = json!({
        "authorization": "https://idp.example/authorize", "token": elsewhere("/token"), "jwks": "https://idp.example/jwks",
    });
    test.connect(&json!({"endpoints": endpoints})).await;
    assert_eq!(login(&test).await, Some(StatusCode::BAD_GATEWAY));
    assert_eq!(test.idp.unexpected(), Vec::<String>::new());
}

/// RP-7, RP-8: a list that is narrowed counts for providers that are known already, for their keys too.
#[tokio::test]
async fn a_narrower_list_counts_at_once() {
    let test = TestBroker::new().await;
    assert_eq!(login(&test).await, Some(StatusCode::SEE_OTHER));
    let (authorization, cookie) = test.start().await;
    list(&test, &["elsewhere.example"]).await;
    assert_eq!(test.finish(&authorization, &cookie).await.status, StatusCode::BAD_GATEWAY, "in the middle of a login");
    assert_eq!((test.idp.requests("/token"), test.idp.requests("/jwks")), (1, 1));
    let other_process = test.another_process(None);
    assert_eq!(login(&other_process).await, Some(StatusCode::BAD_GATEWAY), "its documents are stored");
    list(&test, &[]).await;
    test.idp.lie(Lie::UnknownKid);
    assert_eq!(login(&test).await, Some(StatusCode::BAD_GATEWAY));
    assert_eq!(test.idp.requests("/jwks"), 2, "without a list, the unknown key is looked for");
}

/// What is no host is refused.
#[tokio::test]
async fn a_list_has_hosts_only() {
    let test = TestBroker::new().await;
    let many: Vec<String> = (0..51).map(|number| format!("h{number}.example")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for wrong in [
        vec!["https://idp.example"],
        vec!["idp.example:443"],
        vec!["idp.example/"],
        vec!["*.idp.example"],
        vec!["idp.example", ""],
        vec!["idp.example."],
        vec!["a b"],
        many,
    ] {
        let body = json!({"name": "Acme", "egress_hosts": wrong});
        let reply = test.try_admin(Method::PUT, "/tenants/acme", &body).await;
        assert_eq!(reply.status, 400, "{wrong:?}: {}", reply.body);
        assert!(reply.body.contains("egress_hosts"), "{}", reply.body);
    }
    for right in [vec!["127.0.0.1"], vec!["[2606:2800:21f::1]"], vec!["bücher.example"]] {
        assert_eq!(list(&test, &right).await["egress_hosts"].as_array().map(Vec::len), Some(1));
    }
}
