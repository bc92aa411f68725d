//! Authorization requests that the application sends ahead (RFC 9126).

use http::Method;
use serde_json::{Value, json};
use vestibule_tests::platform::unique;
use vestibule_tests::world::{
    ALICE, Application, Authorization, CALLBACK, PASSWORD, code_grant, connection, query_of, register,
};
use vestibule_tests::{Browser, Reply, World};

/// Sends a request ahead, with the application's own authentication.
async fn push(world: &World, app: &Application, request: &Authorization) -> Reply {
    let form: Vec<_> = request.params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    push_form(world, app, &form).await
}

async fn push_form(world: &World, app: &Application, form: &[(&str, &str)]) -> Reply {
    let request = world.broker.request(Method::POST, "/oauth2/par");
    let secret = app.secret.as_deref().unwrap_or_default();
    match app.auth {
        "client_secret_basic" => Reply::of(request.basic_auth(&app.id, Some(secret)).form(form)).await,
        "client_secret_post" => {
            let form = [form, &[("client_secret", secret)]].concat();
            Reply::of(request.form(&form)).await
        }
        _ => Reply::of(request.form(form)).await,
    }
}

/// What the browser then carries.
fn carried(request_uri: &str, client: &str) -> Authorization {
    let params = [("client_id", client), ("request_uri", request_uri)];
    let params = params.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Authorization { params, verifier: String::new() }
}

/// 201, a name for the request, and a sign-in by it, for each way to authenticate. TK-12.
#[tokio::test]
async fn a_request_can_be_sent_ahead() {
    let world = World::new().await;
    for auth in ["client_secret_basic", "client_secret_post", "none"] {
        let app = register(&world.broker, auth, &json!([world.tenant])).await;
        let request = world.authorization_of(&app, &world.tenant).with("login_hint", ALICE);
        let reply = push(&world, &app, &request).await;
        assert_eq!(reply.status, 201, "{auth}: {}", reply.body);
        assert!(reply.header("cache-control").unwrap_or_default().contains("no-store"), "{:?}", reply.headers);
        let seconds = reply.json()["expires_in"].as_i64().unwrap_or_default();
        assert!((5..=600).contains(&seconds), "RFC 9126 §2.2: {seconds}");
        let name = reply.text("request_uri");
        assert!(name.starts_with("urn:ietf:params:oauth:request_uri:") && name.len() >= 34 + 43, "{name}");
        // What comes beside the name does not count.
        let browser =
            carried(&name, &app.id).with("scope", "openid admin").with("state", "evil").with("prompt", "none");
        let visit = world.follow(&mut Browser::new(), &browser, ALICE).await;
        let arrived = visit.arrived();
        assert_eq!(Reply::one_param(arrived, "state"), request.param("state"));
        let code = Reply::one_param(arrived, "code");
        let tokens = world.token(&app, &code_grant(&code, &request.verifier)).await;
        assert_eq!(tokens.status, 200, "{}", tokens.body);
        assert_eq!(tokens.text("scope"), "openid profile email");
    }
}

/// A world whose application serves two connections of its tenant, and a request that names neither.
async fn open_question() -> (World, Application, Authorization) {
    let world = World::new().await;
    let second = connection(world.idp.issuer(), &json!({ "name": "Second" }));
    world.broker.put(&format!("/tenants/{}/connections/second", world.tenant), second).await;
    let app = register(&world.broker, "client_secret_post", &json!([world.tenant])).await;
    let request = world.authorization_of(&app, &world.tenant);
    (world, app, request)
}

