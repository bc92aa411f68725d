//! What the relay refuses: addresses that are not its control plane's, calls from elsewhere, and logins of somebody else.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule_tests::control_plane::{Call, ControlPlane};
use vestibule_tests::platform::unique;
use vestibule_tests::world::{CALLBACK, connect, register};
use vestibule_tests::{Browser, Reply, World};

/// Refused, with this status and code, and nothing is given out.
fn assert_refused(reply: &Reply, status: u16, error: &str, why: &str) {
    assert_eq!((reply.status.as_u16(), reply.text("error").as_str()), (status, error), "{why}: {}", reply.body);
    assert_eq!(reply.header("cache-control"), Some("no-store"), "{why}");
    assert_eq!(reply.header("access-control-allow-origin"), None, "{why}");
    let given = reply.set_cookies().into_iter().filter(|cookie| !cookie.contains("Max-Age=0")).count();
    assert_eq!(given, 0, "{why}: {:?}", reply.headers);
    assert!(!reply.body.contains("vst_") && !reply.body.contains("authorizationEndpoint"), "{why}: {}", reply.body);
}

/// No address that is not registered, on another origin, or another application's is ever part of an answer. AZ-14, AZ-1.
#[tokio::test]
async fn the_relay_is_no_open_redirect() {
    let world = World::new().await;
    let plane = ControlPlane::new(&world).await;
    let other = ControlPlane::new(&world).await;
    let (url, callback) = (plane.url.clone(), plane.callback());
    let mut browser = Browser::new();
    for (control_plane, redirect) in [
        (url.as_str(), "https://evil.example/auth/callback"),
        (&url, &format!("{url}/auth/other")),
        (&url, &format!("{callback}/")),
        (&url, &format!("{callback}?next=https://evil.example")),
        (&url, &format!("{callback}#")),
        (&url, &callback.replace(".example", ".example.evil.example")),
        (&url, &callback.replace(".example/", ".example@evil.example/")),
        (&url, &callback.replace("https", "http")),
        (&url, "/auth/callback"),
        (&url, &other.callback()),
        (&url, CALLBACK),
        ("https://evil.example", "https://evil.example/auth/callback"),
        ("https://evil.example", &callback),
        (&other.url, &callback),
        (&format!("{url}:8443"), &format!("{url}:8443/auth/callback")),
        (&format!("{url}/path"), &callback),
        (&url.replace("https", "http"), &callback),
        ("null", &callback),
        ("javascript:alert(1)", "javascript:alert(1)"),
        ("https://app.example", CALLBACK),
    ] {
        let start = plane.start_url(&[
            ("tenantName", &world.tenant),
            ("controlPlaneURL", control_plane),
            ("redirectURL", redirect),
        ]);
        assert_refused(&browser.get(&start).await, 400, "invalid_request", &start);
    }
    assert_eq!(plane.start(&mut browser, &world.tenant).await.status, 200, "the right one still works");
}

/// Parameters that are missing, repeated, broken, or of a tenant that is not served. AZ-2, AZ-13, AZ-7.
#[tokio::test]
async fn broken_starts_are_the_callers_fault() {
    let world = World::new().await;
    let plane = ControlPlane::new(&world).await;
    let foreign = unique("t");
    world.broker.put(&format!("/tenants/{foreign}"), json!({ "name": "Not served" })).await;
    let good = plane.start_url(&[("controlPlaneURL", &plane.url), ("redirectURL", &plane.callback())]);
    let mut browser = Browser::new();
    for tenant in
        ["", "&tenantName=", "&tenantName=%ff", "&tenantName=../x", &format!("&tenantName={}", "t".repeat(3000))]
    {
        assert_refused(&browser.get(&format!("{good}{tenant}")).await, 400, "invalid_request", tenant);
    }
    let unserved = browser.get(&format!("{good}&tenantName={foreign}")).await;
    let unknown = browser.get(&format!("{good}&tenantName={}", unique("t"))).await;
    assert_refused(&unserved, 400, "invalid_request", "a tenant that it does not serve");
    assert_eq!(unserved.body, unknown.body, "which tenants there are is not told");
    let good = format!("{good}&tenantName={}", world.tenant);
    for repeated in [format!("&tenantName={}", world.tenant), "&redirectURL=https://evil.example".to_owned()] {
        assert_refused(&browser.get(&format!("{good}{repeated}")).await, 400, "invalid_request", &repeated);
    }
    let bare = world.broker.get("/api/svc/v1/oauth2/authorize").await;
    assert_refused(&bare, 400, "invalid_request", "nothing at all");
    assert_eq!(browser.get(&format!("{good}&unknown=1")).await.status, 200);
}

