//! A tenant's own host: how its name arrives on each runtime, and what does not count as one.

use http::{Method, header};
use serde_json::{Value, json};
use vestibule_tests::platform::unique;
use vestibule_tests::world::{ALICE, Application, Authorization, PASSWORD, code_grant, register};
use vestibule_tests::{Browser, Reply, World};

/// A world whose tenant has a host, an application of every tenant, and its request without a tenant.
async fn hosted() -> (World, Application, Authorization, String) {
    let world = World::new().await;
    let app = register(&world.broker, "none", &Value::Null).await;
    let host = format!("{}.example", unique("login"));
    world.broker.put(&format!("/tenants/{}/hosts/{host}", world.tenant), json!({})).await;
    let request = world.authorization_of(&app, "").without("tenant");
    (world, app, request, host)
}

/// The first answer to a request that names its host in these headers.
async fn named(world: &World, path: &str, headers: &[(&str, &str)]) -> Reply {
    let path = path.strip_prefix(&world.broker.url).unwrap_or(path);
    let request = world.broker.request(Method::GET, path);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    Reply::of(request.header("sec-fetch-site", "none").header("sec-fetch-mode", "navigate")).await
}

/// Whoever comes by the tenant's host is sent to the issuer's, where cookies live, and signs in with the tenant's
/// provider without being asked who they are.
#[tokio::test]
async fn a_tenants_host_leads_to_its_provider() {
    let (world, app, request, host) = hosted().await;
    for spelling in [host.clone(), format!("{host}:443"), host.to_ascii_uppercase()] {
        let first = named(&world, &request.url(&world.broker), &[("host", &spelling)]).await;
        assert_eq!(first.status, 303, "{spelling}: {}", first.body);
        assert!(first.set_cookies().is_empty(), "{spelling}: a cookie of this host would not come back");
        let there = first.location().expect("a redirect");
        assert!(there.as_str().starts_with(&world.broker.at("/oauth2/authorize?")), "{there}");
        assert_eq!(Reply::one_param(&there, "host"), host);
        assert_eq!(Reply::one_param(&there, "state"), request.param("state"));
        let mut browser = Browser::new();
        let visit = browser.visit(there.as_str()).await;
        assert!(visit.page().url.as_str().starts_with(world.idp.issuer()), "{}", visit.page().url);
        let visit = browser.submit(visit.page(), &[("username", ALICE), ("password", PASSWORD)]).await;
        let code = Reply::one_param(visit.arrived(), "code");
        assert_eq!(world.token(&app, &code_grant(&code, &request.verifier)).await.status, 200, "{spelling}");
    }
}

/// What a client, or a proxy that was not told to, says about the host beside `Host` is not asked. AZ-14.
#[tokio::test]
async fn other_headers_name_no_host() {
    let (world, _, request, host) = hosted().await;
    let plain = named(&world, &request.url(&world.broker), &[]).await;
    assert!(plain.body.contains("type=\"email\""), "the person is asked: {}", plain.body);
    for (name, value) in [
        ("x-forwarded-host", host.clone()),
        ("x-original-host", host.clone()),
        ("x-host", host.clone()),
        ("x-forwarded-server", host.clone()),
        ("forwarded", format!("host={host}")),
        ("x-original-url", format!("https://{host}/")),
        ("origin", format!("https://{host}")),
        ("referer", format!("https://{host}/")),
    ] {
        let reply = named(&world, &request.url(&world.broker), &[(name, &value)]).await;
        assert_eq!((reply.status.as_u16(), &reply.body), (200, &plain.body), "{name}");
    }
}

/// A host that is nobody's chooses nothing, is repeated nowhere, and is the caller's fault at worst. AZ-13, AZ-14.
#[tokio::test]
async fn a_foreign_host_is_never_repeated() {
    let (world, _, request, host) = hosted().await;
    let metadata = named(&world, "/.well-known/openid-configuration", &[]).await;
    for foreign in
        [format!("{host}.evil.example"), format!("x.{host}"), "evil.example:8443".to_owned(), "192.0.2.1".to_owned()]
    {
        let sent = [("host", foreign.as_str())];
        for path in ["/oauth2/authorize?client_id=nobody", "/oauth2/callback?state=x", "/", "/no-such-page"] {
            let reply = named(&world, path, &sent).await;
            assert!(!reply.status.is_server_error(), "{foreign} {path}: {}", reply.status);
            assert!(!reply.body.contains("evil.example"), "{foreign} {path}: {}", reply.body);
        }
        let reply = named(&world, &request.url(&world.broker), &sent).await;
        assert!(reply.body.contains("type=\"email\""), "{foreign}: {} {}", reply.status, reply.body);
        assert_eq!(named(&world, "/.well-known/openid-configuration", &sent).await.json(), metadata.json());
    }
    if world.broker.runtime == "workerd" {
        // Cloudflare hands over requests for the names of its zones only; what stands in for it here answers by itself.
        return;
    }
    for broken in ["%", "a b.example", "user@evil.example", "[::1", "a.example/evil", "a.example:port"] {
        let reply = named(&world, &request.url(&world.broker), &[("host", broken)]).await;
        assert!(!reply.status.is_server_error(), "{broken}: {} {}", reply.status, reply.body);
        assert_eq!(reply.header(header::LOCATION.as_str()), None, "{broken}");
    }
}

/// A host leads, it permits nothing: what the request names is taken as it is, and an application that does not serve
/// the host's tenant is not led there. AZ-7.
#[tokio::test]
async fn a_host_permits_nothing() {
    let (world, _, request, host) = hosted().await;
    let other = World::new().await;
    let request = request.with("tenant", &other.tenant).with("connection", "corp");
    let reply = named(&world, &request.url(&world.broker), &[("host", &host)]).await;
    let there = reply.location().unwrap_or_else(|| panic!("{} {}", reply.status, reply.body));
    let visit = Browser::new().visit(there.as_str()).await;
    let at = visit.last().url.as_str();
    assert!(at.starts_with(other.idp.issuer()), "{at}: the tenant that the request names, not the host's");
    let own = other.authorization().without("tenant");
    let reply = named(&world, &own.url(&world.broker), &[("host", &host)]).await;
    let there = reply.location().unwrap_or_else(|| panic!("{} {}", reply.status, reply.body));
    assert!(!Browser::new().visit(there.as_str()).await.last().url.as_str().starts_with(world.idp.issuer()));
}