/// A pushed request may leave the connection open: the person is asked, and the request waits for their answer. What is
/// on the page is its name, not what was pushed. TK-12.
#[tokio::test]
async fn a_pushed_request_waits_for_the_choice() {
    let (world, app, request) = open_question().await;
    let name = push(&world, &app, &request).await.text("request_uri");
    let mut browser = Browser::new();
    let page = browser.visit(&carried(&name, &app.id).url(&world.broker)).await;
    page.page().assert_page();
    assert!(page.page().body.contains("Continue with Second"), "{}", page.page().body);
    for pushed in ["redirect_uri", "state", "code_challenge", "nonce", request.param("state")] {
        assert!(!page.page().body.contains(pushed), "{pushed}: {}", page.page().body);
    }
    let again = browser.visit(&carried(&name, &app.id).url(&world.broker)).await;
    let at_provider = browser.submit(again.page(), &[("connection", "second")]).await;
    let visit = browser.submit(at_provider.page(), &[("username", ALICE), ("password", PASSWORD)]).await;
    assert_eq!(Reply::one_param(visit.arrived(), "state"), request.param("state"));
    let code = Reply::one_param(visit.arrived(), "code");
    assert_eq!(world.token(&app, &code_grant(&code, &request.verifier)).await.status, 200);
    let spent = Browser::new().submit(again.page(), &[("connection", "corp")]).await;
    assert!(spent.page().status.is_client_error(), "it began one login");
}

/// What comes beside the name counts as an answer only: never before a question, never against what was pushed, and
/// once for any number at the same time. TK-12, ED-1.
#[tokio::test]
async fn an_answer_cannot_change_what_was_pushed() {
    let (world, app, request) = open_question().await;
    let pushed = async |request: &Authorization| push(&world, &app, request).await.text("request_uri");
    let name = pushed(&request).await;
    let unasked = carried(&name, &app.id).with("connection", "second");
    let page = Browser::new().visit(&unasked.url(&world.broker)).await;
    assert!(page.page().body.contains("Continue with Second"), "nobody was asked yet");
    let other = World::new().await;
    for (parameter, value) in [
        ("redirect_uri", "https://evil.example/"),
        ("state", "evil"),
        ("prompt", "none"),
        ("tenant", other.tenant.as_str()),
        ("scope", "openid"),
    ] {
        let name = pushed(&request).await;
        Browser::new().visit(&carried(&name, &app.id).url(&world.broker)).await;
        let answer = carried(&name, &app.id).with("connection", "second").with(parameter, value);
        let visit = world.follow(&mut Browser::new(), &answer, ALICE).await;
        assert_eq!(Reply::one_param(visit.arrived(), "state"), request.param("state"), "{parameter}");
        let code = Reply::one_param(visit.arrived(), "code");
        let tokens = world.token(&app, &code_grant(&code, &request.verifier)).await;
        assert_eq!(tokens.text("scope"), "openid profile email", "{parameter}");
    }
    let named = pushed(&request.clone().with("connection", "corp")).await;
    let there = Browser::new().get(&carried(&named, &app.id).with("connection", "x").url(&world.broker)).await;
    assert!(there.location().is_some_and(|there| there.as_str().starts_with(world.idp.issuer())), "{}", there.body);
    let name = pushed(&request).await;
    Browser::new().visit(&carried(&name, &app.id).url(&world.broker)).await;
    let answers = (0..10).map(|_| async {
        let answer = carried(&name, &app.id).with("connection", "corp").url(&world.broker);
        Browser::new().get(&answer).await.location().is_some()
    });
    let started = futures_util::future::join_all(answers).await;
    assert_eq!(started.into_iter().filter(|started| *started).count(), 1, "of ten at once, one");
}

/// A name works once, for its own client, and only if it is one. TK-12.
#[tokio::test]
async fn a_name_works_once_and_for_its_client() {
    let world = World::new().await;
    let other = register(&world.broker, "client_secret_post", &json!([world.tenant])).await;
    let pushed = async || push(&world, &world.app, &world.authorization()).await.text("request_uri");
    let name = pushed().await;
    let refused = async |request: &Authorization| {
        let reply = Browser::new().get(&request.url(&world.broker)).await;
        reply.assert_error_page();
        assert!(reply.set_cookies().is_empty());
    };
    refused(&carried(&name, &other.id)).await;
    refused(&carried(&name, "nobody")).await;
    refused(&carried(&name, "").without("client_id")).await;
    refused(&carried(&name, &world.app.id).and("request_uri", &name)).await;
    let there = Browser::new().get(&carried(&name, &world.app.id).url(&world.broker)).await.location();
    assert!(there.is_some_and(|there| there.as_str().starts_with(world.idp.issuer())), "nobody else spent it");
    refused(&carried(&name, &world.app.id)).await;
    let half: String = name.chars().take(60).collect();
    for wrong in
        [half.as_str(), "x", "https://app.example/request", "urn:ietf:params:oauth:request_uri:", &"z".repeat(2000)]
    {
        refused(&carried(wrong, &world.app.id)).await;
    }
    let name = pushed().await;
    let starts = (0..20).map(|_| async {
        Browser::new().get(&carried(&name, &world.app.id).url(&world.broker)).await.location().is_some()
    });
    let started = futures_util::future::join_all(starts).await;
    assert_eq!(started.into_iter().filter(|started| *started).count(), 1, "of twenty at once, one");
}