/// A call that does not come from the control plane's own pages does nothing: forged forms, other origins, neighbours,
/// pages without an origin. CK-7.
#[tokio::test]
async fn calls_from_elsewhere_are_refused() {
    let world = World::new().await;
    let plane = ControlPlane::new(&world).await;
    let mut browser = Browser::new();
    plane.tokens_in(&world, &mut browser).await;
    let visit = plane.sign_in(&world, &mut browser).await;
    let good = plane.redeem(&world.tenant, visit.arrived());
    for path in ["token", "refresh", "logout"] {
        let good = Call { path, ..good.clone() };
        for (origin, site) in [
            (Some("https://evil.example"), None),
            (Some("https://evil.example"), Some("cross-site")),
            (Some("https://evil.example"), Some("same-origin")),
            (Some("null"), Some("same-origin")),
            (Some("null"), None),
            (None, None),
            (None, Some("same-origin")),
            (Some(plane.url.as_str()), Some("cross-site")),
            (Some(&plane.url), Some("same-site")),
            (Some(&plane.url), Some("none")),
            (Some(&world.broker.url), Some("same-origin")),
            (Some(&format!("{}.evil.example", plane.url)), None),
            (Some(&format!("https://{}.example", "x".repeat(2000))), None),
        ] {
            let forged = Call { origin: origin.map(str::to_owned), site, ..good.clone() };
            let reply = plane.send(&mut browser, &forged).await;
            assert_refused(&reply, 403, "access_denied", &format!("{path} {origin:?} {site:?}"));
        }
    }
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""] {
        let reply = plane.send(&mut browser, &Call { content_type, ..good.clone() }).await;
        assert_refused(&reply, 400, "invalid_request", content_type);
    }
    assert_eq!(plane.send(&mut browser, &good).await.status, 201, "none of them spent the code");
    assert_eq!(plane.send(&mut browser, &plane.call("logout", &Value::Null)).await.status, 204);
}

/// Another site's page cannot even begin a login in somebody's browser. CK-7, AZ-10.
#[tokio::test]
async fn another_site_cannot_begin_a_login() {
    let world = World::new().await;
    let plane = ControlPlane::new(&world).await;
    let start = plane.start_url(&[
        ("tenantName", &world.tenant),
        ("controlPlaneURL", &plane.url),
        ("redirectURL", &plane.callback()),
    ]);
    let path = start.strip_prefix(&world.broker.url).expect("an address of the broker");
    for site in ["cross-site", "same-site"] {
        let request = world.broker.request(Method::GET, path).header("sec-fetch-site", site);
        assert_refused(&Browser::new().fetch(request, true).await, 403, "access_denied", site);
    }
}

/// Bodies that are not the call. AZ-13, TK-1.
#[tokio::test]
async fn malformed_bodies_are_the_callers_fault() {
    let world = World::new().await;
    let plane = ControlPlane::new(&world).await;
    let mut browser = Browser::new();
    let visit = plane.sign_in(&world, &mut browser).await;
    let good = plane.code_body(&world.tenant, visit.arrived());
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body.to_string()
    };
    let text = good.to_string();
    for (body, error) in [
        (String::new(), "invalid_request"),
        ("{".to_owned(), "invalid_request"),
        ("null".to_owned(), "invalid_request"),
        (format!("[{text}]"), "invalid_request"),
        ("[".repeat(60_000), "invalid_request"),
        (text.replace('{', "{\"code\":\"x\","), "invalid_request"),
        (with("code", json!(7)), "invalid_request"),
        (with("code", Value::Null), "invalid_request"),
        (with("padding", json!("x".repeat(70_000))), "invalid_request"),
        (text.replace("tenantName", "tenant"), "invalid_request"),
        (with("grantType", json!("refresh_token")), "unsupported_grant_type"),
        (with("grantType", json!("")), "unsupported_grant_type"),
        (with("code", json!("")), "invalid_grant"),
        (with("code", json!("vst_c_x.y")), "invalid_grant"),
        (with("tenantName", json!("")), "invalid_grant"),
    ] {
        let reply = plane.send(&mut browser, &Call { body: body.clone(), ..plane.call("token", &good) }).await;
        assert_refused(&reply, 400, error, body.get(..80).unwrap_or(&body));
    }
    assert_eq!(plane.send(&mut browser, &plane.call("token", &good)).await.status, 201, "none of them spent the code");
}

