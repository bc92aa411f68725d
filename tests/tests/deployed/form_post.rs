//! Providers whose page lets the browser post the answer (OAuth 2.0 Form Post Response Mode). The provider is another
//! site than the broker, so the form carries no cookie but one that is `SameSite=None`.

use http::Method;
use serde_json::json;
use vestibule_testkit::Lie;
use vestibule_tests::cookie::SameSite;
use vestibule_tests::form::Form;
use vestibule_tests::world::{ALICE, PASSWORD, code_grant, connection};
use vestibule_tests::{Browser, Reply, World};

/// A world whose tenant has a second connection, `form`, with the same provider.
async fn world() -> World {
    let world = World::new().await;
    let body = connection(world.idp.issuer(), &json!({ "response_mode": "form_post" }));
    let shown = world.broker.put(&format!("/tenants/{}/connections/form", world.tenant), body).await;
    assert_eq!(shown["response_mode"], "form_post");
    world
}

/// Signs alice in at the provider through this connection, up to the page with the answer or to what comes of it.
async fn answer(world: &World, browser: &mut Browser, connection: &str) -> Reply {
    let request = world.authorization().with("connection", connection);
    let visit = world.follow(browser, &request, ALICE).await;
    visit.last().clone()
}

/// The answer's fields.
fn fields(page: &Reply) -> Vec<(String, String)> {
    let form = Form::all(&page.body).into_iter().next().unwrap_or_else(|| panic!("no form: {}", page.body));
    assert!(form.post && form.action.ends_with("/oauth2/callback"), "{form:?}");
    form.fields
}

