//! Front-channel logout: what a provider's page frames of ours, and what our page frames of applications.

use http::Method;
use serde_json::{Value, json};
use url::{Url, form_urlencoded};
use vestibule_testkit::Document;
use vestibule_tests::platform::unique;
use vestibule_tests::world::{CALLBACK, SIGNED_OUT, connection, member};
use vestibule_tests::{Browser, Reply, World};

/// A world whose connection listens to frames.
async fn listening() -> World {
    let world = World::new().await;
    let settings = connection(world.idp.issuer(), &json!({"logout": {"front_channel": true}}));
    world.broker.put(&format!("/tenants/{}/connections/corp", world.tenant), settings).await;
    world
}

async fn tokens(world: &World, sid: &str) -> Value {
    world.idp.say(Document::IdToken, "sid", json!(sid));
    world.tokens().await
}

/// The frame, in a browser that keeps our cookie back.
async fn frame(world: &World, tenant: &str, query: &[(&str, &str)]) -> Reply {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    let path = format!("/oauth2/frontchannel-logout/{tenant}/corp?{query}");
    Reply::of(world.broker.request(Method::GET, &path).header("sec-fetch-dest", "iframe")).await
}

/// LO-6: `iss` and `sid` end one session without a cookie; the answer is for the provider's page only, is not kept, and
/// does not say whether there was one.
#[tokio::test]
async fn a_provider_signs_out_in_a_frame() {
    let world = listening().await;
    let (sid, other) = (unique("a-session-at-the-provider"), unique("another-session-there"));
    let (ended, stays) = (tokens(&world, &sid).await, tokens(&world, &other).await);
    let iss = world.idp.issuer();
    for sid in [&sid, &sid, &unique("nobody-has-this-session")] {
        let reply = frame(&world, &world.tenant, &[("iss", iss), ("sid", sid)]).await;
        assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (200, Some("no-store")), "{}", reply.body);
        assert_eq!(reply.header("x-frame-options"), None);
        let policy = reply.header("content-security-policy").expect("a policy");
        assert!(policy.ends_with(&format!("frame-ancestors {iss}")), "{policy}");
    }
    assert_eq!(world.refresh(&member(&ended, "refresh_token")).await.status, 400);
    assert_eq!(world.userinfo(&ended).await.status, 401);
    assert_eq!(world.refresh(&member(&stays, "refresh_token")).await.status, 200);
}

/// LO-6: `iss` and `sid` both or neither, both right, at an address of this connection.
#[tokio::test]
async fn what_names_no_session_ends_none() {
    let (world, others) = (listening().await, listening().await);
    let sid = unique("a-session-at-the-provider");
    let stays = tokens(&world, &sid).await;
    let iss = world.idp.issuer();
    for (tenant, query, status) in [
        (&world.tenant, vec![("iss", iss)], 400),
        (&world.tenant, vec![("sid", sid.as_str())], 400),
        (&world.tenant, vec![("iss", "https://evil.example"), ("sid", &sid)], 400),
        (&world.tenant, vec![("iss", iss), ("sid", "short")], 400),
        (&world.tenant, vec![("iss", iss), ("sid", &sid), ("sid", &sid)], 400),
        (&world.tenant, vec![], 200),
        (&others.tenant, vec![("iss", iss), ("sid", &sid)], 400),
        (&others.tenant, vec![("iss", others.idp.issuer()), ("sid", &sid)], 200),
    ] {
        let reply = frame(&world, tenant, &query).await;
        assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (status, Some("no-store")), "{query:?}");
    }
    let unset = World::new().await;
    assert_eq!(frame(&unset, &unset.tenant, &[]).await.status, 400, "off unless it is on");
    assert_eq!(world.refresh(&member(&stays, "refresh_token")).await.status, 200);
}

/// LO-6: our page frames what the application registered, with the session's name, and goes on where it wants.
#[tokio::test]
async fn an_application_is_told_in_a_frame() {
    let world = World::new().await;
    let app = json!({
        "name": "App", "tenants": [world.tenant], "redirect_uris": [CALLBACK], "post_logout_redirect_uris": [SIGNED_OUT],
        "client_auth": world.app.auth, "frontchannel_logout_uri": "https://app.example/frame",
    });
    world.broker.put(&format!("/clients/{}", world.app.id), app).await;
    let mut browser = Browser::new();
    let tokens = world.tokens_in(&mut browser).await;
    let mut address = Url::parse(&world.broker.at("/oauth2/logout")).expect("an address");
    let hint = member(&tokens, "id_token");
    address.query_pairs_mut().append_pair("id_token_hint", &hint).append_pair("post_logout_redirect_uri", SIGNED_OUT);
    let reply = browser.get(address.as_str()).await;
    reply.assert_page();
    let policy = reply.header("content-security-policy").expect("a policy");
    assert!(policy.contains("; frame-src https://app.example;"), "{policy}");
    assert!(reply.body.contains("src=\"https://app.example/frame?iss=http"), "{}", reply.body);
    assert!(reply.body.contains("&amp;sid="), "{}", reply.body);
    assert_eq!(reply.header("refresh"), Some(format!("2; url={SIGNED_OUT}").as_str()));
    assert_eq!(world.refresh(&member(&tokens, "refresh_token")).await.status, 400);
    let again = browser.get(address.as_str()).await;
    assert_eq!(again.location().map(String::from).as_deref(), Some(SIGNED_OUT), "there is nothing left to tell");
}