/// The checks of the authorization endpoint are made when the request is pushed, as JSON. TK-12, AZ-1, TK-2.
#[tokio::test]
async fn what_could_not_start_cannot_be_pushed() {
    let world = World::new().await;
    let good = world.authorization();
    for (wrong, error) in [
        (good.clone().and("request_uri", "urn:ietf:params:oauth:request_uri:x"), "invalid_request"),
        (good.clone().and("request", "x.y.z"), "invalid_request"),
        (good.clone().with("redirect_uri", "https://evil.example/"), "invalid_request"),
        (good.clone().without("redirect_uri"), "invalid_request"),
        (good.clone().and("scope", "openid"), "invalid_request"),
        (good.clone().with("state", &"s".repeat(2000)), "invalid_request"),
        (good.clone().and("x", &"y".repeat(20_000)), "invalid_request"),
        (good.clone().without("code_challenge"), "invalid_request"),
        (good.clone().with("code_challenge_method", "plain"), "invalid_request"),
        (good.clone().with("prompt", "none login"), "invalid_request"),
        (good.clone().with("response_type", "token"), "unsupported_response_type"),
        (good.clone().with("scope", "email"), "invalid_scope"),
        (good.clone().with("client_id", "somebody-else"), "invalid_request"),
    ] {
        let reply = push(&world, &world.app, &wrong).await;
        assert_eq!((reply.status.as_u16(), reply.text("error").as_str()), (400, error), "{:?}", wrong.params);
        assert_eq!(reply.json().get("request_uri"), None);
    }
    let thief = |secret: &str, auth| Application { id: world.app.id.clone(), secret: Some(secret.to_owned()), auth };
    for app in [thief("wrong", "client_secret_basic"), thief("", "none"), thief("wrong", "client_secret_post")] {
        let reply = push(&world, &app, &good).await;
        assert_eq!((reply.status.as_u16(), reply.text("error").as_str()), (401, "invalid_client"), "{}", app.auth);
    }
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        assert_eq!(Reply::of(world.broker.request(method, "/oauth2/par")).await.status, 405);
    }
    let text = world.broker.request(Method::POST, "/oauth2/par").header("content-type", "application/json").body("{}");
    assert!(Reply::of(text).await.status.is_client_error());
}

/// A client that is registered to push cannot begin otherwise. TK-12 (RFC 9126 §6).
#[tokio::test]
async fn a_client_can_be_held_to_pushing() {
    let world = World::new().await;
    let app = Application { id: unique("app"), secret: None, auth: "none" };
    let body = json!({
        "name": "Pushes", "tenants": [world.tenant], "redirect_uris": [CALLBACK], "client_auth": "none",
        "require_pushed_requests": true,
    });
    world.broker.put(&format!("/clients/{}", app.id), body).await;
    let request = world.authorization_of(&app, &world.tenant);
    let there = Browser::new().get(&request.url(&world.broker)).await.location().expect("a redirect");
    assert_eq!(Reply::one_param(&there, "error"), "invalid_request");
    assert!(query_of(&there).iter().all(|(name, _)| name != "code"));
    let name = push(&world, &app, &request).await.text("request_uri");
    let visit = world.follow(&mut Browser::new(), &carried(&name, &app.id), ALICE).await;
    assert!(!Reply::one_param(visit.arrived(), "code").is_empty());
    let document = world.broker.get("/.well-known/oauth-authorization-server").await.json();
    let endpoint = document.get("pushed_authorization_request_endpoint");
    assert_eq!(endpoint, Some(&Value::from(world.broker.at("/oauth2/par"))));
}
