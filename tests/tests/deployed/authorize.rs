//! Requests to the authorization endpoint that must not pass, and where their errors go.

use http::Method;
use vestibule_tests::world::{Authorization, CALLBACK, query_of, register};
use vestibule_tests::{Browser, Reply, World};

async fn start(world: &World, request: &Authorization) -> Reply {
    Browser::new().get(&request.url(&world.broker)).await
}

/// Fails unless the application is told this error, with state and issuer, and without a code.
fn assert_told(world: &World, request: &Authorization, reply: &Reply, error: &str) {
    let there = reply.location().unwrap_or_else(|| panic!("{}: {} {}", error, reply.status, reply.body));
    assert!(there.as_str().starts_with(&format!("{CALLBACK}?")), "{there}");
    assert_eq!(Reply::one_param(&there, "error"), error, "{there}");
    assert_eq!(Reply::one_param(&there, "state"), request.param("state"));
    assert_eq!(Reply::one_param(&there, "iss"), world.broker.url);
    assert!(query_of(&there).iter().all(|(name, _)| name != "code"));
    assert!(reply.set_cookies().is_empty(), "no login has begun");
}

/// An unknown client, or an address that is not registered character by character: a page, never a redirect.
/// AZ-1, AZ-11, AZ-14.
#[tokio::test]
async fn an_unproved_address_is_never_redirected_to() {
    let world = World::new().await;
    let request = world.authorization();
    let mut wrong = vec![
        request.clone().with("client_id", "nobody"),
        request.clone().with("client_id", ""),
        request.clone().without("client_id"),
        request.clone().without("redirect_uri"),
        request.clone().and("client_id", &world.app.id),
        request.clone().and("redirect_uri", CALLBACK),
        request.clone().and("redirect_uri", "https://evil.example/"),
    ];
    for address in [
        "https://evil.example/callback",
        "https://app.example/callback/",
        "https://app.example/callback?",
        "https://app.example/callback?x=1",
        "https://app.example/callback#x",
        "https://app.example/Callback",
        "https://APP.example/callback",
        "https://app.example:443/callback",
        "https://app.example/x/../callback",
        "https://app.example/%63allback",
        "https://app.example@evil.example/callback",
        "https://app.example.evil.example/callback",
        "http://app.example/callback",
        "//app.example/callback",
        "/callback",
        "javascript:alert(1)",
        " https://app.example/callback",
        "",
    ] {
        wrong.push(request.clone().with("redirect_uri", address));
    }
    for request in wrong {
        let reply = start(&world, &request).await;
        assert_eq!(reply.header("location"), None, "{:?}", request.params);
        assert_eq!(reply.status, 400, "{:?}", request.params);
        reply.assert_error_page();
        assert!(!reply.body.contains("evil.example"), "what was sent is not shown");
        assert!(reply.set_cookies().is_empty());
    }
}

/// PKCE is required, with S256 and a challenge of 43 characters of base64url, so there is no code
/// without one that a verifier could be slipped under. AZ-4, AZ-5.
#[tokio::test]
async fn pkce_is_not_optional() {
    let world = World::new().await;
    let request = world.authorization();
    let challenge = request.param("code_challenge").to_owned();
    let short: String = challenge.chars().take(42).collect();
    for wrong in [
        request.clone().without("code_challenge"),
        request.clone().without("code_challenge").without("code_challenge_method"),
        request.clone().without("code_challenge_method"),
        request.clone().with("code_challenge_method", "plain"),
        request.clone().with("code_challenge_method", "s256"),
        request.clone().with("code_challenge_method", "S512"),
        request.clone().with("code_challenge", &short),
        request.clone().with("code_challenge", &format!("{challenge}A")),
        request.clone().with("code_challenge", &format!("{short}=")),
        request.clone().with("code_challenge", &format!("{short}+")),
        request.clone().with("code_challenge", ""),
    ] {
        let reply = start(&world, &wrong).await;
        assert_told(&world, &wrong, &reply, "invalid_request");
    }
}

/// Codes only: no implicit flow, no hybrid flow. AZ-3.
#[tokio::test]
async fn only_codes_are_given_out() {
    let world = World::new().await;
    let request = world.authorization();
    for kind in ["token", "id_token", "code id_token", "code token", "id_token token", "none", "CODE", "code code"] {
        let wrong = request.clone().with("response_type", kind);
        assert_told(&world, &wrong, &start(&world, &wrong).await, "unsupported_response_type");
    }
    let missing = request.without("response_type");
    assert_told(&world, &missing, &start(&world, &missing).await, "invalid_request");
}

