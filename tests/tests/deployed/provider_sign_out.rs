//! Signing out at the identity provider too.

use serde_json::json;
use url::Url;
use vestibule_tests::world::{ALICE, SIGNED_OUT, connection, member};
use vestibule_tests::{Browser, Reply, World};

async fn world(members: &serde_json::Value) -> World {
    let world = World::new().await;
    let settings = connection(world.idp.issuer(), &json!({"logout": members}));
    world.broker.put(&format!("/tenants/{}/connections/corp", world.tenant), settings).await;
    world
}

fn logout(world: &World, hint: &str, more: &[(&str, &str)]) -> String {
    let mut address = Url::parse(&world.broker.at("/oauth2/logout")).expect("an address");
    address.query_pairs_mut().append_pair("id_token_hint", hint).extend_pairs(more);
    address.into()
}

/// LO-1: the browser goes by way of the provider and comes to the application with its state. It is signed in nowhere any
/// more: the next sign-in asks for the password.
#[tokio::test]
async fn the_browser_signs_out_at_the_provider_too() {
    let world = world(&json!({"at_provider": true})).await;
    let mut browser = Browser::new();
    let tokens = world.tokens_in(&mut browser).await;
    let more = [("post_logout_redirect_uri", SIGNED_OUT), ("state", "a b&c=d/é")];
    let visit = browser.visit(&logout(&world, &member(&tokens, "id_token"), &more)).await;
    let through: Vec<String> = visit.hops.iter().map(|hop| hop.url.origin().ascii_serialization()).collect();
    assert_eq!(through, [&world.broker.url, world.idp.issuer(), &world.broker.url]);
    assert!(visit.arrived().as_str().starts_with(SIGNED_OUT), "{}", visit.arrived());
    assert_eq!(Reply::one_param(visit.arrived(), "state"), "a b&c=d/é");
    assert_eq!(world.refresh(&member(&tokens, "refresh_token")).await.status, 400);
    let again = browser.visit(&world.authorization().url(&world.broker)).await;
    assert!(again.page().body.contains("password"), "{}", again.page().body);
}

/// LO-2: a provider that cannot be reached changes nothing here: by the time that the browser is sent there, it is over.
#[tokio::test]
async fn the_sign_out_here_comes_first() {
    let dead = json!({"at_provider": true, "end_session_endpoint": "http://127.0.0.1:9/logout"});
    let world = world(&dead).await;
    let mut browser = Browser::new();
    let tokens = world.tokens_in(&mut browser).await;
    let reply = browser.get(&logout(&world, &member(&tokens, "id_token"), &[])).await;
    let there = reply.location().expect("a redirect");
    assert!(there.as_str().starts_with("http://127.0.0.1:9/logout?client_id=broker&"), "{there}");
    assert!(!there.query_pairs().any(|(name, _)| name == "state"), "there is nowhere to go on to: {there}");
    assert_eq!(world.refresh(&member(&tokens, "refresh_token")).await.status, 400);
}

/// AZ-14: the way back leads to registered addresses only, and signs nobody out or in.
#[tokio::test]
async fn the_way_back_is_no_open_redirect() {
    let world = world(&json!({"at_provider": true})).await;
    let mut browser = Browser::new();
    let tokens = world.tokens_in(&mut browser).await;
    for state in ["", "x", "https://evil.example/", "k1.AAAA"] {
        let mut address = Url::parse(&world.broker.at("/oauth2/signed-out")).expect("an address");
        address.query_pairs_mut().append_pair("state", state);
        let reply = browser.get(address.as_str()).await;
        assert_eq!((reply.status.as_u16(), reply.location()), (200, None), "{state}");
        reply.assert_page();
        assert!(!reply.body.contains("evil.example"), "{}", reply.body);
        assert_eq!(reply.set_cookies(), Vec::<&str>::new());
    }
    let evil = [("post_logout_redirect_uri", "https://evil.example/"), ("state", "s")];
    let visit = browser.visit(&logout(&world, &member(&tokens, "id_token"), &evil)).await;
    assert_eq!(visit.page().url.path(), "/oauth2/signed-out");
    assert!(!visit.hops.iter().skip(1).any(|hop| hop.url.as_str().contains("evil")), "the address is not passed on");
    let once_more = world.follow(&mut browser, &world.authorization(), ALICE).await;
    assert_eq!(once_more.arrived().host_str(), Some("app.example"));
}
