//! Attacks on a login in progress by another browser, by whoever can write cookies, and by forged callbacks.

use vestibule_tests::{Browser, Reply, World};

use super::attacks::{assert_refused, callback_of};

/// A callback belongs to the browser that started: in another one, or without its cookie, it is worth nothing. RP-1.
#[tokio::test]
async fn a_callback_in_another_browser_is_refused() {
    let world = World::new().await;
    let (mut alice, mut victim, mut busy) = (Browser::new(), Browser::new(), Browser::new());
    let callback = callback_of(&world, &mut alice, &world.authorization()).await;
    assert_refused(&world, &victim.clone(), &victim.visit(callback.as_str()).await, "a browser without a login");
    busy.get(&world.authorization().url(&world.broker)).await;
    let visit = busy.visit(callback.as_str()).await;
    assert_refused(&world, &busy, &visit, "a browser with a login of its own");
    let visit = alice.visit(callback.as_str()).await;
    assert!(!Reply::one_param(visit.arrived(), "code").is_empty(), "the right one still works");
}

/// A callback works once, even with its cookie put back. RP-1.
#[tokio::test]
async fn a_callback_cannot_be_repeated() {
    let world = World::new().await;
    let mut browser = Browser::new();
    let callback = callback_of(&world, &mut browser, &world.authorization()).await;
    let mut kept = browser.clone();
    assert!(!Reply::one_param(browser.visit(callback.as_str()).await.arrived(), "code").is_empty());
    let visit = kept.visit(callback.as_str()).await;
    assert_refused(&world, &kept, &visit, "the cookie put back");
}

/// Cookies that were tampered with, cut off, swapped or made up are no cookies, and no errors of ours. CK-10, CK-9.
#[tokio::test]
async fn tampered_cookies_are_refused() {
    let world = World::new().await;
    let mut browser = Browser::new();
    let callback = callback_of(&world, &mut browser, &world.authorization()).await;
    let value = browser.jar().first().expect("a cookie").value.clone();
    let flip = |at: usize| {
        let change = |(index, letter)| if index == at { if letter == 'A' { 'B' } else { 'A' } } else { letter };
        value.chars().enumerate().map(change).collect::<String>()
    };
    let len = value.len();
    let mut other_browser = Browser::new();
    other_browser.get(&world.authorization().url(&world.broker)).await;
    let other = other_browser.jar().first().expect("a cookie").value.clone();
    let mut tampered: Vec<String> = [0, 1, len / 4, len / 2, len * 3 / 4, len - 2].into_iter().map(flip).collect();
    tampered.extend([1, 2, 16].map(|cut| value.chars().take(len - cut).collect()));
    tampered.push(value.chars().take(len / 2).collect());
    tampered.extend([String::new(), "x".to_owned(), ".".to_owned(), "..".to_owned(), "%ff".to_owned()]);
    tampered.push(format!("{value}A"));
    tampered.push(format!("nokey.{value}"));
    tampered.push(other);
    for wrong in tampered {
        let mut browser = browser.clone();
        if let Some(cookie) = browser.jar().first_mut() {
            cookie.value.clone_from(&wrong);
        }
        let visit = browser.visit(callback.as_str()).await;
        assert_refused(&world, &browser, &visit, &wrong);
        assert!(visit.last().status.is_client_error(), "{wrong}: {}", visit.last().status);
    }
}

/// A login's cookie does not open a session, nor a session's cookie a login: each is sealed for its purpose. CK-10.
#[tokio::test]
async fn cookies_of_another_purpose_are_refused() {
    let world = World::new().await;
    let mut browser = Browser::new();
    world.tokens_in(&mut browser).await;
    let session = browser.jar().first().map(|cookie| cookie.value.clone()).expect("a session");
    let mut fresh = Browser::new();
    let callback = callback_of(&world, &mut fresh, &world.authorization()).await;
    if let Some(cookie) = fresh.jar().first_mut() {
        cookie.value = session;
    }
    let visit = fresh.visit(callback.as_str()).await;
    assert_refused(&world, &fresh, &visit, "a session as a login");
}

/// Two logins in one browser, their cookies' values exchanged: each belongs to its name. CK-10.
#[tokio::test]
async fn swapped_login_cookies_are_refused() {
    let world = World::new().await;
    let mut browser = Browser::new();
    let callback = callback_of(&world, &mut browser, &world.authorization()).await;
    callback_of(&world, &mut browser, &world.authorization()).await;
    if let [one, two] = &mut browser.jar()[..] {
        std::mem::swap(&mut one.value, &mut two.value);
    } else {
        panic!("two logins, two cookies");
    }
    let visit = browser.visit(callback.as_str()).await;
    assert_refused(&world, &browser, &visit, "swapped cookies");
}

/// Parameters of the callback that are missing, repeated, foreign or broken. RP-1, RP-3, AZ-13.
#[tokio::test]
async fn broken_callbacks_are_refused() {
    let world = World::new().await;
    let mut browser = Browser::new();
    let good = callback_of(&world, &mut browser, &world.authorization()).await;
    let state = Reply::one_param(&good, "state");
    let base = world.broker.at("/oauth2/callback");
    for query in [
        String::new(),
        "code=x".to_owned(),
        "state=x".to_owned(),
        "error=access_denied".to_owned(),
        "error=access_denied&state=x".to_owned(),
        "code=x&state=".to_owned(),
        "code=x&state=%ff".to_owned(),
        format!("code=x&state={}", "y".repeat(3000)),
        format!("state={state}&state={state}&code=x"),
        format!("{}&code=x", good.query().unwrap_or_default()),
        format!("{}&iss=x", good.query().unwrap_or_default()),
    ] {
        let mut browser = browser.clone();
        let visit = browser.visit(&format!("{base}?{query}")).await;
        assert_refused(&world, &browser, &visit, &query);
        assert!(!visit.last().status.is_server_error(), "{query}: {}", visit.last().status);
    }
}