/// The calls that change something are POSTs, the one that does not is a GET.
#[tokio::test]
async fn other_methods_are_not_allowed() {
    let world = World::new().await;
    for (method, path) in [
        (Method::GET, "token"),
        (Method::GET, "refresh"),
        (Method::GET, "logout"),
        (Method::PUT, "token"),
        (Method::OPTIONS, "token"),
        (Method::POST, "authorize"),
    ] {
        let reply = Reply::of(world.broker.request(method.clone(), &format!("/api/svc/v1/oauth2/{path}"))).await;
        assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        assert_eq!(reply.header("access-control-allow-origin"), None);
    }
}

/// A code belongs to the tenant, the address and the application that it was made for. AZ-7.
#[tokio::test]
async fn a_code_is_bound_to_tenant_address_and_application() {
    let world = World::new().await;
    let second = unique("t");
    world.broker.put(&format!("/tenants/{second}"), json!({ "name": "The other tenant" })).await;
    connect(&world.broker, &second, world.idp.issuer()).await;
    let plane = ControlPlane::new(&world).await;
    let registration = plane.registration(&json!([world.tenant, second]));
    world.broker.put(&format!("/clients/{}", plane.client), registration).await;
    let other = ControlPlane::new(&world).await;
    let mut browser = Browser::new();

    let visit = plane.sign_in(&world, &mut browser).await;
    let wrong = plane.send(&mut browser, &plane.redeem(&second, visit.arrived())).await;
    assert_refused(&wrong, 400, "invalid_grant", "another tenant that it serves");

    let mut body = plane.code_body(&world.tenant, visit.arrived());
    body["redirectURI"] = json!(format!("{}/auth/other", plane.url));
    let wrong = plane.send(&mut browser.clone(), &plane.call("token", &body)).await;
    assert_refused(&wrong, 400, "invalid_grant", "another address");

    let mine = plane.sign_in(&world, &mut browser).await;
    let theirs = other.sign_in(&world, &mut Browser::new()).await;
    let wrong = plane.send(&mut browser, &plane.redeem(&world.tenant, theirs.arrived())).await;
    assert_refused(&wrong, 400, "invalid_grant", "another application's code");
    let wrong = other.send(&mut browser, &other.redeem(&world.tenant, mine.arrived())).await;
    assert_refused(&wrong, 400, "invalid_grant", "another application's page");
    let app = register(&world.broker, "none", &json!([world.tenant])).await;
    let code = world.code(&world.authorization_of(&app, &world.tenant)).await;
    let mut body = plane.code_body(&world.tenant, mine.arrived());
    body["code"] = json!(code);
    let wrong = plane.send(&mut browser, &plane.call("token", &body)).await;
    assert_refused(&wrong, 400, "invalid_grant", "a code without a relay");
}

/// Another control plane's cookie is worth nothing on this one's page. TK-7.
#[tokio::test]
async fn another_control_planes_tokens_are_refused() {
    let world = World::new().await;
    let (plane, other) = (ControlPlane::new(&world).await, ControlPlane::new(&world).await);
    let mut browser = Browser::new();
    plane.tokens_in(&world, &mut browser).await;
    let mut moved = browser.clone();
    let wrong = other.send(&mut moved, &other.call("refresh", &Value::Null)).await;
    assert_refused(&wrong, 400, "invalid_grant", "another control plane's refresh token");
    let nothing = other.send(&mut browser.clone(), &other.call("logout", &Value::Null)).await;
    assert_eq!(nothing.status, 204);
    let reply = plane.send(&mut browser, &plane.call("refresh", &Value::Null)).await;
    assert_eq!(reply.status, 200, "the session goes on: {}", reply.body);
    let empty = plane.send(&mut Browser::new(), &plane.call("refresh", &Value::Null)).await;
    assert_refused(&empty, 400, "invalid_grant", "no cookie");
}
