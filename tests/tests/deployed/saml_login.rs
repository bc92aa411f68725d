//! Providers that speak SAML. They are another site than the broker and post their answers, so no cookie comes along but one
//! that is `SameSite=None`.

use futures_util::future::join_all;
use http::Method;
use serde_json::{Value, json};
use vestibule_protocol::time::Seconds;
use vestibule_testkit::{Asked, FakeSamlIdp, Says, Signs};
use vestibule_tests::cookie::SameSite;
use vestibule_tests::platform::{clock, crypto, random, unique};
use vestibule_tests::saml_world::SamlWorld;
use vestibule_tests::world::{ALICE, member};
use vestibule_tests::{Browser, Reply};

fn has_session(browser: &Browser, world: &SamlWorld) -> bool {
    browser.cookies(&world.world.broker.url).iter().any(|cookie| cookie.name == "__Host-session")
}

/// The whole sign-in, in a browser with another login under way. CK-6: the one cookie that other sites' forms bring is the
/// login's, for ten minutes. SA-16, SA-18.
#[tokio::test]
async fn somebody_signs_in() {
    let world = SamlWorld::new(&json!({ "sign_requests": true })).await;
    let mut browser = Browser::new();
    browser.visit(&world.world.authorization().with("connection", "corp").url(&world.world.broker)).await;
    let request = world.authorization();
    let asked = world.ask(&mut browser, &request).await;
    let kept = browser.cookies(&world.world.broker.url).into_iter().map(|cookie| (cookie.same_site, cookie.max_age));
    assert_eq!(kept.collect::<Vec<_>>(), [(SameSite::Lax, Some(600)), (SameSite::None, Some(600))]);
    assert_eq!((asked.acs.as_str(), asked.to.as_str()), (world.acs("saml").as_str(), "https://saml.example/sso"));
    assert!(asked.relay_state.as_ref().is_some_and(|state| state.len() <= 80), "{asked:?}");

    let page = world.page(&world.idp.says(&asked, ALICE), &asked.acs, asked.relay_state.as_deref()).await;
    let visit = browser.submit(&page, &[]).await;
    assert_eq!(visit.last().status, 303, "the form ends here: {}", visit.last().body);
    assert_eq!(Reply::one_param(visit.arrived(), "state"), request.param("state"));
    let reply = world.world.redeem(&request, &Reply::one_param(visit.arrived(), "code")).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let again = world.world.refresh(&member(&reply.json(), "refresh_token")).await;
    assert_eq!(again.status, 200, "{}", again.body);
    let kept = browser.cookies(&world.world.broker.url).into_iter();
    let kept: Vec<_> = kept.map(|cookie| (cookie.name.starts_with("__Host-login-"), cookie.same_site)).collect();
    assert_eq!(kept, [(true, SameSite::Lax), (false, SameSite::Lax)], "the other tab's login, and the session");
    browser.submit(&page, &[]).await.page().assert_error_page();
    // The session signs in to the next application without the provider.
    let visit = browser.visit(&world.authorization().with("prompt", "none").url(&world.world.broker)).await;
    assert!(!Reply::one_param(visit.arrived(), "code").is_empty());
}

/// SA-8 to SA-12: what is not as it must be signs nobody in and leads nowhere.
#[tokio::test]
async fn whatever_is_wrong_is_refused() {
    let world = SamlWorld::new(&json!({})).await;
    let others = FakeSamlIdp::new(world.idp.entity_id(), crypto(), clock(), random()).await.expect("a provider");
    let other = || "https://other.example/".to_owned();
    let wrong: [fn(Says, String) -> Says; 9] = [
        |says, _| Says { signs: Signs::Nothing, ..says },
        |says, other| Says { issuer: other, ..says },
        |says, other| Says { audience: other, ..says },
        |says, other| Says { destination: other, ..says },
        |says, other| Says { recipient: other, ..says },
        |says, other| Says { in_response_to: Some(other), ..says },
        |says, _| Says { in_response_to: None, ..says },
        |says, _| says.ago(400),
        |says, _| says.ago(-100),
    ];
    for (index, change) in wrong.into_iter().enumerate() {
        let mut browser = Browser::new();
        let asked = world.ask(&mut browser, &world.authorization()).await;
        let says = change(world.idp.says(&asked, ALICE), other());
        let visit = world.answer(&mut browser, &says, &asked).await;
        visit.page().assert_page();
        assert!(visit.page().status.as_u16() >= 400 && !has_session(&browser, &world), "{index}");
    }
    let mut browser = Browser::new();
    let asked = world.ask(&mut browser, &world.authorization()).await;
    let says = world.idp.says(&asked, ALICE);
    let good = world.page(&says, &asked.acs, asked.relay_state.as_deref()).await;
    let forged = FakeSamlIdp::posted(&others.response(&says).await.expect("a response"));
    browser.submit(&good, &[("SAMLResponse", &forged)]).await.page().assert_page();
    assert!(!has_session(&browser, &world), "another key");
    let users = world.world.broker.admin(Method::GET, &format!("/tenants/{}/users", world.world.tenant), None).await;
    assert_eq!(users.json()["items"], json!([]), "nobody was created");
}

