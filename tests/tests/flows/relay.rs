//! The relay in time, and a control plane's registration that is cut short.

use axum::body::Body;
use http::{Method, Request, header};
use serde_json::{Value, json};
use url::{Url, form_urlencoded};
use vestibule_protocol::time::Seconds;
use vestibule_tests::Reply;
use vestibule_tests::in_process::{ISSUER, TestBroker, signed_in};
use vestibule_tests::watched_store::{Counter, DiesAfter, watched};

const PLANE: &str = "https://cp.example";

fn registration(plane: &str) -> Value {
    json!({
        "name": "A control plane", "tenants": ["acme"], "client_auth": "none",
        "redirect_uris": [format!("{PLANE}/auth/callback"), format!("{plane}/auth/callback")],
        "relay": { "control_plane_url": plane },
    })
}

async fn register(test: &TestBroker, client: &str, plane: &str) -> Reply {
    test.try_admin(Method::PUT, &format!("/clients/{client}"), &registration(plane)).await
}

async fn start(test: &TestBroker, plane: &str) -> Reply {
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("tenantName", "acme"), ("controlPlaneURL", plane)])
        .append_pair("redirectURL", &format!("{plane}/auth/callback"))
        .finish();
    test.get(&format!("/api/svc/v1/oauth2/authorize?{query}"), "").await
}

/// Whom a control plane's login is for, or `None` when its start is refused.
async fn client_at(test: &TestBroker, plane: &str) -> Option<String> {
    let reply = start(test, plane).await;
    if reply.status != 200 {
        assert_eq!((reply.status.as_u16(), reply.text("error").as_str()), (400, "invalid_request"));
        return None;
    }
    Some(Reply::one_param(&endpoint(&reply), "client_id"))
}

fn endpoint(started: &Reply) -> Url {
    Url::parse(&started.text("authorizationEndpoint")).expect("an address")
}

fn cookie(reply: &Reply) -> String {
    reply.set_cookies().first().and_then(|cookie| cookie.split(';').next()).expect("a cookie").to_owned()
}

/// From the authorization endpoint to the code.
async fn code(test: &TestBroker, started: &Reply) -> String {
    let endpoint = endpoint(started);
    let there = test.get(endpoint.as_str().strip_prefix(ISSUER).expect("the broker's"), "").await;
    signed_in(&test.finish(&there.location().expect("the provider"), &cookie(&there)).await).code
}

async fn redeem(test: &TestBroker, started: &Reply, code: &str) -> Reply {
    let body = json!({
        "tenantName": "acme", "code": code, "grantType": "authorization_code",
        "redirectURI": format!("{PLANE}/auth/callback"),
    });
    post(test, "token", &cookie(started), &body).await
}

/// From the authorization endpoint to the tokens.
async fn finish(test: &TestBroker, started: &Reply) -> Reply {
    let code = code(test, started).await;
    redeem(test, started, &code).await
}

/// The refresh token of an answer, as `name=value`.
fn refresh_cookie(reply: &Reply) -> String {
    let set = reply.set_cookies().into_iter().find(|cookie| cookie.starts_with("refreshToken="));
    set.and_then(|cookie| cookie.split(';').next()).expect("a cookie").to_owned()
}

async fn post(test: &TestBroker, path: &str, cookie: &str, body: &Value) -> Reply {
    let request = Request::post(format!("/api/svc/v1/oauth2/{path}"))
        .header(header::ORIGIN, PLANE)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::COOKIE, cookie);
    test.send(request.body(Body::from(body.to_string())).expect("a request")).await
}

/// RP-1: a relayed login may take ten minutes.
#[tokio::test]
async fn a_relayed_login_dies_after_ten_minutes() {
    let test = TestBroker::new().await;
    register(&test, "cp", PLANE).await;
    let (young, old) = (start(&test, PLANE).await, start(&test, PLANE).await);
    for clock in [&test.clock, &test.idp_clock] {
        clock.advance(Seconds(599));
    }
    let reply = finish(&test, &young).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    test.clock.advance(Seconds(1));
    let reply = finish(&test, &old).await;
    assert_eq!((reply.status.as_u16(), reply.text("error").as_str()), (400, "invalid_grant"));
}

/// TK-7, TK-8: a refresh token's cookie ends with its family, however often it is replaced.
#[tokio::test]
async fn refreshing_does_not_extend_the_cookie() {
    let test = TestBroker::new().await;
    register(&test, "cp", PLANE).await;
    let mut reply = finish(&test, &start(&test, PLANE).await).await;
    let lives = |life: &str| reply.set_cookies().into_iter().filter(|cookie| cookie.contains(life)).count();
    let (day, week) = ("Max-Age=86400; Expires=Mon, 16 Jun 2025", "Max-Age=604800; Expires=Sun, 22 Jun 2025");
    assert_eq!((lives(day), lives(week)), (1, 1), "{:?}", reply.headers);
    for _ in 0..6 {
        test.clock.advance(Seconds(86_400));
        reply = post(&test, "refresh", &refresh_cookie(&reply), &Value::Null).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
    }
    let last = reply.set_cookies().into_iter().find(|cookie| cookie.starts_with("refreshToken=")).expect("a cookie");
    // Seven days after 2025-06-15T15:06:40Z, when the test's clock begins.
    assert!(last.contains("; Max-Age=86400; Expires=Sun, 22 Jun 2025 15:06:40 GMT;"), "{last}");
}

