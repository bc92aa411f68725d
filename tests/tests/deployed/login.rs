//! The whole sign-in, and the cookies that it leaves.

use vestibule_testkit::Lie;
use vestibule_testkit::relying_party::{Pending, payload};
use vestibule_tests::platform::unique;
use vestibule_tests::world::{ALICE, CALLBACK, member, query_of};
use vestibule_tests::{Browser, Reply, World};

/// The happy path as a certified relying party sees it: it verifies signature, issuer, audience, expiry and nonce of
/// the ID token by itself. AZ-6, TK-4, RP-2.
#[tokio::test]
async fn a_certified_relying_party_signs_somebody_in() {
    let world = World::new().await;
    let app = world.relying_party();
    let pending = Pending {
        state: unique("state"),
        nonce: unique("nonce"),
        verifier: format!("{}{}", unique("verifier"), unique("more")),
    };
    let url = app.start(&pending, &[("tenant", &world.tenant)]).await.expect("metadata can be read");
    let mut browser = Browser::new();
    let login = browser.visit(url.as_str()).await;
    let visit =
        browser.submit(login.page(), &[("username", ALICE), ("password", vestibule_tests::world::PASSWORD)]).await;
    let code = Reply::one_param(visit.arrived(), "code");
    let tokens = app.finish(&pending, &code).await.expect("the tokens hold");
    let claim = |name: &str| tokens.claims.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
    assert_eq!(claim("email"), ALICE);
    assert_eq!(claim("name"), "Alice Liddell");
    assert_eq!(claim("tenant"), world.tenant);
    assert_ne!(claim("sub"), "subject-of-alice", "the subject is ours, not the provider's");
    assert!(!claim("sub").is_empty() && !claim("sid").is_empty());
    assert!(tokens.claims.get("auth_time").is_some_and(serde_json::Value::is_i64));
    let refreshed = app.refresh(&tokens.refresh_token.expect("a refresh token")).await.expect("it can be renewed");
    assert_eq!(refreshed.claims.get("sub"), tokens.claims.get("sub"));
    assert_eq!(refreshed.claims.get("sid"), tokens.claims.get("sid"));
}

/// Who comes back is who they were; somebody else is somebody else. RP-6.
#[tokio::test]
async fn a_person_keeps_their_subject() {
    let world = World::new().await;
    let subject = async |username| {
        let request = world.authorization();
        let visit = world.follow(&mut Browser::new(), &request, username).await;
        let reply = world.redeem(&request, &Reply::one_param(visit.arrived(), "code")).await;
        payload(&reply.text("id_token")).expect("a token").remove("sub")
    };
    let alice = subject(ALICE).await;
    assert_eq!(subject(ALICE).await, alice);
    assert_ne!(subject(vestibule_tests::world::BOB).await, alice);
}

/// What goes to the provider: PKCE with S256, nonce and state, all fresh, and our own callback. RP-2.
#[tokio::test]
async fn the_request_to_the_provider_is_protected() {
    let world = World::new().await;
    let mut seen = Vec::new();
    for _ in 0..2 {
        let request = world.authorization().with("login_hint", ALICE);
        let reply = Browser::new().get(&request.url(&world.broker)).await;
        assert!(matches!(reply.status.as_u16(), 302 | 303), "{}", reply.status);
        assert_eq!(reply.header("cache-control").map(|value| value.contains("no-store")), Some(true));
        let there = reply.location().expect("a redirect");
        assert!(there.as_str().starts_with(&format!("{}/authorize?", world.idp.issuer())), "{there}");
        let one = |name: &str| Reply::one_param(&there, name);
        assert_eq!(one("response_type"), "code");
        assert_eq!(one("client_id"), "broker");
        assert_eq!(one("redirect_uri"), world.broker.at("/oauth2/callback"));
        assert_eq!(one("code_challenge_method"), "S256");
        assert_eq!(one("code_challenge").len(), 43);
        assert_eq!(one("login_hint"), ALICE);
        assert!(one("scope").split(' ').any(|scope| scope == "openid"));
        assert!(one("state").len() >= 22 && one("nonce").len() >= 22, "128 bits at least");
        for name in ["state", "nonce", "code_challenge"] {
            assert_ne!(one(name), request.param(name), "the application's {name} stays with the broker");
            assert!(!seen.contains(&one(name)), "{name} is fresh");
            seen.push(one(name));
        }
    }
}