/// SA-12: an answer counts in the browser that asked, at the connection and the tenant that it asked through.
#[tokio::test]
async fn an_answer_belongs_to_one_login() {
    let (world, elsewhere) = (SamlWorld::new(&json!({})).await, SamlWorld::new(&json!({})).await);
    world.connect("second", &json!({})).await;
    for acs in [world.acs("second"), world.acs("corp"), elsewhere.acs("saml"), elsewhere.acs("nobody")] {
        let mut browser = Browser::new();
        let asked = world.ask(&mut browser, &world.authorization()).await;
        // Meant for that one in all that it says: it is the login that is another's.
        let nobody = Asked::nothing(acs.trim_end_matches("/acs"), &acs);
        let says = Says { in_response_to: Some(asked.id.clone()), ..world.idp.says(&nobody, ALICE) };
        let page = world.page(&says, &acs, asked.relay_state.as_deref()).await;
        browser.submit(&page, &[]).await.page().assert_error_page();
        assert!(!has_session(&browser, &world), "{acs}");
    }
    let (mut one, mut two) = (Browser::new(), Browser::new());
    let asked = world.ask(&mut one, &world.authorization()).await;
    let theirs = world.ask(&mut two, &world.authorization()).await;
    let says = world.idp.says(&asked, ALICE);
    for relay_state in [asked.relay_state.as_deref(), theirs.relay_state.as_deref(), None] {
        let page = world.page(&says, &asked.acs, relay_state).await;
        browser_is_refused(&world, &mut two, &page).await;
    }
    assert!(!Reply::one_param(world.answer(&mut one, &says, &asked).await.arrived(), "code").is_empty());
}

async fn browser_is_refused(world: &SamlWorld, browser: &mut Browser, page: &Reply) {
    browser.submit(page, &[]).await.page().assert_page();
    assert!(!has_session(browser, world));
}

/// SA-13, ED-1: of many posts of one response at once, in whatever processes, one signs in.
#[tokio::test]
async fn an_assertion_counts_once() {
    let world = SamlWorld::new(&json!({})).await;
    let mut browser = Browser::new();
    let asked = world.ask(&mut browser, &world.authorization()).await;
    let page = world.page(&world.idp.says(&asked, ALICE), &asked.acs, asked.relay_state.as_deref()).await;
    let mut tabs: Vec<Browser> = (0..12).map(|_| browser.clone()).collect();
    join_all(tabs.iter_mut().map(|tab| tab.submit(&page, &[]))).await;
    assert_eq!(tabs.iter().filter(|tab| has_session(tab, &world)).count(), 1);
    assert!(!has_session(&browser, &world));
    browser_is_refused(&world, &mut browser, &page).await;
}

/// SA-14: our session is no longer than the provider's.
#[tokio::test]
async fn a_session_ends_with_the_providers() {
    let world = SamlWorld::new(&json!({})).await;
    let mut browser = Browser::new();
    let asked = world.ask(&mut browser, &world.authorization()).await;
    let says = world.idp.says(&asked, ALICE);
    let says = Says { session_ends: Some(says.issued_at + Seconds(1_000)), ..says };
    world.answer(&mut browser, &says, &asked).await.arrived();
    let cookies = browser.cookies(&world.world.broker.url);
    let session = cookies.iter().find(|cookie| cookie.name == "__Host-session").expect("a session");
    assert!(session.max_age.is_some_and(|life| (900..=1_000).contains(&life)), "{session:?}");
}

