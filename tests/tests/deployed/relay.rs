//! The relay: a control plane's pages sign somebody in through calls of their own host, refresh, and sign out.

use http::Method;
use serde_json::{Value, json};
use vestibule_testkit::relying_party::payload;
use vestibule_tests::control_plane::ControlPlane;
use vestibule_tests::world::query_of;
use vestibule_tests::{Browser, Reply, World};

fn attribute<'a>(cookie: &'a str, name: &str) -> Option<&'a str> {
    cookie.split("; ").find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
}

fn cookie_of<'a>(reply: &'a Reply, name: &str) -> &'a str {
    let found = reply.set_cookies().into_iter().find(|cookie| attribute(cookie, name).is_some());
    found.unwrap_or_else(|| panic!("{name} is not set: {:?}", reply.headers))
}

/// Seven days, less what has passed since the code was redeemed.
fn is_week(seconds: i64) -> bool {
    (604_790..=604_800).contains(&seconds)
}

/// The eight hops of a control plane's login, as its pages make them. The protections beside them are the relay's.
#[tokio::test]
async fn the_eight_hops_work_as_written() {
    let world = World::new().await;
    let plane = ControlPlane::new(&world).await;
    let mut browser = Browser::new();

    // 1: the page asks for the login page.
    let started = plane.start(&mut browser, &world.tenant).await;
    assert_eq!(started.status, 200, "{}", started.body);
    assert_eq!(started.header("cache-control"), Some("no-store"));
    assert_eq!(started.header("access-control-allow-origin"), None);
    let endpoint = started.text("authorizationEndpoint");
    let callback: String = url::form_urlencoded::byte_serialize(plane.callback().as_bytes()).collect();
    let expected = format!(
        "{}?client_id={}&response_type=code&scope=openid+email+profile+offline_access&redirect_uri={callback}",
        world.broker.at("/oauth2/authorize"),
        plane.client
    );
    assert!(endpoint.starts_with(&expected), "{endpoint}");
    let login = started.set_cookies().concat();
    assert!(login.starts_with("__Host-relay-"), "{login}");
    assert!(login.ends_with("; Path=/; Max-Age=600; Secure; HttpOnly; SameSite=Lax"), "{login}");

    // 2 to 4: the login page sends the browser to the identity provider, which sends it back with a code.
    let to_provider = browser.visit(&endpoint).await;
    assert!(to_provider.last().url.as_str().starts_with(world.idp.issuer()));
    let fields = [("username", vestibule_tests::world::ALICE), ("password", vestibule_tests::world::PASSWORD)];
    let back = browser.submit(to_provider.last(), &fields).await;

    // 5 and 6: the person is known now, and arrives at the control plane.
    let arrived = back.arrived();
    assert!(arrived.as_str().starts_with(&plane.callback()), "{arrived}");
    assert_eq!(Reply::one_param(arrived, "userState"), "Authenticated");
    assert_eq!(Reply::one_param(arrived, "iss"), world.broker.url);
    let state = Reply::one_param(arrived, "state");
    assert!(login.starts_with(&format!("__Host-relay-{state}=")), "the state names the cookie");

    // 7 and 8: the page redeems the code; the tokens come as cookies.
    let reply = plane.send(&mut browser, &plane.redeem(&world.tenant, arrived)).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    assert_eq!(reply.json()["expiresIn"], 86_400);
    let lives = reply.json()["refreshExpiresIn"].as_i64().expect("seconds");
    assert!(is_week(lives), "{lives}");
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    for name in ["accessToken", "refreshToken"] {
        assert!(!reply.body.contains(attribute(cookie_of(&reply, name), name).unwrap_or_default()));
    }
    let access = payload(&plane.cookie(&browser, "accessToken").expect("an access token")).expect("claims");
    assert_eq!(access["client_id"], json!(plane.client));
    assert_eq!(access["tenant"], json!(world.tenant));
    assert_eq!(access["scope"], "openid profile email offline_access");
    assert_eq!(plane.cookie(&browser, &format!("__Host-relay-{state}")), None, "the login is over");
}

