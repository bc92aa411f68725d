//! Choosing the connection: by tenant, by the domain of an address, by host; and what the sign-in page does not tell.

use axum::body::Body;
use http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use vestibule_tests::Reply;
use vestibule_tests::form::Form;
use vestibule_tests::in_process::{CALLBACK, ISSUER, TestBroker, authorization};
use vestibule_tests::watched_store::{Counter, watched};

fn connection(sign_in: &Value) -> Value {
    json!({
        "name": "A provider", "protocol": "oidc", "issuer": "https://idp.example", "client_id": "broker",
        "client_secret": "secret-at-the-provider", "client_auth": "client_secret_basic", "sign_in": sign_in,
    })
}

/// `acme` owns corp.example and has the connections `idp` and `partners`; `app` serves it and `empty`, which owns
/// empty.example and has no connection. `other`, which owns other.example, is not served.
async fn several_tenants() -> TestBroker {
    let test = TestBroker::new().await;
    for (tenant, domain) in [("acme", "corp.example"), ("empty", "empty.example"), ("other", "other.example")] {
        test.admin(Method::PUT, &format!("/tenants/{tenant}"), &json!({"name": tenant, "colour": "#7a1f5c"})).await;
        let path = format!("/tenants/{tenant}/domains/{domain}");
        test.admin(Method::PUT, &path, &json!({})).await;
        test.admin(Method::POST, &format!("{path}/verify"), &json!({"override_reason": "a test"})).await;
    }
    test.admin(Method::PUT, "/tenants/other/connections/idp", &connection(&json!({}))).await;
    test.admin(Method::PUT, "/tenants/empty/domains/claimed.example", &json!({})).await;
    let limited = connection(&json!({"domains": ["partner.example"], "button_text": "Partners"}));
    test.admin(Method::PUT, "/tenants/acme/connections/partners", &limited).await;
    let client = json!({
        "name": "App", "tenants": ["acme", "empty"], "redirect_uris": [CALLBACK], "client_auth": "none",
    });
    test.admin(Method::PUT, "/clients/app", &client).await;
    test
}

fn leads_to_provider(reply: &Reply) -> bool {
    reply.location().is_some_and(|there| there.as_str().starts_with("https://idp.example/"))
}

fn error(reply: &Reply) -> String {
    Reply::one_param(&reply.location().unwrap_or_else(|| panic!("{} {}", reply.status, reply.body)), "error")
}

async fn by_host(test: &TestBroker, host: &str, parameters: &[(&str, &str)]) -> Reply {
    let request = Request::get(authorization(parameters)).header(header::HOST, host);
    test.send(request.body(Body::empty()).expect("a request")).await
}

#[tokio::test]
async fn an_address_of_a_tenants_domain_goes_on_by_itself() {
    let test = several_tenants().await;
    let reply = test.authorize(&[("login_hint", "Alice@Corp.Example")], "").await;
    assert!(leads_to_provider(&reply), "{} {}", reply.status, reply.body);
    let hint = reply.location().expect("a redirect");
    assert_eq!(Reply::one_param(&hint, "login_hint"), "Alice@Corp.Example", "the provider is told");
    // With the tenant, the domain chooses among its connections.
    let reply = test.authorize(&[("tenant", "acme"), ("login_hint", "bob@partner.example")], "").await;
    assert!(leads_to_provider(&reply), "{} {}", reply.status, reply.body);
}