/// The state comes back byte for byte, whatever it is made of, and the issuer with it; nothing else does. AZ-6, AZ-9.
#[tokio::test]
async fn state_comes_back_as_it_was_sent() {
    let world = World::new().await;
    for state in ["plain", "a b+c&d=e#f?g/h%20i", "\"<script>'\\", "ünï¢ödé 😀", "x".repeat(512).as_str()] {
        let request = world.authorization().with("state", state);
        let visit = world.follow(&mut Browser::new(), &request, ALICE).await;
        assert_eq!(visit.last().status, 303, "after a form, only 303 drops the form");
        let arrived = visit.arrived();
        assert!(arrived.as_str().starts_with(&format!("{CALLBACK}?")), "{arrived}");
        assert_eq!(Reply::one_param(arrived, "state"), state);
        assert_eq!(Reply::one_param(arrived, "iss"), world.broker.url);
        let mut names: Vec<String> = query_of(arrived).into_iter().map(|(name, _)| name).collect();
        names.sort();
        assert_eq!(names, ["code", "iss", "state"]);
        assert!(Reply::one_param(arrived, "code").len() >= 22, "128 bits at least");
    }
}

/// Without a state there is none in the answer. AZ-6.
#[tokio::test]
async fn no_state_is_no_state() {
    let world = World::new().await;
    let visit = world.follow(&mut Browser::new(), &world.authorization().without("state"), ALICE).await;
    assert!(query_of(visit.arrived()).iter().all(|(name, _)| name != "state"));
}

/// The person says no at the provider: the application learns it, with state and issuer. AZ-6.
#[tokio::test]
async fn a_refusal_at_the_provider_reaches_the_application() {
    let world = World::new().await;
    world.idp.lie(Lie::AccessDenied);
    let request = world.authorization();
    let visit = world.follow(&mut Browser::new(), &request, ALICE).await;
    let arrived = visit.arrived();
    assert_eq!(Reply::one_param(arrived, "error"), "access_denied");
    assert_eq!(Reply::one_param(arrived, "state"), request.param("state"));
    assert_eq!(Reply::one_param(arrived, "iss"), world.broker.url);
    assert!(query_of(arrived).iter().all(|(name, _)| name != "code"));
}

/// One cookie for a login in progress, ten minutes, out of reach for scripts and other sites; gone after the callback,
/// which leaves the session's. CK-1, CK-2, LO-8.
#[tokio::test]
async fn cookies_are_as_small_and_as_closed_as_they_can_be() {
    let world = World::new().await;
    let mut browser = Browser::new();
    let reply = browser.get(&world.authorization().url(&world.broker)).await;
    let [login] = reply.set_cookies()[..] else { panic!("one cookie: {:?}", reply.set_cookies()) };
    assert!(login.starts_with("__Host-login-"), "{login}");
    assert_attributes(login, Some("600"));
    let visit = world.follow(&mut browser, &world.authorization(), ALICE).await;
    let callback = visit.hops.last().expect("the callback's response");
    let session = callback.set_cookies().into_iter().find(|cookie| cookie.starts_with("__Host-session="));
    let session = session.unwrap_or_else(|| panic!("a session cookie: {:?}", callback.set_cookies()));
    assert_attributes(session, None);
    let removed = callback.set_cookies().into_iter().find(|cookie| cookie.starts_with("__Host-login-"));
    assert_attributes(removed.expect("the login's cookie is removed"), Some("0"));
    let left: Vec<_> = browser.cookies(&world.broker.url).into_iter().map(|cookie| cookie.name.as_str()).collect();
    assert_eq!(left.iter().filter(|name| **name == "__Host-session").count(), 1, "{left:?}");
    assert_eq!(
        left.iter().filter(|name| name.starts_with("__Host-login-")).count(),
        1,
        "only the other tab's: {left:?}"
    );
}

