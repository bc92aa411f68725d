//! The tenant's webhook at its checkpoint: signed, bounded, and never in a position to become somebody else.

use http::Method;
use serde_json::{Value, json};
use vestibule_testkit::relying_party::payload;
use vestibule_tests::browser::Visit;
use vestibule_tests::webhook::{Answer, FakeWebhook};
use vestibule_tests::world::{ALICE, member};
use vestibule_tests::{Browser, Reply, World};

/// A world with a webhook, its secret, and these members of the checkpoint too.
async fn hooked(more: &Value) -> (World, FakeWebhook, String) {
    let (world, hook) = (World::new().await, FakeWebhook::new().await);
    set(&world, &hook.url, more).await;
    let secret = rotate(&world).await;
    (world, hook, secret)
}

async fn set(world: &World, url: &str, more: &Value) {
    let mut checkpoint = json!({ "webhook": { "url": url } });
    if let (Some(members), Some(more)) = (checkpoint.as_object_mut(), more.as_object()) {
        members.extend(more.clone());
    }
    let tenant = json!({ "name": "A tenant", "checkpoint": checkpoint });
    world.broker.put(&format!("/tenants/{}", world.tenant), tenant).await;
}

async fn rotate(world: &World) -> String {
    let path = format!("/tenants/{}/webhook-secret", world.tenant);
    let made = world.broker.admin(Method::POST, &path, None).await;
    assert_eq!(made.status, 200, "{}", made.body);
    made.text("secret")
}

async fn sign_in(world: &World, browser: &mut Browser) -> Visit {
    world.follow(browser, &world.authorization(), ALICE).await
}

fn has_session(browser: &Browser, world: &World) -> bool {
    browser.cookies(&world.broker.url).iter().any(|cookie| cookie.name == "__Host-session")
}

/// It is told who signs in where, in a signed message; what it adds is in the ID token and in userinfo, and stays there.
#[tokio::test]
async fn a_webhook_allows_and_adds_claims() {
    let (world, hook, secret) = hooked(&json!({})).await;
    hook.says_json(&json!({ "decision": "allow", "claims": { "roles": ["ops"], "https://corp.example/level": 3 } }));
    let tokens = world.tokens().await;
    let calls = hook.calls();
    assert_eq!(calls.len(), 1, "one sign-in, one question");
    let call = &calls[0];
    assert_eq!((call.signatures_by(&secret), call.signatures_by("whsec_AAAA")), (1, 0));
    assert!(call.header("webhook-id").starts_with("msg_") && call.header("webhook-timestamp").parse::<u64>().is_ok());
    assert_eq!(call.header("content-type"), "application/json");
    assert_eq!((call.at("/type"), call.at("/data/tenant")), (json!("sign_in.requested"), json!(world.tenant)));
    assert_eq!((call.at("/data/client"), call.at("/data/profile/email")), (json!(world.app.id), json!(ALICE)));
    let claims = payload(&member(&tokens, "id_token")).expect("claims");
    assert_eq!((&claims["sub"], &claims["roles"]), (&call.at("/data/user"), &json!(["ops"])));
    assert_eq!(claims["https://corp.example/level"], 3);
    assert_eq!(world.userinfo(&tokens).await.json()["roles"], json!(["ops"]));
    assert_eq!(payload(&member(&tokens, "access_token")).expect("claims").get("roles"), None);
    let refreshed = world.refresh(&member(&tokens, "refresh_token")).await.json();
    assert_eq!(payload(&member(&refreshed, "id_token")).expect("claims")["roles"], json!(["ops"]));
    assert!(hook.calls().is_empty(), "a refresh is no sign-in");
}