/// An origin leads to the application that names it: moved, taken and freed with the registration.
#[tokio::test]
async fn an_origin_belongs_to_one_application() {
    let test = TestBroker::new().await;
    assert_eq!(client_at(&test, PLANE).await, None);
    assert_eq!(register(&test, "first", PLANE).await.status, 201);
    assert_eq!(client_at(&test, PLANE).await.as_deref(), Some("first"));
    let taken = register(&test, "second", PLANE).await;
    assert_eq!(taken.status, 400, "{}", taken.body);
    assert!(taken.body.contains("another application's"), "{}", taken.body);
    assert_eq!(test.try_admin(Method::GET, "/clients/second", &Value::Null).await.status, 404);
    assert_eq!(register(&test, "first", "https://other.example").await.status, 200);
    assert_eq!(client_at(&test, PLANE).await, None);
    assert_eq!(client_at(&test, "https://other.example").await.as_deref(), Some("first"));
    assert_eq!(register(&test, "second", PLANE).await.status, 201);
    assert_eq!(client_at(&test, PLANE).await.as_deref(), Some("second"));
    test.admin(Method::DELETE, "/clients/second", &Value::Null).await;
    assert_eq!(client_at(&test, PLANE).await, None);
    assert_eq!(register(&test, "first", PLANE).await.status, 200);
    assert_eq!(client_at(&test, PLANE).await.as_deref(), Some("first"));
}

/// A registration that dies after each of its commits leaves nothing that leads to the wrong application, and nothing
/// that keeps it from being repeated.
#[tokio::test]
async fn a_registration_may_be_cut_short() {
    for commits in 1..=4 {
        let test = TestBroker::new().await;
        let other = "https://other.example";
        register(&test, "cp", PLANE).await;
        // Five commits: the new route, the list of applications, whose outbox the tick has to look at, the application,
        // the old route.
        let dying = watched(&test.store, DiesAfter::commits(commits)).0;
        let dying = test.another_process(Some(dying));
        assert_eq!(register(&dying, "cp", other).await.status, 500);
        let fresh = test.another_process(None);
        let (here, there) = (client_at(&fresh, PLANE).await, client_at(&fresh, other).await);
        let expected = if commits < 4 { (true, false) } else { (false, true) };
        assert_eq!((here.is_some(), there.is_some()), expected, "after {commits}");
        assert_eq!(register(&fresh, "cp", other).await.status, 200);
        assert_eq!(client_at(&fresh, other).await.as_deref(), Some("cp"));
        assert_eq!(register(&fresh, "second", PLANE).await.status, 201, "what it left does not block anybody");
        assert_eq!(client_at(&fresh, PLANE).await.as_deref(), Some("second"));
    }
}

/// What cannot work is refused when it is registered.
#[tokio::test]
async fn registrations_that_cannot_work_are_refused() {
    let test = TestBroker::new().await;
    for wrong in [
        "https://cp.example/path",
        "http://cp.example",
        "https://me@cp.example",
        "https://cp.example?x",
        "cp.example",
        "",
        "https://elsewhere.example",
    ] {
        let mut body = registration(PLANE);
        body["relay"]["control_plane_url"] = json!(wrong);
        let reply = test.try_admin(Method::PUT, "/clients/cp", &body).await;
        assert_eq!(reply.status, 400, "{wrong}: {}", reply.body);
        assert!(reply.body.contains("relay/control_plane_url"), "{wrong}: {}", reply.body);
    }
    let mut confidential = registration(PLANE);
    confidential["client_auth"] = json!("client_secret_post");
    confidential["client_secret"] = json!("secret-of-the-application-0123456789");
    let mut unknown = registration(PLANE);
    unknown["relay"]["cookie"] = json!("plain");
    for body in [confidential, unknown] {
        assert_eq!(test.try_admin(Method::PUT, "/clients/cp", &body).await.status, 400);
    }
    assert_eq!(client_at(&test, PLANE).await, None);
}

/// A start that finds everything in memory asks the store nothing; a redemption reads the code and commits, a refresh
/// reads the grant and commits, as at the token endpoint.
#[tokio::test]
async fn the_relay_costs_no_storage_calls_of_its_own() {
    let test = TestBroker::new().await;
    register(&test, "cp", PLANE).await;
    let (store, counter) = watched(&test.store, Counter::default());
    let process = test.another_process(Some(store));
    assert_eq!(finish(&process, &start(&process, PLANE).await).await.status, 201);
    let calls = || {
        let (reads, writes) = counter.calls();
        reads + writes.len()
    };
    calls();
    let started = start(&process, PLANE).await;
    assert_eq!(calls(), 0, "the start");
    let code = code(&process, &started).await;
    calls();
    let redeemed = redeem(&process, &started, &code).await;
    assert_eq!((redeemed.status.as_u16(), calls()), (201, 2), "the redemption");
    let refreshed = post(&process, "refresh", &refresh_cookie(&redeemed), &Value::Null).await;
    assert_eq!((refreshed.status.as_u16(), calls()), (200, 2), "the refresh");
}
