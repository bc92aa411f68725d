//! What is wrong with a body is told at once, each problem with its place.

use http::Method;
use serde_json::{Value, json};
use vestibule_tests::platform::unique;
use vestibule_tests::{Deployment, Reply};

/// The paths of the problems, sorted, after a look at the form of the answer.
fn paths(reply: &Reply) -> Vec<String> {
    assert_eq!(reply.status, 400, "{}", reply.body);
    let body = reply.json();
    assert_eq!(body["error"], json!("invalid_request"), "{body}");
    assert!(body["error_description"].as_str().is_some_and(|text| !text.is_empty()), "{body}");
    let problems = body["problems"].as_array().expect("problems").iter();
    let mut paths: Vec<String> = problems
        .map(|problem| {
            assert!(problem["problem"].as_str().is_some_and(|text| !text.is_empty()), "{problem}");
            problem["path"].as_str().expect("a path").to_owned()
        })
        .collect();
    paths.sort();
    paths
}

/// Values that do not fit, missing and unknown fields, and rules that do not hold, in one answer; nothing is stored.
#[tokio::test]
async fn every_problem_of_a_client_is_told() {
    let broker = Deployment::from_env();
    let path = format!("/clients/{}", unique("c"));
    let body = json!({
        "tenants": ["acme", "NO"],
        "redirect_uris": ["https://app.example/", "http://app.example/", 7, "https://*.example/"],
        "client_auth": "none",
        "client_secret": "a-secret-that-must-not-come-back-0123456789",
        "access_token_life": 1,
        "refresh_token_life": "long",
        "relay": {"control_plane_url": "ftp://cp.example", "cookie": "plain"},
        "redirect_uri": "https://app.example/",
    });
    let reply = broker.admin(Method::PUT, &path, Some(&body)).await;
    assert_eq!(
        paths(&reply),
        [
            "/access_token_life",
            "/client_secret",
            "/name",
            "/redirect_uri",
            "/redirect_uris/1",
            "/redirect_uris/2",
            "/redirect_uris/3",
            "/refresh_token_life",
            "/relay/control_plane_url",
            "/relay/cookie",
            "/tenants/1",
        ]
    );
    assert!(!reply.body.contains("must-not-come-back"), "{}", reply.body);
    assert_eq!(broker.admin(Method::GET, &path, None).await.status, 404, "nothing was stored");
}

#[tokio::test]
async fn every_problem_of_a_connection_is_told() {
    let broker = Deployment::from_env();
    let tenant = unique("t");
    broker.put(&format!("/tenants/{tenant}"), json!({ "name": "Acme" })).await;
    let path = format!("/tenants/{tenant}/connections/c");
    let body = json!({
        "name": " ",
        "protocol": "oidc",
        "issuer": "http://idp.example",
        "client_id": "<client-id>",
        "client_auth": "client_secret_basic",
        "endpoints": {"authorization": "https://10.0.0.1/", "jwks": "keys"},
        "sign_in": {"domains": ["corp.example", "corp"], "button_image_url": "http://img.example/", "colour": "red"},
        "scopes": ["email"],
        "prompt": ["login", "never"],
        "authorization_parameters": {"client_id": "mine", "a/b": 1},
        "skew_seconds": 301,
    });
    let reply = broker.admin(Method::PUT, &path, Some(&body)).await;
    assert_eq!(
        paths(&reply),
        [
            "/authorization_parameters/a~1b",
            "/authorization_parameters/client_id",
            "/client_id",
            "/client_secret",
            "/endpoints/authorization",
            "/endpoints/jwks",
            "/endpoints/token",
            "/issuer",
            "/name",
            "/prompt/1",
            "/scopes",
            "/sign_in/button_image_url",
            "/sign_in/colour",
            "/sign_in/domains/1",
            "/skew_seconds",
        ]
    );
    assert_eq!(broker.admin(Method::GET, &path, None).await.status, 404, "nothing was stored");
}

#[tokio::test]
async fn tenants_people_and_tokens_have_problems_too() {
    let broker = Deployment::from_env();
    let tenant = format!("/tenants/{}", unique("t"));
    for (method, path, body, expected) in [
        (
            Method::PUT,
            tenant.clone(),
            json!({"session_shards": 0, "logo_url": "x", "colour": "#ffffff", "x": 1}),
            &["/colour", "/logo_url", "/name", "/session_shards", "/x"][..],
        ),
        (
            Method::POST,
            "/tokens".to_owned(),
            json!({"name": "", "scopes": ["deployment", "all", 3], "expires_at": 1}),
            &["/expires_at", "/name", "/scopes/1", "/scopes/2"],
        ),
        (Method::PUT, format!("{tenant}/users/u"), json!({"active": "no", "email": ""}), &["/active", "/email"]),
        (Method::PUT, format!("{tenant}/hosts/a.example"), json!({"host": "a"}), &["/host"]),
        (Method::PUT, format!("{tenant}/domains/a.example"), json!([]), &[""]),
        (Method::PUT, "/signing-keys".to_owned(), json!({"keys": [{}]}), &["/keys/0/kty"]),
    ] {
        assert_eq!(paths(&broker.admin(method, &path, Some(&body)).await), expected, "{path}");
    }
}

/// AZ-13: a member that is there twice has no meaning; a broken body has one problem.
#[tokio::test]
async fn what_is_no_object_has_one_problem() {
    let broker = Deployment::from_env();
    let path = format!("/admin/v1/tenants/{}", unique("t"));
    for (body, expected) in
        [(r#"{"name":"a","name":"b"}"#, "/name"), (r#"{"name":"a"} x"#, ""), ("", ""), ("[1]", ""), ("nothing", "")]
    {
        let request = broker.request(Method::PUT, &path).bearer_auth(&broker.admin_token).body(body);
        assert_eq!(paths(&Reply::of(request).await), [expected], "{body}");
    }
    let reply = broker.admin(Method::GET, &path["/admin/v1".len()..], None).await;
    assert_eq!((reply.status.as_u16(), reply.json().get("problems")), (404, None::<&Value>), "{}", reply.body);
}