/// A refusal is a page where the webhook has something to say, and `access_denied` for the application in any case.
#[tokio::test]
async fn a_webhook_refuses() {
    let (world, hook, _) = hooked(&json!({})).await;
    hook.says_json(&json!({ "decision": "refuse", "claims": { "a": 1 } }));
    let mut browser = Browser::new();
    let visit = sign_in(&world, &mut browser).await;
    assert_eq!(Reply::one_param(visit.arrived(), "error"), "access_denied");
    hook.says_json(&json!({ "decision": "refuse", "message": "<script>alert(1)</script>\n Ask the desk." }));
    let request = world.authorization();
    let visit = world.follow(&mut browser, &request, ALICE).await;
    let page = visit.page();
    page.assert_page();
    assert_eq!(page.status, 403);
    assert!(page.body.contains("&lt;script&gt;alert(1)&lt;/script&gt; Ask the desk."), "{}", page.body);
    assert!(!page.body.contains("<script>"));
    let (_, link) = page.body.split_once("href=\"").expect("a link");
    let back = link.split('"').next().expect("an address").replace("&amp;", "&");
    let back = url::Url::parse(&back).expect("an address");
    assert!(back.as_str().starts_with(vestibule_tests::world::CALLBACK));
    assert_eq!(Reply::one_param(&back, "error"), "access_denied");
    assert_eq!(Reply::one_param(&back, "state"), request.param("state"));
    assert!(!has_session(&browser, &world));
}