/// `Max-Age` and `Expires` agree, no script reads a token, no other site sends one. TK-8, CK-1.
#[tokio::test]
async fn the_tokens_are_in_cookies_that_end_with_them() {
    let world = World::new().await;
    let plane = ControlPlane::new(&world).await;
    let reply = plane.tokens_in(&world, &mut Browser::new()).await;
    for (name, same_site) in [("accessToken", "Lax"), ("refreshToken", "Strict")] {
        let cookie = cookie_of(&reply, name);
        let max_age: i64 = attribute(cookie, "Max-Age").and_then(|age| age.parse().ok()).expect("Max-Age");
        assert!(if name == "accessToken" { max_age == 86_400 } else { is_week(max_age) }, "{cookie}");
        assert_eq!(attribute(cookie, "SameSite"), Some(same_site), "{cookie}");
        assert_eq!(attribute(cookie, "Path"), Some("/"), "{cookie}");
        assert_eq!(attribute(cookie, "Domain"), None, "{cookie}");
        assert!(cookie.contains("; Secure") && cookie.contains("; HttpOnly"), "{cookie}");
        assert!(name.len() + attribute(cookie, name).map_or(0, str::len) <= 4096);
        let expires = attribute(cookie, "Expires").expect("Expires");
        let issued = payload(attribute(cookie_of(&reply, "accessToken"), "accessToken").expect("a token"));
        let end = issued.expect("claims")["iat"].as_i64().expect("iat") + max_age;
        let near: Vec<String> = (end..end + 10)
            .map(|second| vestibule_protocol::time::Timestamp::from_seconds(second).http_date())
            .collect();
        assert!(near.contains(&expires.to_owned()), "{expires} is not one of {near:?}");
    }
}