fn assert_attributes(cookie: &str, max_age: Option<&str>) {
    let attributes: Vec<String> = cookie.split(';').skip(1).map(|part| part.trim().to_ascii_lowercase()).collect();
    for needed in ["secure", "httponly", "samesite=lax", "path=/"] {
        assert!(attributes.iter().any(|attribute| attribute == needed), "{needed} in {cookie}");
    }
    if let Some(seconds) = max_age {
        assert!(attributes.contains(&format!("max-age={seconds}")), "Max-Age={seconds} in {cookie}");
    }
}

/// A session has a new name after each login: what was in the browser before is worth nothing. CK-3.
#[tokio::test]
async fn a_login_makes_a_new_session() {
    let world = World::new().await;
    let mut browser = Browser::new();
    let mut names = Vec::new();
    for _ in 0..2 {
        let request = world.authorization().with("prompt", "login");
        world.follow(&mut browser, &request, ALICE).await.arrived();
        let cookies = browser.cookies(&world.broker.url);
        let session = cookies.iter().find(|cookie| cookie.name == "__Host-session").expect("a session cookie");
        assert!(session.value.len() >= 22, "128 bits at least");
        names.push(session.value.clone());
    }
    assert_ne!(names.first(), names.last());
}

/// A later login in the same browser ends the older session, and what applications hold in it. CK-3.
#[tokio::test]
async fn a_new_login_ends_the_older_session() {
    let world = World::new().await;
    let mut browser = Browser::new();
    let (older, elsewhere) = (world.tokens_in(&mut browser).await, world.tokens().await);
    // What began within the second in which a login did is taken for another tab's.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let request = world.authorization().with("prompt", "login");
    let visit = world.follow(&mut browser, &request, ALICE).await;
    let newer = world.redeem(&request, &Reply::one_param(visit.arrived(), "code")).await.json();
    let refresh = async |tokens: &serde_json::Value| world.refresh(&member(tokens, "refresh_token")).await;
    assert_eq!(refresh(&older).await.text("error"), "invalid_grant");
    assert_eq!(refresh(&newer).await.status, 200);
    assert_eq!(refresh(&elsewhere).await.status, 200, "another browser's");
}

/// Two tabs, two logins, each with its own cookie: both arrive. CK-2.
#[tokio::test]
async fn two_tabs_do_not_disturb_each_other() {
    let world = World::new().await;
    let mut browser = Browser::new();
    let (first, second) = (world.authorization(), world.authorization());
    let one = browser.visit(&first.url(&world.broker)).await;
    let two = browser.visit(&second.url(&world.broker)).await;
    let fields = [("username", ALICE), ("password", vestibule_tests::world::PASSWORD)];
    for (page, request) in [(two, second), (one, first)] {
        let visit = browser.submit(page.page(), &fields).await;
        assert_eq!(Reply::one_param(visit.arrived(), "state"), request.param("state"));
    }
}

/// However many logins are begun and left, the cookies stay below what servers accept. CK-2.
#[tokio::test]
async fn abandoned_logins_do_not_fill_the_cookie_header() {
    let world = World::new().await;
    let mut browser = Browser::new();
    for _ in 0..25 {
        let reply = browser.get(&world.authorization().with("state", &"s".repeat(400)).url(&world.broker)).await;
        assert!(reply.status.is_redirection(), "{} {}", reply.status, reply.body);
    }
    let total: usize = browser
        .cookies(&world.broker.at("/oauth2/callback"))
        .iter()
        .map(|cookie| cookie.name.len() + cookie.value.len() + 3)
        .sum();
    assert!(total < 8192, "{total} bytes of cookies");
    let visit = world.follow(&mut browser, &world.authorization(), ALICE).await;
    assert_eq!(Reply::one_param(visit.arrived(), "iss"), world.broker.url);
}