/// Whoever's address it is, the page is the same to the last byte: it tells nobody's customers.
#[tokio::test]
async fn an_address_that_leads_nowhere_looks_like_any_other() {
    let test = several_tenants().await;
    let mut pages = Vec::new();
    for domain in ["nobody.example", "empty.example", "other.example", "claimed.example", "partner.example"] {
        // Of one length, so that not even that differs.
        let address = format!("{:x>30}", format!("@{domain}"));
        let mut reply = test.authorize(&[("login_hint", &address)], "").await;
        assert_eq!(reply.status, StatusCode::OK);
        reply.assert_page();
        // Each request has its own.
        assert!(reply.headers.remove("x-request-id").is_some());
        assert!(reply.set_cookies().is_empty(), "no login has begun");
        pages.push((reply.body.replace(&address, "X"), reply.headers));
    }
    let (first, others) = pages.split_first().expect("pages");
    assert!(first.0.contains("We cannot sign you in with this address here"), "{}", first.0);
    for other in others {
        assert_eq!(first, other);
    }
}

#[tokio::test]
async fn the_person_is_asked_when_nothing_says_who_they_are() {
    let test = several_tenants().await;
    let email = test.authorize(&[("state", "s"), ("unknown", "x")], "").await;
    assert!(email.body.contains("type=\"email\""), "{}", email.body);
    assert!(!email.body.contains("We cannot"), "nothing was wrong yet");
    let form = Form::all(&email.body).into_iter().next().expect("a form");
    let names: Vec<_> = form.fields.iter().map(|(name, _)| name.as_str()).collect();
    assert!(names.contains(&"state") && names.contains(&"code_challenge"), "{names:?}");
    // The tenant alone leaves two ways: buttons.
    let ways = test.authorize(&[("tenant", "acme")], "").await;
    for button in ["value=\"idp\"", "value=\"partners\"", "Continue with Acme login", "Partners"] {
        assert!(ways.body.contains(button), "{button}: {}", ways.body);
    }
    // One that names the address's domain goes before one for everybody, and one for others is not offered.
    let other = test.authorize(&[("tenant", "acme"), ("login_hint", "a@third.example")], "").await;
    assert!(leads_to_provider(&other));
}

#[tokio::test]
async fn the_application_is_told_what_it_asked_wrongly() {
    let test = several_tenants().await;
    for (wrong, with) in [
        ("a tenant without a provider", vec![("tenant", "empty")]),
        ("a tenant that is not served", vec![("tenant", "other")]),
        ("a connection of no tenant", vec![("connection", "idp")]),
        ("an unknown connection", vec![("tenant", "acme"), ("connection", "none")]),
    ] {
        assert_eq!(error(&test.authorize(&with, "").await), "invalid_request", "{wrong}");
    }
}

/// A login ends at the issuer's address, so it begins there: a tenant's host only says whose people come.
#[tokio::test]
async fn a_tenants_host_says_whose_people_come() {
    let test = several_tenants().await;
    test.admin(Method::PUT, "/tenants/acme/hosts/Login.Corp.Example", &json!({})).await;
    let limited = connection(&json!({"hosts": ["login.corp.example"]}));
    test.admin(Method::PUT, "/tenants/acme/connections/partners", &limited).await;
    let reply = by_host(&test, "login.corp.example:443", &[("state", "s")]).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER);
    assert!(reply.set_cookies().is_empty(), "its cookie would not come back");
    let there = reply.location().expect("a redirect");
    assert!(there.as_str().starts_with(&format!("{ISSUER}/oauth2/authorize?")), "{there}");
    assert_eq!(
        (Reply::one_param(&there, "state"), Reply::one_param(&there, "host")),
        ("s".to_owned(), "login.corp.example".to_owned())
    );
    let page = test.get(there.as_str().strip_prefix(ISSUER).expect("ours"), "").await;
    assert!(page.body.contains("value=\"partners\"") && page.body.contains("value=\"idp\""), "{}", page.body);
    // Elsewhere the connection with a host is not offered, which leaves one.
    assert!(leads_to_provider(&test.authorize(&[("tenant", "acme")], "").await));
    // Behind a front that shows us the tenant's host always, there is no loop.
    let again = by_host(&test, "login.corp.example", &[("host", "login.corp.example")]).await;
    assert_eq!(again.status, StatusCode::OK);
    for host in ["sso.example", "unknown.example", "login.corp.example.evil.example", "127.0.0.1", "", "%"] {
        let reply = by_host(&test, host, &[]).await;
        assert_eq!(reply.status, StatusCode::OK, "{host}: the person is asked");
    }
}

