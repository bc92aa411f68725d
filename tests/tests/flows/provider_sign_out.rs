//! Signing out at the identity provider too, where a connection says so, and the way back.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use url::Url;
use vestibule_protocol::time::Seconds;
use vestibule_testkit::{Document, Lie};
use vestibule_tests::Reply;
use vestibule_tests::in_process::{CALLBACK, ISSUER, TestBroker};

const BYE: &str = "https://app.example/bye";
const BACK: &str = "https://sso.example/oauth2/signed-out";

/// A broker whose connection signs people out at the provider, with these members too.
async fn at_provider(members: &Value) -> TestBroker {
    let test = TestBroker::new().await;
    let mut connection = json!({"logout": {"at_provider": true}});
    connection.as_object_mut().expect("members").extend(members.as_object().expect("members").clone());
    test.connect(&connection).await;
    let client = json!({
        "name": "App", "tenants": ["acme"], "redirect_uris": [CALLBACK], "post_logout_redirect_uris": [BYE],
        "client_auth": "client_secret_post", "client_secret": "secret-of-the-application-0123456789",
    });
    test.admin(Method::PUT, "/clients/app", &client).await;
    test
}

/// Where a sign-out sends the browser. The session is over by then.
async fn sign_out(test: &TestBroker, more: &[(&str, &str)]) -> Option<Url> {
    let tokens = test.tokens().await;
    leave(test, &tokens, more).await
}

async fn leave(test: &TestBroker, tokens: &Value, more: &[(&str, &str)]) -> Option<Url> {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("id_token_hint", tokens["id_token"].as_str().expect("a token")).extend_pairs(more);
    let reply = test.get(&format!("/oauth2/logout?{}", query.finish()), "").await;
    assert!(!reply.status.is_client_error() && !reply.status.is_server_error(), "{} {}", reply.status, reply.body);
    let active = test.introspect(tokens["access_token"].as_str().expect("a token")).await["active"].clone();
    assert_eq!(active, false, "whatever the provider does, it is over here");
    reply.location()
}

/// Where the way back leads with this `state`.
async fn back(test: &TestBroker, state: &str) -> Reply {
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("state", state).finish();
    test.get(&format!("/oauth2/signed-out?{query}"), "").await
}

/// LO-1: the browser goes by way of the provider, which learns who leaves and where to send them, and comes to the
/// application's address with the application's own state.
#[tokio::test]
async fn the_browser_goes_by_way_of_the_provider() {
    let test = at_provider(&json!({})).await;
    let there = sign_out(&test, &[("post_logout_redirect_uri", BYE), ("state", "a b&c")]).await.expect("a redirect");
    assert!(there.as_str().starts_with("https://idp.example/logout?"), "{there}");
    assert_eq!(Reply::one_param(&there, "client_id"), "broker");
    assert_eq!(Reply::one_param(&there, "post_logout_redirect_uri"), BACK);
    assert_eq!(Reply::one_param(&there, "logout_hint"), "alice@corp.example");
    assert!(!there.as_str().contains("app.example") && !there.as_str().contains("a%20b"), "{there}");
    let asked = Request::get(there.as_str()).body(Bytes::new()).expect("a request");
    let answer = test.idp.answer(asked).await;
    let way_back = answer.headers()["location"].to_str().expect("an address").to_owned();
    let reply = test.get(way_back.strip_prefix(ISSUER).expect("it leads back"), "").await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let home = reply.location().expect("a redirect");
    assert!(home.as_str().starts_with(BYE), "{home}");
    assert_eq!(Reply::one_param(&home, "state"), "a b&c");
}

/// AZ-14: without an address of the application there is no state, and the way back ends on our page; a state that is
/// changed, old, or sealed for something else leads nowhere.
#[tokio::test]
async fn the_way_back_is_no_open_redirect() {
    let test = at_provider(&json!({})).await;
    for address in [None, Some("https://evil.example/"), Some("https://app.example/bye/")] {
        let more: Vec<_> = address.map(|address| ("post_logout_redirect_uri", address)).into_iter().collect();
        let there = sign_out(&test, &more).await.expect("a redirect");
        assert!(!there.query_pairs().any(|(name, _)| name == "state"), "{there}");
    }
    let there = sign_out(&test, &[("post_logout_redirect_uri", BYE)]).await.expect("a redirect");
    let state = Reply::one_param(&there, "state");
    assert_eq!(back(&test, &state).await.location().map(String::from).as_deref(), Some(BYE));
    let (_, login) = test.start().await;
    let sealed_login = login.split_once('=').expect("a cookie").1;
    let changed = if state.ends_with('A') { "B" } else { "A" };
    for wrong in
        ["", "x", BYE, sealed_login, &state[..state.len() - 4], &format!("{}{changed}", &state[..state.len() - 1])]
    {
        let reply = back(&test, wrong).await;
        assert_eq!((reply.status, reply.location()), (StatusCode::OK, None), "{wrong}");
        assert!(reply.body.contains("Signed out") && reply.header("refresh").is_none(), "{}", reply.body);
    }
    let twice = test.get(&format!("/oauth2/signed-out?state={state}&state={state}"), "").await;
    assert_eq!(twice.location(), None);
    test.clock.advance(Seconds(600));
    assert_eq!(back(&test, &state).await.location(), None, "ten minutes are enough");
}

