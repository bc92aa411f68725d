//! Logins that begin at the identity provider (OpenID Connect Core §4): the browser comes with `iss`, `login_hint` and
//! `target_link_uri`, and is sent to the application, which starts a login of its own.

use http::Method;
use serde_json::{Value, json};
use url::{Url, form_urlencoded};
use vestibule_tests::platform::unique;
use vestibule_tests::world::{ALICE, Application, CALLBACK, connection, query_of};
use vestibule_tests::{Browser, Reply, World};

/// Where the application begins logins.
const START: &str = "https://app.example/start?from=portal";

fn registration(world: &World, start: &Value) -> Value {
    json!({
        "name": "An application with a tile", "tenants": [world.tenant], "redirect_uris": [CALLBACK],
        "client_auth": "none", "initiate_login_uri": start,
    })
}

/// An application of the world's tenant that can be begun at.
async fn startable(world: &World) -> Application {
    let app = Application { id: unique("app"), secret: None, auth: "none" };
    let shown = world.broker.put(&format!("/clients/{}", app.id), registration(world, &json!(START))).await;
    assert_eq!(shown["initiate_login_uri"], START);
    app
}

fn path(world: &World, app: &Application) -> String {
    format!("/oauth2/initiate/{}/corp/{}", world.tenant, app.id)
}

fn encode(parameters: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}

/// What comes of these parameters, by GET, which a POST must say too.
async fn begin(world: &World, path: &str, parameters: &[(&str, &str)]) -> Reply {
    let reply = world.broker.get(&format!("{path}?{}", encode(parameters))).await;
    let posted = Reply::of(world.broker.request(Method::POST, path).form(parameters)).await;
    assert_eq!((posted.status, posted.location()), (reply.status, reply.location()), "{parameters:?}");
    reply
}

fn assert_refused(reply: &Reply, what: &str) {
    assert_eq!(reply.status, 400, "{what}: {}", reply.body);
    reply.assert_error_page();
    assert!(!reply.body.contains("evil.example"), "{what}: {}", reply.body);
}

/// From the portal to the application, and from there through a login like any other, with a `state` of the
/// application's. Nothing is carried in between, and nobody is signed in by it. RP-10.
#[tokio::test]
async fn a_provider_begins_a_login() {
    let world = World::new().await;
    let app = startable(&world).await;
    let shown = world.broker.admin(Method::GET, &format!("/tenants/{}/connections/corp", world.tenant), None).await;
    let registered = shown.text("initiate_login_uri").replace("<client>", &app.id);
    assert_eq!(registered, world.broker.at(&path(&world, &app)));

    let target = "https://app.example/reports?year=2026#may";
    let parameters = [("iss", world.idp.issuer()), ("login_hint", ALICE), ("target_link_uri", target), ("x", "y")];
    let reply = begin(&world, &path(&world, &app), &parameters).await;
    assert_eq!(reply.status, 303, "a form goes no further");
    assert_eq!(reply.set_cookies(), Vec::<&str>::new());
    let there = reply.location().expect("the application");
    assert!(there.as_str().starts_with("https://app.example/start?"), "{there}");
    let expected = [
        ("from", "portal"),
        ("iss", &world.broker.url),
        ("tenant", &world.tenant),
        ("connection", "corp"),
        ("login_hint", ALICE),
        ("target_link_uri", target),
    ];
    let expected: Vec<(String, String)> = expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    assert_eq!(query_of(&there), expected);

    let one = |name: &str| Reply::one_param(&there, name);
    let request = world.authorization_of(&app, &one("tenant"));
    let request = request.with("connection", &one("connection")).with("login_hint", &one("login_hint"));
    let visit = world.follow(&mut Browser::new(), &request, ALICE).await;
    assert_eq!(Reply::one_param(visit.arrived(), "state"), request.param("state"));
    let code = Reply::one_param(visit.arrived(), "code");
    let reply = world.token(&app, &vestibule_tests::world::code_grant(&code, &request.verifier)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);

    let bare = begin(&world, &path(&world, &app), &[("iss", world.idp.issuer())]).await;
    let names: Vec<String> = query_of(&bare.location().expect("the application")).into_iter().map(|(n, _)| n).collect();
    assert_eq!(names, ["from", "iss", "tenant", "connection"], "hints are optional");
}

