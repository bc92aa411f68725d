//! Signing out at the broker: who may ask for it, where it leads, and what is over afterwards.

use http::Method;
use serde_json::json;
use vestibule_testkit::Lie;
use vestibule_tests::form::Form;
use vestibule_tests::world::{SIGNED_OUT, connection, member, register};
use vestibule_tests::{Browser, Reply, World};

fn logout(world: &World, params: &[(&str, &str)]) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
    world.broker.at(&format!("/oauth2/logout?{query}"))
}

fn session(browser: &Browser, world: &World) -> Option<String> {
    let cookies = browser.cookies(&world.broker.url);
    cookies.iter().find(|cookie| cookie.name == "__Host-session").map(|cookie| cookie.value.clone())
}

/// With a hint and a registered address the browser goes there at once, with the state; the session is over, in the
/// browser and in the store. LO-1, LO-8.
#[tokio::test]
async fn an_application_signs_somebody_out() {
    let world = World::new().await;
    let mut browser = Browser::new();
    let tokens = world.tokens_in(&mut browser).await;
    let state = "a b&c=d/é";
    let hint = member(&tokens, "id_token");
    let address =
        logout(&world, &[("id_token_hint", &hint), ("post_logout_redirect_uri", SIGNED_OUT), ("state", state)]);
    let visit = browser.visit(&address).await;
    let arrived = visit.arrived();
    assert!(arrived.as_str().starts_with(SIGNED_OUT), "{arrived}");
    assert_eq!(Reply::one_param(arrived, "state"), state);
    let removed = visit.hops.iter().flat_map(Reply::set_cookies).find(|cookie| cookie.starts_with("__Host-session="));
    let removed = removed.expect("the cookie is removed").to_ascii_lowercase();
    for attribute in ["secure", "httponly", "samesite=lax", "path=/", "max-age=0"] {
        assert!(removed.contains(attribute), "{attribute} in {removed}");
    }
    assert_eq!(session(&browser, &world), None);
    let refresh = world.refresh(&member(&tokens, "refresh_token")).await;
    assert_eq!((refresh.status.as_u16(), refresh.text("error").as_str()), (400, "invalid_grant"));
    assert_eq!(world.userinfo(&tokens).await.status, 401);
}

/// By POST as well, for hints that are too long for an address. LO-1.
#[tokio::test]
async fn an_application_may_ask_by_post() {
    let world = World::new().await;
    let tokens = world.tokens().await;
    let hint = member(&tokens, "id_token");
    let form = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", SIGNED_OUT), ("state", "s")];
    let reply = Reply::of(world.broker.request(Method::POST, "/oauth2/logout").form(&form)).await;
    assert_eq!(reply.status, 303, "{}", reply.body);
    let there = reply.location().expect("a redirect");
    assert!(there.as_str().starts_with(SIGNED_OUT), "{there}");
    assert_eq!(world.refresh(&member(&tokens, "refresh_token")).await.status, 400);
}

/// Whoever signs out is out, though their provider answers nobody, or their connection is disabled or gone. LO-2, LO-8.
#[tokio::test]
async fn signing_out_needs_no_provider() {
    for what in ["silent", "disabled", "removed"] {
        let world = World::new().await;
        let mut browser = Browser::new();
        let tokens = world.tokens_in(&mut browser).await;
        for lie in [Lie::DiscoveryDown, Lie::JwksDown, Lie::TokenEndpointFails] {
            world.idp.lie(lie);
        }
        let corp = format!("/tenants/{}/connections/corp", world.tenant);
        match what {
            "disabled" => {
                drop(world.broker.put(&corp, connection(world.idp.issuer(), &json!({ "enabled": false }))).await);
            }
            "removed" => assert_eq!(world.broker.admin(Method::DELETE, &corp, None).await.status, 204),
            _ => {}
        }
        let hint = member(&tokens, "id_token");
        let address = logout(&world, &[("id_token_hint", &hint), ("post_logout_redirect_uri", SIGNED_OUT)]);
        let visit = browser.visit(&address).await;
        assert!(visit.arrived().as_str().starts_with(SIGNED_OUT), "{what}");
        assert_eq!(session(&browser, &world), None, "{what}");
        assert_eq!(world.refresh(&member(&tokens, "refresh_token")).await.status, 400, "{what}");
        assert_eq!(world.userinfo(&tokens).await.status, 401, "{what}");
    }
}