/// Whatever is not an answer within the rules lets nobody in, unless the tenant wants it to: no answer, another status,
/// a redirect, no JSON, too much of it, reserved claims.
#[tokio::test]
async fn a_failure_refuses_unless_it_is_to_allow() {
    let (world, hook, _) = hooked(&json!({})).await;
    let (open, open_hook, _) = hooked(&json!({})).await;
    set(&open, &open_hook.url, &json!({ "webhook": { "url": open_hook.url, "on_failure": "allow" } })).await;
    let text = |text: &str| Answer::Text(text.to_owned());
    let claims = |claims: Value| Answer::Text(json!({ "decision": "allow", "claims": claims }).to_string());
    for failure in [
        Answer::Status(500),
        Answer::Status(307),
        Answer::Status(201),
        text(""),
        text("allow"),
        text(r#"{"decision":"perhaps"}"#),
        text(r#"{"decision":"allow","admin":true}"#),
        claims(json!({ "sub": "somebody-else" })),
        claims(json!({ "Email": "ceo@corp.example" })),
        claims(json!({ "x": "y".repeat(3000) })),
        text(&format!(r#"{{"decision":"allow"{}}}"#, " ".repeat(20_000))),
        Answer::Silence,
    ] {
        hook.says(failure.clone());
        open_hook.says(failure.clone());
        let (mut browser, mut let_in) = (Browser::new(), Browser::new());
        let (refused, allowed) = tokio::join!(sign_in(&world, &mut browser), sign_in(&open, &mut let_in));
        assert_eq!(Reply::one_param(refused.arrived(), "error"), "temporarily_unavailable", "{failure:?}");
        assert!(!has_session(&browser, &world), "{failure:?}");
        assert!(!Reply::one_param(allowed.arrived(), "code").is_empty(), "{failure:?}");
    }
    let lost = World::new().await;
    set(&lost, "http://127.0.0.1:1/nobody", &json!({})).await;
    rotate(&lost).await;
    let visit = sign_in(&lost, &mut Browser::new()).await;
    assert_eq!(Reply::one_param(visit.arrived(), "error"), "temporarily_unavailable", "nobody listens");
}

/// Without a secret there is nothing to sign with, and nobody is asked; a new one signs beside the one before.
#[tokio::test]
async fn the_secret_is_made_here_shown_once_and_replaced() {
    let (world, hook) = (World::new().await, FakeWebhook::new().await);
    set(&world, &hook.url, &json!({})).await;
    let visit = sign_in(&world, &mut Browser::new()).await;
    assert_eq!(Reply::one_param(visit.arrived(), "error"), "temporarily_unavailable");
    assert!(hook.calls().is_empty());
    let path = format!("/tenants/{}/webhook-secret", world.tenant);
    assert_eq!(world.broker.admin(Method::GET, &path, None).await.status, 404);
    let (first, second) = (rotate(&world).await, rotate(&world).await);
    assert!(first != second && first.starts_with("whsec_") && first.len() == 50, "256 bits: {first}");
    let shown = world.broker.admin(Method::GET, &path, None).await;
    assert!(!shown.body.contains("secret\"") && shown.json()["previous_until"].is_i64(), "{}", shown.body);
    let tenant = world.broker.admin(Method::GET, &format!("/tenants/{}", world.tenant), None).await;
    assert!(!tenant.body.contains("whsec_") && !tenant.body.contains(&second));
    world.tokens().await;
    let calls = hook.calls();
    assert_eq!((calls[0].signatures_by(&second), calls[0].signatures_by(&first)), (1, 1));
    assert_eq!(world.broker.admin(Method::POST, "/tenants/nobody-here/webhook-secret", None).await.status, 404);
    let unknown = world.broker.request(Method::POST, &format!("/admin/v1{path}"));
    assert_eq!(Reply::of(unknown).await.status, 401);
}

/// It is asked after the person, and told what they said.
#[tokio::test]
async fn the_person_is_asked_first() {
    let (world, hook, _) = hooked(&json!({ "justification": {} })).await;
    let mut browser = Browser::new();
    let page = sign_in(&world, &mut browser).await;
    assert!(page.page().url.path().ends_with("/oauth2/checkpoint") && hook.calls().is_empty());
    hook.says_json(&json!({ "decision": "refuse", "message": "Not a good reason." }));
    let visit = browser.submit(page.page(), &[("justification", "Because I want to.")]).await;
    assert!(visit.page().body.contains("Not a good reason."), "{}", visit.page().body);
    assert_eq!(hook.calls()[0].at("/data/justification"), "Because I want to.");
    assert!(!has_session(&browser, &world));
    let again = browser.submit(page.page(), &[("justification", "Because I have to.")]).await;
    assert!(again.page().status.is_client_error() && hook.calls().is_empty(), "refused is refused");
}

/// A session asks once or with each sign-in; nothing is shown to a silent request.
#[tokio::test]
async fn a_session_asks_once_or_every_time() {
    for (when, asked) in [("once_per_session", 0), ("every_sign_in", 2)] {
        let (world, hook, _) = hooked(&json!({ "when": when })).await;
        let mut browser = Browser::new();
        world.tokens_in(&mut browser).await;
        assert_eq!(hook.calls()[0].at("/data/session_continued"), false);
        let silent = world.authorization().with("prompt", "none");
        let visit = browser.visit(&silent.url(&world.broker)).await;
        assert!(!Reply::one_param(visit.arrived(), "code").is_empty());
        hook.says_json(&json!({ "decision": "refuse", "message": "Not now." }));
        let visit = browser.visit(&silent.url(&world.broker)).await;
        let expected = if asked == 0 { "code" } else { "error" };
        assert!(!Reply::one_param(visit.arrived(), expected).is_empty(), "{when}");
        let calls = hook.calls();
        assert_eq!(calls.len(), asked, "{when}");
        assert!(calls.iter().all(|call| call.at("/data/session_continued") == true));
    }
}

/// An address that the egress policy forbids cannot be set. RP-7, ED-9.
#[tokio::test]
async fn addresses_that_are_not_to_be_asked_are_refused() {
    let world = World::new().await;
    for wrong in [
        "",
        "hook",
        "http://hook.example/",
        "ftp://hook.example/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[fd00::1]/",
        "https://me@hook.example/",
        "https://hook.example/#x",
    ] {
        let body = json!({ "name": "A tenant", "checkpoint": { "webhook": { "url": wrong } } });
        let reply = world.broker.admin(Method::PUT, &format!("/tenants/{}", world.tenant), Some(&body)).await;
        assert_eq!(reply.status, 400, "{wrong}: {}", reply.body);
        assert!(reply.body.contains("/checkpoint/webhook/url"), "{wrong}: {}", reply.body);
    }
}