/// A form that is larger than a response can be is not read; one that is as large as a response of somebody with very many
/// groups is. SA-1, AZ-13.
#[tokio::test]
async fn large_forms_have_a_limit() {
    let world = SamlWorld::new(&json!({})).await;
    let mut browser = Browser::new();
    let asked = world.ask(&mut browser, &world.authorization()).await;
    let group = "x".repeat(60);
    let groups: Vec<&str> = (0..700).map(|_| group.as_str()).collect();
    let says = world.idp.says(&asked, ALICE).with("groups", &groups);
    let page = world.page(&says, &asked.acs, asked.relay_state.as_deref()).await;
    browser.clone().submit(&page, &[("more", &"x".repeat(600_000))]).await.page().assert_error_page();
    assert!(!Reply::one_param(browser.submit(&page, &[]).await.arrived(), "code").is_empty());
}

/// What comes of the provider's own accord is refused; or begins the application's login; or, where that is set, a session.
/// SA-12, SA-13.
#[tokio::test]
async fn a_tile_leads_where_it_is_allowed_to() {
    let world = SamlWorld::new(&json!({})).await;
    let (broker, tenant) = (&world.world.broker, &world.world.tenant);
    let client = unique("app");
    let app = json!({
        "name": "An application", "tenants": [tenant], "redirect_uris": ["https://app.example/callback"],
        "client_auth": "none", "initiate_login_uri": "https://app.example/start",
    });
    broker.put(&format!("/clients/{client}"), app).await;
    for (connection, mode) in [("saml", None), ("restart", Some("restart")), ("accept", Some("accept"))] {
        if let Some(mode) = mode {
            world.connect(connection, &json!({ "idp_initiated": { "client": client, "mode": mode } })).await;
        }
        let names = broker.at(&format!("/saml/{tenant}/{connection}"));
        let nobody = Asked::nothing(&names, &world.acs(connection));
        let says = Says { in_response_to: None, ..world.idp.says(&nobody, ALICE) };
        let page = world.page(&says, &nobody.acs, Some("https://evil.example/")).await;
        let mut browser = Browser::new();
        let visit = browser.submit(&page, &[]).await;
        assert_eq!(has_session(&browser, &world), mode == Some("accept"), "{connection}");
        if mode.is_none() {
            visit.page().assert_error_page();
            continue;
        }
        let there = visit.arrived();
        assert!(
            there.as_str().starts_with("https://app.example/start?") && !there.as_str().contains("evil"),
            "{there}"
        );
        assert_eq!(Reply::one_param(there, "connection"), connection);
        let again = browser.submit(&page, &[]).await;
        assert_eq!(again.left_to.is_some(), mode == Some("restart"), "an assertion that is believed counts once");
    }
}

/// A test login shows what the assertion says, and signs nobody in.
#[tokio::test]
async fn a_connection_can_be_tried() {
    let world = SamlWorld::new(&json!({})).await;
    let at = format!("/tenants/{}/connections/saml", world.world.tenant);
    let made = world.world.broker.admin(Method::POST, &format!("{at}/test-login"), None).await;
    let mut browser = Browser::new();
    let visit = browser.visit(&made.text("url")).await;
    let asked = Asked::by_redirect(visit.arrived()).expect("a request");
    let says = world.idp.says(&asked, "alice-1").with("urn:oid:0.9.2342.19200300.100.1.3", &[ALICE]);
    let page = world.answer(&mut browser, &says, &asked).await.page().clone();
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("Assertion") && page.body.contains("alice-1"), "{}", page.body);
    assert!(browser.cookies(&world.world.broker.url).is_empty(), "neither session nor test is left");
    let path = format!("{at}/test-logins/{}", made.text("id"));
    let view: Value = world.world.broker.admin(Method::GET, &path, None).await.json();
    let assertion = &view["claims"]["assertion"];
    assert_eq!(
        (&view["state"], &assertion["sub"], &assertion["email"]),
        (&json!("done"), &json!("alice-1"), &json!(ALICE))
    );
}