/// A host leads to one tenant, never the deployment's own, and is free again when it is given up.
#[tokio::test]
async fn a_host_is_one_tenants() {
    let test = several_tenants().await;
    let at = |tenant: &str, host: &str| format!("/tenants/{tenant}/hosts/{host}");
    let put = async |tenant: &str, host: &str| test.try_admin(Method::PUT, &at(tenant, host), &json!({})).await.status;
    assert_eq!(put("acme", "a.example").await, StatusCode::CREATED);
    assert_eq!(put("acme", "a.example").await, StatusCode::OK);
    assert_eq!(put("other", "a.example").await, StatusCode::BAD_REQUEST);
    assert_eq!(put("acme", "sso.example").await, StatusCode::BAD_REQUEST);
    assert_eq!(put("acme", "localhost").await, StatusCode::BAD_REQUEST);
    assert_eq!(put("nobody", "b.example").await, StatusCode::NOT_FOUND);
    let gone = async |tenant: &str| test.try_admin(Method::DELETE, &at(tenant, "a.example"), &Value::Null).await.status;
    assert_eq!(gone("other").await, StatusCode::NOT_FOUND);
    assert_eq!(gone("acme").await, StatusCode::NO_CONTENT);
    assert_eq!(put("other", "a.example").await, StatusCode::CREATED);
    test.admin(Method::DELETE, "/tenants/other", &Value::Null).await;
    assert_eq!(put("acme", "a.example").await, StatusCode::CREATED, "its tenant is gone");
}

/// TK-12: a request that was sent ahead comes by a tenant's host, and goes on at the issuer's.
#[tokio::test]
async fn a_pushed_request_comes_by_a_tenants_host() {
    let test = several_tenants().await;
    test.admin(Method::PUT, "/tenants/acme/hosts/login.corp.example", &json!({})).await;
    let target = authorization(&[]);
    let (_, query) = target.split_once('?').expect("a query");
    let form: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let name = test.post("/oauth2/par", &form).await.text("request_uri");
    let target = format!("/oauth2/authorize?client_id=app&request_uri={name}");
    let request = Request::get(&target).header(header::HOST, "login.corp.example");
    let there = test.send(request.body(Body::empty()).expect("a request")).await.location().expect("a redirect");
    let carried: Vec<(String, String)> = there.query_pairs().into_owned().collect();
    let expected = [("client_id", "app"), ("request_uri", &name), ("host", "login.corp.example")];
    assert_eq!(carried, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let reply = test.get(there.as_str().strip_prefix(ISSUER).expect("ours"), "").await;
    assert!(reply.body.contains("Partners"), "acme's two: {} {}", reply.status, reply.body);
}

/// However it is chosen: a process that has seen the names before asks the store nothing, not even for names that lead
/// nowhere.
#[tokio::test]
async fn a_warm_start_costs_no_storage_call() {
    let test = several_tenants().await;
    test.admin(Method::PUT, "/tenants/acme/hosts/login.corp.example", &json!({})).await;
    let (store, counter) = watched(&test.store, Counter::default());
    let process = test.another_process(Some(store));
    let start = async || {
        for hint in ["alice@corp.example", "someone@nobody.example", "someone@other.example"] {
            process.authorize(&[("login_hint", hint)], "").await;
        }
        process.authorize(&[("tenant", "acme")], "").await;
        process.authorize(&[("host", "login.corp.example")], "").await;
        by_host(&process, "login.corp.example", &[]).await;
        by_host(&process, "unknown.example", &[]).await;
    };
    start().await;
    assert!(counter.calls().0 > 0, "a cold one does");
    start().await;
    assert_eq!(counter.calls(), (0, Vec::new()));
}