/// A control plane may have names that no other host can set, and a refresh token that goes to the relay only. CK-1.
#[tokio::test]
async fn prefixed_cookies_are_a_setting() {
    let world = World::new().await;
    let plane = ControlPlane::with_cookies(&world, "prefixed").await;
    let mut browser = Browser::new();
    let reply = plane.tokens_in(&world, &mut browser).await;
    assert_eq!(attribute(cookie_of(&reply, "__Host-accessToken"), "Path"), Some("/"));
    assert_eq!(attribute(cookie_of(&reply, "__Secure-refreshToken"), "Path"), Some("/api/svc/v1/oauth2"));
    let reply = plane.send(&mut browser, &plane.call("refresh", &Value::Null)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let reply = plane.send(&mut browser, &plane.call("logout", &Value::Null)).await;
    assert_eq!(reply.status, 204, "{}", reply.body);
    assert_eq!(plane.cookie(&browser, "__Host-accessToken"), None);
    assert_eq!(plane.cookie(&browser, "__Secure-refreshToken"), None);
}

/// A page that hands in the state gets the same; so does one of two tabs that do not. RP-1.
#[tokio::test]
async fn two_tabs_do_not_disturb_each_other() {
    let world = World::new().await;
    let plane = ControlPlane::new(&world).await;
    let mut browser = Browser::new();
    let abandoned = plane.start(&mut browser, &world.tenant).await;
    assert_eq!(abandoned.status, 200);
    let first = plane.sign_in(&world, &mut browser).await;
    let second = plane.sign_in(&world, &mut browser).await;
    let reply = plane.send(&mut browser, &plane.redeem(&world.tenant, second.arrived())).await;
    assert_eq!(reply.status, 201, "without state: {}", reply.body);
    let mut body = plane.code_body(&world.tenant, first.arrived());
    body["state"] = json!(Reply::one_param(first.arrived(), "state"));
    let reply = plane.send(&mut browser, &plane.call("token", &body)).await;
    assert_eq!(reply.status, 201, "with state: {}", reply.body);
}

/// Logins that nobody finishes do not fill the cookie header. CK-2.
#[tokio::test]
async fn abandoned_logins_are_dropped() {
    let world = World::new().await;
    let plane = ControlPlane::new(&world).await;
    let mut browser = Browser::new();
    for _ in 0..5 {
        assert_eq!(plane.start(&mut browser, &world.tenant).await.status, 200);
    }
    let visit = plane.sign_in(&world, &mut browser).await;
    let logins = browser.jar().iter().filter(|cookie| cookie.name.starts_with("__Host-relay-")).count();
    assert_eq!(logins, 3);
    let reply = plane.send(&mut browser, &plane.redeem(&world.tenant, visit.arrived())).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
}

/// Each refresh replaces both cookies; a token that was replaced and replaced again ends the family, and the cookies
/// with it. TK-6.
#[tokio::test]
async fn a_refresh_replaces_both_cookies() {
    let world = World::new().await;
    let plane = ControlPlane::new(&world).await;
    let mut browser = Browser::new();
    plane.tokens_in(&world, &mut browser).await;
    let mut thief = browser.clone();
    for _ in 0..2 {
        let before = ["accessToken", "refreshToken"].map(|name| plane.cookie(&browser, name));
        let reply = plane.send(&mut browser, &plane.call("refresh", &Value::Null)).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        assert_eq!(reply.json()["expiresIn"], 86_400);
        let after = ["accessToken", "refreshToken"].map(|name| plane.cookie(&browser, name));
        for (before, after) in before.iter().zip(&after) {
            assert!(after.is_some() && before != after);
        }
    }
    for browser in [&mut thief, &mut browser] {
        let reply = plane.send(browser, &plane.call("refresh", &Value::Null)).await;
        assert_eq!((reply.status.as_u16(), reply.text("error").as_str()), (400, "invalid_grant"));
        assert_eq!(plane.cookie(browser, "accessToken"), None);
        assert_eq!(plane.cookie(browser, "refreshToken"), None);
    }
}

/// A sign-out ends the session on the server, and drops the cookies with the attributes that they were set with. LO-8.
#[tokio::test]
async fn a_sign_out_ends_session_and_cookies() {
    let world = World::new().await;
    let plane = ControlPlane::new(&world).await;
    let mut browser = Browser::new();
    let set = plane.tokens_in(&world, &mut browser).await;
    let mut thief = browser.clone();
    let access_token = plane.cookie(&browser, "accessToken").expect("a token");
    let dropped = plane.send(&mut browser, &plane.call("logout", &Value::Null)).await;
    assert_eq!((dropped.status.as_u16(), dropped.body.as_str()), (204, ""));
    for name in ["accessToken", "refreshToken"] {
        let kept = |part: &&str| !part.starts_with("Max-Age") && !part.starts_with("Expires");
        let [was, is] = [&set, &dropped].map(|reply| cookie_of(reply, name).split("; ").skip(1).filter(kept));
        assert!(was.eq(is), "{name}");
        assert_eq!(attribute(cookie_of(&dropped, name), "Max-Age"), Some("0"));
    }
    let reply = plane.send(&mut thief, &plane.call("refresh", &Value::Null)).await;
    assert_eq!((reply.status.as_u16(), reply.text("error").as_str()), (400, "invalid_grant"));
    let userinfo = world.broker.request(Method::GET, "/oauth2/userinfo").bearer_auth(access_token);
    assert_eq!(Reply::of(userinfo).await.status, 401);
    let again = plane.send(&mut browser, &plane.call("logout", &Value::Null)).await;
    assert_eq!(again.status, 204, "there is nothing left to end");
}

/// Without its refresh token the access token still says which session is to end. LO-8.
#[tokio::test]
async fn an_access_token_alone_signs_out() {
    let world = World::new().await;
    let plane = ControlPlane::new(&world).await;
    let mut browser = Browser::new();
    plane.tokens_in(&world, &mut browser).await;
    let mut thief = browser.clone();
    browser.jar().retain(|cookie| cookie.name != "refreshToken");
    assert_eq!(plane.send(&mut browser, &plane.call("logout", &Value::Null)).await.status, 204);
    assert_eq!(plane.send(&mut thief, &plane.call("refresh", &Value::Null)).await.status, 400);
}

/// `userState` is for control planes only.
#[tokio::test]
async fn other_applications_get_what_the_specification_says() {
    let world = World::new().await;
    let visit = world.follow(&mut Browser::new(), &world.authorization(), vestibule_tests::world::ALICE).await;
    let names: Vec<String> = query_of(visit.arrived()).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["code", "state", "iss"]);
}