/// `iss` is the connection's provider, to the last slash, once. RP-10, AZ-2.
#[tokio::test]
async fn only_the_connections_provider_can_begin() {
    let world = World::new().await;
    let app = startable(&world).await;
    let other = connection("https://other.example", &json!({}));
    world.broker.put(&format!("/tenants/{}/connections/other", world.tenant), other).await;
    let path = path(&world, &app);
    let slash = format!("{}/", world.idp.issuer());
    for issuer in ["", "https://evil.example", "https://other.example", world.broker.url.as_str(), slash.as_str()] {
        assert_refused(&begin(&world, &path, &[("iss", issuer)]).await, issuer);
    }
    assert_refused(&begin(&world, &path, &[("login_hint", ALICE)]).await, "no iss");
    let issuer = ("iss", world.idp.issuer());
    for (name, value) in [issuer, ("login_hint", ALICE), ("target_link_uri", "https://app.example/")] {
        let twice = [issuer, (name, value), (name, value)];
        assert_refused(&begin(&world, &path, &twice).await, name);
    }
    assert_refused(&begin(&world, &path, &[issuer, ("login_hint", &"x".repeat(1025))]).await, "a long hint");
    assert_refused(&world.broker.get(&format!("{path}?iss=%zz")).await, "no encoding");
    let json = world.broker.request(Method::POST, &path).header("content-type", "application/json").body("{}");
    assert_refused(&Reply::of(json).await, "no form");
    let large = [issuer, ("x", &"y".repeat(70_000))];
    assert_refused(&Reply::of(world.broker.request(Method::POST, &path).form(&large)).await, "too large");
}

/// It leads to the registered address alone, and carries no address of anybody else's there. RP-10, AZ-14.
#[tokio::test]
async fn initiation_is_no_open_redirect() {
    let world = World::new().await;
    let app = startable(&world).await;
    let issuer = ("iss", world.idp.issuer());
    for target in [
        "https://evil.example/",
        "https://app.example@evil.example/",
        "https://app.example.evil.example/",
        "https://app.example:444/",
        "http://app.example/",
        "//evil.example",
        "javascript:alert(1)",
        "reports",
    ] {
        let reply = begin(&world, &path(&world, &app), &[issuer, ("target_link_uri", target)]).await;
        assert_refused(&reply, target);
    }
    let odd = "https:app.example\\@evil.example/";
    let reply = begin(&world, &path(&world, &app), &[issuer, ("target_link_uri", odd)]).await;
    let passed_on = Reply::one_param(&reply.location().expect("the application"), "target_link_uri");
    assert_eq!(Url::parse(&passed_on).map(|url| url.host_str().map(str::to_owned)), Ok(Some("app.example".to_owned())));
    assert!(!passed_on.contains('\\'), "{passed_on}");
}

/// An application that did not ask for it, of another tenant, through a connection that is off: nothing begins. RP-10.
#[tokio::test]
async fn whoever_did_not_ask_is_not_begun_at() {
    let world = World::new().await;
    let issuer = [("iss", world.idp.issuer())];
    assert_refused(&begin(&world, &path(&world, &world.app), &issuer).await, "no initiate_login_uri");
    let (app, elsewhere) = (startable(&world).await, World::new().await);
    let (tenant, theirs) = (world.tenant.as_str(), startable(&elsewhere).await.id);
    for path in [
        format!("/oauth2/initiate/{tenant}/corp/{theirs}"),
        format!("/oauth2/initiate/{}/corp/{}", elsewhere.tenant, app.id),
        format!("/oauth2/initiate/{tenant}/nothing/{}", app.id),
        format!("/oauth2/initiate/{tenant}/corp/nobody"),
        format!("/oauth2/initiate/nobody/corp/{}", app.id),
        format!("/oauth2/initiate/{tenant}/co%72p%23/{}", app.id),
    ] {
        assert_refused(&begin(&world, &path, &issuer).await, &path);
    }
    let off = connection(world.idp.issuer(), &json!({ "enabled": false }));
    world.broker.put(&format!("/tenants/{tenant}/connections/off"), off).await;
    assert_refused(&begin(&world, &format!("/oauth2/initiate/{tenant}/off/{}", app.id), &issuer).await, "disabled");

    let client = format!("/clients/{}", unique("app"));
    for wrong in
        ["/start", "http://app.example/", "javascript:alert(1)", "https://*.example/", "https://app.example/#a"]
    {
        let reply = world.broker.admin(Method::PUT, &client, Some(&registration(&world, &json!(wrong)))).await;
        assert_eq!((reply.status.as_u16(), reply.body.contains("initiate_login_uri")), (400, true), "{wrong}");
    }
}