/// LO-2: a provider that is off, gone, or unknown by now is left out: the sign-out goes on without it.
#[tokio::test]
async fn a_provider_that_is_gone_is_left_out() {
    let test = at_provider(&json!({})).await;
    let mut people = Vec::new();
    for _ in 0..4 {
        people.push(test.tokens().await);
    }
    let [down, odd, disabled, gone] = &people[..] else { panic!("four") };
    let onward = [("post_logout_redirect_uri", BYE)];
    let bye = Some(Url::parse(BYE).expect("an address"));
    // Until now nothing was known of it: what was kept is a day old.
    test.clock.advance(Seconds(90_000));
    test.idp_clock.advance(Seconds(90_000));
    test.idp.lie(Lie::DiscoveryDown);
    let cold = test.another_process(None);
    assert_eq!(leave(&cold, down, &onward).await, bye);
    test.idp.be_honest();
    test.idp.say(Document::Metadata, "end_session_endpoint", json!("http://idp.example/logout"));
    assert_eq!(leave(&test.another_process(None), odd, &onward).await, bye, "browsers are not sent to plain http");
    test.idp.be_honest();
    test.connect(&json!({"logout": {"at_provider": true}, "enabled": false})).await;
    assert_eq!(leave(&test, disabled, &onward).await, bye);
    test.admin(Method::DELETE, "/tenants/acme/connections/idp", &Value::Null).await;
    assert_eq!(leave(&test, gone, &onward).await, bye);
}

/// The setting decides, and an address that is set by hand goes before the provider's own.
#[tokio::test]
async fn the_setting_decides() {
    let test = at_provider(&json!({"logout": {}})).await;
    assert_eq!(sign_out(&test, &[]).await, None, "off unless it is on");
    let by_hand = json!({"at_provider": true, "end_session_endpoint": "https://out.idp.example/bye?x=1"});
    let view = test.connect(&json!({"logout": by_hand})).await;
    assert_eq!((&view["logout"]["at_provider"], view["post_logout_redirect_uri"].as_str()), (&json!(true), Some(BACK)));
    let there = sign_out(&test, &[]).await.expect("a redirect");
    assert!(there.as_str().starts_with("https://out.idp.example/bye?x=1&client_id=broker&"), "{there}");
}

/// Addresses to which no browser may be sent, and settings that lead nowhere, are refused with their place.
#[tokio::test]
async fn addresses_that_cannot_be_are_refused() {
    let test = TestBroker::new().await;
    let endpoints = json!({
        "authorization": "https://idp.example/authorize", "token": "https://idp.example/token", "jwks": "https://idp.example/jwks",
    });
    let at = |address: &str| json!({"logout": {"at_provider": true, "end_session_endpoint": address}});
    for (members, path) in [
        (at("http://idp.example/out"), "/logout/end_session_endpoint"),
        (at("https://10.0.0.1/out"), "/logout/end_session_endpoint"),
        (at("https://idp.example/out#x"), "/logout/end_session_endpoint"),
        (at("javascript:alert(1)"), "/logout/end_session_endpoint"),
        (at("out"), "/logout/end_session_endpoint"),
        (json!({"logout": {"at_provider": true}, "endpoints": endpoints}), "/logout/at_provider"),
        (json!({"logout": {"at_provide": true}}), "/logout/at_provide"),
    ] {
        let mut connection = json!({
            "name": "Acme", "protocol": "oidc", "issuer": "https://idp.example", "client_id": "b", "client_auth": "none",
        });
        connection.as_object_mut().expect("members").extend(members.as_object().expect("members").clone());
        let reply = test.try_admin(Method::PUT, "/tenants/acme/connections/odd", &connection).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{members}");
        assert_eq!(reply.json()["problems"][0]["path"], path, "{members}: {}", reply.body);
    }
}

/// LO-6: frames first, then the provider.
#[tokio::test]
async fn frames_come_before_the_provider() {
    let test = at_provider(&json!({})).await;
    let client = json!({
        "name": "App", "tenants": ["acme"], "redirect_uris": [CALLBACK], "client_auth": "client_secret_post",
        "client_secret": "secret-of-the-application-0123456789", "frontchannel_logout_uri": "https://app.example/out",
    });
    test.admin(Method::PUT, "/clients/app", &client).await;
    let tokens = test.tokens().await;
    let hint = tokens["id_token"].as_str().expect("a token");
    let reply = test.get(&format!("/oauth2/logout?id_token_hint={hint}"), "").await;
    assert_eq!((reply.status, reply.body.matches("<iframe").count()), (StatusCode::OK, 1));
    let onward = reply.header("refresh").expect("it goes on");
    assert!(onward.starts_with("2; url=https://idp.example/logout?client_id=broker&"), "{onward}");
}