fn encode(fields: &[(String, String)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Posts a body to the callback with all of a browser's cookies, as only a page of the broker's own site could.
async fn post(world: &World, browser: &Browser, body: String) -> Reply {
    let address = world.broker.at("/oauth2/callback");
    let cookies = browser.cookies(&address).into_iter().map(|cookie| format!("{}={}", cookie.name, cookie.value));
    let request = world.broker.request(Method::POST, "/oauth2/callback");
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
    Reply::of(request.header("cookie", cookies.collect::<Vec<_>>().join("; "))).await
}

fn assert_no_session(reply: &Reply, what: &str) {
    assert!(!reply.set_cookies().iter().any(|cookie| cookie.starts_with("__Host-session=")), "{what}");
    assert_eq!(reply.header("location"), None, "{what}");
    reply.assert_page();
}

/// The whole sign-in. The cookie of this login is for requests from everywhere, all others stay as they are. RP-1, CK-6.
#[tokio::test]
async fn a_posted_answer_signs_somebody_in() {
    let world = world().await;
    let mut browser = Browser::new();
    // Another tab, through the other connection.
    browser.visit(&world.authorization().with("connection", "corp").url(&world.broker)).await;
    let request = world.authorization().with("connection", "form");
    let visit = browser.visit(&request.url(&world.broker)).await;
    assert_eq!(Reply::one_param(&visit.last().url, "response_mode"), "form_post");
    let logins = browser.cookies(&world.broker.url).into_iter().map(|cookie| (cookie.same_site, cookie.secure));
    assert_eq!(logins.collect::<Vec<_>>(), [(SameSite::Lax, true), (SameSite::None, true)]);

    let page = browser.submit(visit.last(), &[("username", ALICE), ("password", PASSWORD)]).await.page().clone();
    let visit = browser.submit(&page, &[]).await;
    assert_eq!(visit.last().status, 303, "the form ends here: {}", visit.last().body);
    assert_eq!(Reply::one_param(visit.arrived(), "state"), request.param("state"));
    let code = Reply::one_param(visit.arrived(), "code");
    let reply = world.token(&world.app, &code_grant(&code, &request.verifier)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let kept = browser.cookies(&world.broker.url).into_iter();
    let kept: Vec<_> = kept.map(|cookie| (cookie.name.starts_with("__Host-login-"), cookie.same_site)).collect();
    assert_eq!(kept, [(true, SameSite::Lax), (false, SameSite::Lax)], "the other tab's login, and the session");
    browser.submit(&page, &[]).await.page().assert_error_page();
}

/// What the provider refuses comes by form too, and reaches the application. RP-1.
#[tokio::test]
async fn a_posted_refusal_reaches_the_application() {
    let world = world().await;
    world.idp.lie(Lie::AccessDenied);
    let mut browser = Browser::new();
    let page = browser.visit(&world.authorization().with("connection", "form").url(&world.broker)).await;
    let visit = browser.submit(page.page(), &[]).await;
    assert_eq!(Reply::one_param(visit.arrived(), "error"), "access_denied");
    for lie in [Lie::CallbackOtherIssuer, Lie::CallbackWithoutIssuer] {
        world.idp.be_honest();
        world.idp.lie(lie);
        let mut browser = Browser::new();
        let page = answer(&world, &mut browser, "form").await;
        assert_no_session(browser.submit(&page, &[]).await.page(), "mix-up");
    }
}

/// An answer counts in the mode that was asked for: a code that should be in no address is not taken from one, and no
/// form brings a code to a login that waits for a redirect. RP-1, RP-3.
#[tokio::test]
async fn an_answer_in_another_mode_is_refused() {
    let world = world().await;
    let mut browser = Browser::new();
    let page = answer(&world, &mut browser, "form").await;
    let address = format!("{}?{}", world.broker.at("/oauth2/callback"), encode(&fields(&page)));
    let reply = browser.get(&address).await;
    assert_eq!(reply.status, 502, "{}", reply.body);
    assert_no_session(&reply, "by redirect");
    browser.submit(&page, &[]).await.page().assert_error_page();

    let request = world.authorization().with("connection", "corp");
    let start = browser.get(&request.url(&world.broker)).await;
    let back = world.idp.sign_in(start.location().expect("a redirect").as_str(), ALICE).await.expect("an answer");
    let (callback, form) = back.split_once('?').expect("a query");
    let posed = Reply { body: format!("<form method=\"post\" action=\"{callback}\"></form>"), ..page };
    let sent: Vec<(String, String)> = url::form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    let sent: Vec<(&str, &str)> = sent.iter().map(|(name, value)| (&**name, &**value)).collect();
    browser.submit(&posed, &sent).await.page().assert_error_page();
    let reply = post(&world, &browser, form.to_owned()).await;
    assert_eq!(reply.status, 502, "with the cookie: {}", reply.body);
    assert_no_session(&reply, "by form");
}

/// Forms without their login, too large, with something twice, or no forms at all. RP-1, AZ-2, AZ-13.
#[tokio::test]
async fn broken_forms_are_refused() {
    let world = world().await;
    let mut browser = Browser::new();
    let page = answer(&world, &mut browser, "form").await;
    Browser::new().submit(&page, &[]).await.page().assert_error_page();
    let good = encode(&fields(&page));
    let field = |name: &str| fields(&page).into_iter().find(|(key, _)| key == name).expect("a field").1;
    for (body, what) in [
        (String::new(), "nothing"),
        (format!("{good}&state={}", field("state")), "two states"),
        (format!("{good}&x={}", "y".repeat(70_000)), "too large"),
        (format!("{good}&x=%zz"), "not encoded"),
        (good.replace("state=", "other="), "no state"),
        (good.replace(&field("state"), "never-started"), "another state"),
    ] {
        let reply = post(&world, &browser, body).await;
        reply.assert_error_page();
        assert_no_session(&reply, what);
        assert!(!reply.body.contains(&field("code")), "{what}: {}", reply.body);
    }
    let request = world.broker.request(Method::POST, "/oauth2/callback");
    let request = request.header("content-type", "application/json").body(good.clone());
    Reply::of(request).await.assert_error_page();
    let request = world.broker.request(Method::POST, &format!("/oauth2/callback?{good}"));
    Reply::of(request.header("content-type", "application/x-www-form-urlencoded")).await.assert_error_page();

    // Each of these ends the login that it names.
    for (name, value) in [("code", "&code=x"), ("iss", "&iss=x"), ("error", "&error=x&error=y")] {
        let mut browser = Browser::new();
        let page = answer(&world, &mut browser, "form").await;
        let reply = post(&world, &browser, format!("{}{value}", encode(&fields(&page)))).await;
        reply.assert_error_page();
        assert_no_session(&reply, name);
    }
    let visit = browser.submit(&page, &[]).await;
    assert!(!Reply::one_param(visit.arrived(), "code").is_empty(), "the good one was not spent");
}