/// An address that is not registered, character by character, or registered for somebody else, is never gone to.
/// LO-1, AZ-14.
#[tokio::test]
async fn logout_is_no_open_redirect() {
    let world = World::new().await;
    let other = register(&world.broker, "none", &json!([world.tenant])).await;
    let body = json!({
        "name": "Another application",
        "tenants": [world.tenant],
        "redirect_uris": ["https://other.example/callback"],
        "post_logout_redirect_uris": ["https://other.example/bye"],
        "client_auth": "none",
    });
    world.broker.put(&format!("/clients/{}", other.id), body).await;
    for address in [
        "https://evil.example/",
        "https://other.example/bye",
        "https://app.example/signed-out/",
        "https://app.example/signed-out?x=1",
        "https://app.example/callback",
        "//evil.example",
        "/",
        "javascript:alert(1)",
        "",
    ] {
        let mut browser = Browser::new();
        let hint = member(&world.tokens_in(&mut browser).await, "id_token");
        let params = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", address), ("state", "s")];
        let reply = browser.get(&logout(&world, &params)).await;
        assert_eq!(reply.location(), None, "{address}");
        assert!(!reply.status.is_server_error(), "{address}: {}", reply.status);
        reply.assert_page();
        assert!(!reply.body.contains("evil.example"), "what was sent is not shown");
    }
    let hint = member(&world.tokens().await, "id_token");
    let params = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", SIGNED_OUT), ("client_id", &other.id)];
    let reply = Browser::new().get(&logout(&world, &params)).await;
    assert_eq!(reply.location(), None, "the hint was given to another client");
}

/// Without a hint anybody could have sent the browser here: it asks first. LO-1, CK-7.
#[tokio::test]
async fn without_a_hint_the_person_is_asked() {
    let world = World::new().await;
    let mut browser = Browser::new();
    let tokens = world.tokens_in(&mut browser).await;
    let before = session(&browser, &world);
    let visit = browser.visit(&logout(&world, &[])).await;
    let page = visit.page().clone();
    assert_eq!(page.status, 200);
    page.assert_page();
    assert_eq!(session(&browser, &world), before, "nothing has happened yet");
    let tokens = world.refresh(&member(&tokens, "refresh_token")).await.json();
    let visit = browser.submit(&page, &[]).await;
    assert!(visit.page().status.is_success(), "{} {}", visit.page().status, visit.page().body);
    assert_eq!(session(&browser, &world), None);
    assert_eq!(world.refresh(&member(&tokens, "refresh_token")).await.status, 400);
}

/// A form on another site cannot sign anybody out. CK-7.
#[tokio::test]
async fn another_site_cannot_sign_somebody_out() {
    let world = World::new().await;
    let mut browser = Browser::new();
    let tokens = world.tokens_in(&mut browser).await;
    let mut evil = browser.visit(&logout(&world, &[])).await.page().clone();
    let form = Form::all(&evil.body).into_iter().next().expect("the question is a form");
    let target = evil.url.join(&form.action).expect("an address");
    evil.url = url::Url::parse("http://127.0.0.1:9/").expect("an address");
    let fields = form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>();
    evil.body = format!("<form method=\"post\" action=\"{target}\"></form>");
    // With its own name as the origin, and with none: whoever writes the page decides which.
    browser.submit(&evil, &fields).await;
    evil.headers.remove("referrer-policy");
    browser.submit(&evil, &fields).await;
    assert_eq!(world.refresh(&member(&tokens, "refresh_token")).await.status, 200);
}

/// A hint that is none: no redirect, no logout, no error of ours. LO-1, AZ-13.
#[tokio::test]
async fn a_bad_hint_is_no_hint() {
    let world = World::new().await;
    let mut browser = Browser::new();
    let tokens = world.tokens_in(&mut browser).await;
    let good = member(&tokens, "id_token");
    let parts: Vec<&str> = good.split('.').collect();
    let [header, body, _] = parts[..] else { panic!("a compact token") };
    let access = member(&tokens, "access_token");
    for hint in ["", "x", "a.b.c", &format!("{header}.{body}."), &format!("{header}.{body}.AAAA"), &access] {
        let params = [("id_token_hint", hint), ("post_logout_redirect_uri", SIGNED_OUT), ("state", "s")];
        let reply = browser.get(&logout(&world, &params)).await;
        assert_eq!(reply.location(), None, "{hint}");
        assert!(!reply.status.is_server_error(), "{hint}: {}", reply.status);
    }
    assert_eq!(world.refresh(&member(&tokens, "refresh_token")).await.status, 200);
}