/// A parameter that comes twice is an error, even with the same value. AZ-2 (RFC 6749 §3.1).
#[tokio::test]
async fn a_repeated_parameter_is_refused() {
    let world = World::new().await;
    let request = world.authorization();
    for name in ["response_type", "scope", "nonce", "code_challenge", "code_challenge_method", "tenant"] {
        let wrong = request.clone().and(name, request.param(name));
        assert_told(&world, &wrong, &start(&world, &wrong).await, "invalid_request");
    }
    // Which state would be the right one? The person is told, or the application without a state.
    let wrong = request.clone().and("state", "another");
    let reply = start(&world, &wrong).await;
    match reply.location() {
        Some(there) => assert_eq!(Reply::one_param(&there, "error"), "invalid_request"),
        None => reply.assert_error_page(),
    }
}

/// A parameter that nobody knows makes no difference. AZ-2.
#[tokio::test]
async fn unknown_parameters_are_ignored() {
    let world = World::new().await;
    let request = world.authorization().and("utm_source", "mail").and("x", "").and("x", "twice");
    let there = start(&world, &request).await.location().expect("a redirect");
    assert!(there.as_str().starts_with(world.idp.issuer()), "{there}");
}

/// A client signs in for its own tenants, and a tenant has to exist: both are refused alike. AZ-7.
#[tokio::test]
async fn a_client_serves_its_own_tenants() {
    let (world, other) = tokio::join!(World::new(), World::new());
    for tenant in [other.tenant.as_str(), "no-such-tenant", "../admin", "A B"] {
        let request = world.authorization().with("tenant", tenant);
        let reply = start(&world, &request).await;
        match reply.location() {
            Some(there) => {
                assert!(there.as_str().starts_with(&format!("{CALLBACK}?")), "{tenant}: {there}");
                assert!(!Reply::one_param(&there, "error").is_empty());
            }
            None => reply.assert_error_page(),
        }
        assert!(!reply.body.contains(&other.tenant));
    }
    let everywhere = register(&world.broker, "none", &serde_json::Value::Null).await;
    let request = world.authorization_of(&everywhere, &other.tenant);
    let there = start(&world, &request).await.location().expect("a client without a list serves every tenant");
    assert!(there.as_str().starts_with(other.idp.issuer()), "{there}");
}

/// A connection that is not there, or not the tenant's, is refused. RP-3.
#[tokio::test]
async fn an_unknown_connection_is_refused() {
    let world = World::new().await;
    let request = world.authorization().with("connection", "no-such-connection");
    let reply = start(&world, &request).await;
    assert!(!reply.location().is_some_and(|there| there.as_str().starts_with(world.idp.issuer())));
    let known = world.authorization().with("connection", "corp");
    let there = start(&world, &known).await.location().expect("a redirect");
    assert!(there.as_str().starts_with(world.idp.issuer()), "{there}");
}

/// Broken encodings and outsized requests are the caller's fault, never ours, and nothing is reflected. AZ-13.
#[tokio::test]
async fn malformed_requests_are_the_callers_fault() {
    let world = World::new().await;
    let good = world.authorization().url(&world.broker);
    let tails = ["&x=%", "&x=%zz", "&x=%ff%fe", "&login_hint=%ff", "&scope=%00", "&&&&=&=&"];
    for tail in tails {
        let reply = Browser::new().get(&format!("{good}{tail}")).await;
        assert!(!reply.status.is_server_error(), "{tail}: {}", reply.status);
    }
    let long = "y".repeat(12_000);
    let reply = Browser::new().get(&format!("{good}&x={long}")).await;
    assert!(!reply.status.is_server_error(), "{}", reply.status);
    let state = world.authorization().with("state", &long);
    let reply = start(&world, &state).await;
    assert!(!reply.status.is_server_error(), "{}", reply.status);
    assert!(reply.set_cookies().iter().all(|cookie| cookie.len() < 4096), "browsers drop larger cookies");
}

/// Other methods are not allowed, and scripts of other origins may not read the answers. AZ-10.
#[tokio::test]
async fn the_endpoint_is_for_navigation_only() {
    let world = World::new().await;
    let path = world.authorization().url(&world.broker).replace(&world.broker.url, "");
    for method in [Method::PUT, Method::DELETE, Method::PATCH] {
        let reply = Reply::of(world.broker.request(method, &path)).await;
        assert_eq!(reply.status, 405);
    }
    for path in [path.as_str(), "/oauth2/callback", "/oauth2/logout"] {
        for method in [Method::GET, Method::OPTIONS] {
            let request = world.broker.request(method, path).header("origin", "https://evil.example");
            let reply = Reply::of(request.header("access-control-request-method", "GET")).await;
            assert_eq!(reply.header("access-control-allow-origin"), None, "{path}");
        }
    }
}
