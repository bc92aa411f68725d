//! Attacks on a relayed login: somebody else's code, cookies that are not what they say, and codes that come again.

use serde_json::json;
use vestibule_tests::control_plane::ControlPlane;
use vestibule_tests::{Browser, Reply, World};

fn assert_no_login(reply: &Reply, why: &str) {
    assert_eq!((reply.status.as_u16(), reply.text("error").as_str()), (400, "invalid_grant"), "{why}");
    assert!(reply.set_cookies().is_empty(), "{why}: {:?}", reply.headers);
}

/// A code redeemed in a browser that did not begin its login: no cookie, or a login of its own. RP-1.
#[tokio::test]
async fn a_code_in_another_browser_is_refused() {
    let world = World::new().await;
    let plane = ControlPlane::new(&world).await;
    let mut attacker = Browser::new();
    let visit = plane.sign_in(&world, &mut attacker).await;
    let call = plane.redeem(&world.tenant, visit.arrived());
    let empty = plane.send(&mut Browser::new(), &call).await;
    assert_no_login(&empty, "a browser without a login");
    let mut victim = Browser::new();
    plane.start(&mut victim, &world.tenant).await;
    assert_no_login(&plane.send(&mut victim, &call).await, "a browser with a login of its own");
    assert_no_login(&plane.send(&mut attacker, &call).await, "that attempt spent the code");
}

/// A state that names another login, of this browser or of none. RP-1.
#[tokio::test]
async fn a_swapped_state_is_refused() {
    let world = World::new().await;
    let plane = ControlPlane::new(&world).await;
    let mut browser = Browser::new();
    let first = plane.sign_in(&world, &mut browser).await;
    let second = plane.sign_in(&world, &mut browser).await;
    let state = |visit: &vestibule_tests::browser::Visit| Reply::one_param(visit.arrived(), "state");
    let mut body = plane.code_body(&world.tenant, first.arrived());
    for unknown in ["", "x", "../x", &"y".repeat(3000)] {
        body["state"] = json!(unknown);
        assert_no_login(&plane.send(&mut browser, &plane.call("token", &body)).await, unknown);
    }
    body["state"] = json!(state(&second));
    assert_no_login(&plane.send(&mut browser, &plane.call("token", &body)).await, "the other tab's");
    body["state"] = json!(state(&first));
    assert_no_login(&plane.send(&mut browser, &plane.call("token", &body)).await, "the swap spent the code");
    let mut body = plane.code_body(&world.tenant, second.arrived());
    body["state"] = json!(state(&second));
    assert_eq!(plane.send(&mut browser, &plane.call("token", &body)).await.status, 201, "the other login goes on");
}

/// Cookies that were changed, cut off, made up or exchanged are no logins, and no errors of ours. CK-10, CK-9.
#[tokio::test]
async fn tampered_cookies_are_refused() {
    let world = World::new().await;
    let plane = ControlPlane::new(&world).await;
    let mut browser = Browser::new();
    let visit = plane.sign_in(&world, &mut browser).await;
    let call = plane.redeem(&world.tenant, visit.arrived());
    let state = Reply::one_param(visit.arrived(), "state");
    let name = format!("__Host-relay-{state}");
    let value = plane.cookie(&browser, &name).expect("a cookie");
    let mut other = Browser::new();
    plane.start(&mut other, &world.tenant).await;
    let of_another_login = other.jar().first().expect("a cookie").value.clone();
    let flip = |at: usize| {
        let change = |(index, letter)| if index == at { if letter == 'A' { 'B' } else { 'A' } } else { letter };
        value.chars().enumerate().map(change).collect::<String>()
    };
    let len = value.len();
    let mut tampered: Vec<String> = [0, 1, len / 4, len / 2, len - 2].into_iter().map(flip).collect();
    tampered.extend([1, 16, len / 2].map(|cut| value.chars().take(len - cut).collect()));
    tampered.extend(["", "x", ".", "%ff"].map(str::to_owned));
    tampered.extend([format!("{value}A"), format!("nokey.{value}"), of_another_login]);
    for wrong in tampered {
        let mut tampered = browser.clone();
        for cookie in tampered.jar().iter_mut().filter(|cookie| cookie.name == name) {
            cookie.value.clone_from(&wrong);
        }
        assert_no_login(&plane.send(&mut tampered, &call).await, &wrong);
    }
    assert_eq!(plane.send(&mut browser, &call).await.status, 201, "the right one still works");
}

/// The broker's own login cookie, under the relay's name, is none of the relay's: each is sealed for its purpose. CK-10.
#[tokio::test]
async fn a_cookie_of_another_purpose_is_refused() {
    let world = World::new().await;
    let plane = ControlPlane::new(&world).await;
    let mut browser = Browser::new();
    let visit = plane.sign_in(&world, &mut browser).await;
    // A login of the same application, tenant and address: the purpose is all that differs.
    let mut fresh = Browser::new();
    let started = plane.start(&mut fresh, &world.tenant).await;
    fresh.jar().clear();
    fresh.get(&started.text("authorizationEndpoint")).await;
    let login = fresh.jar().first_mut().expect("a cookie");
    let id = login.name.strip_prefix("__Host-login-").expect("a login's").to_owned();
    login.name = format!("__Host-relay-{id}");
    let mut body = plane.code_body(&world.tenant, visit.arrived());
    body["state"] = json!(id);
    assert_no_login(&plane.send(&mut fresh, &plane.call("token", &body)).await, "a login's cookie");
    let reply = plane.send(&mut browser, &plane.redeem(&world.tenant, visit.arrived())).await;
    assert_eq!(reply.status, 201, "nothing was spent: {}", reply.body);
}

/// A code works once, even with its cookie put back; its replay ends what it began. AZ-8.
#[tokio::test]
async fn a_replayed_code_ends_the_session() {
    let world = World::new().await;
    let plane = ControlPlane::new(&world).await;
    let mut browser = Browser::new();
    let visit = plane.sign_in(&world, &mut browser).await;
    let mut thief = browser.clone();
    let call = plane.redeem(&world.tenant, visit.arrived());
    assert_eq!(plane.send(&mut browser, &call).await.status, 201);
    assert_no_login(&plane.send(&mut browser, &call).await, "its cookie is gone");
    let refresh = plane.call("refresh", &json!(null));
    assert_eq!(plane.send(&mut browser, &refresh).await.status, 200, "a reload harms nobody");
    assert_no_login(&plane.send(&mut thief, &call).await, "its cookie put back");
    assert_eq!(plane.send(&mut browser, &refresh).await.status, 400, "what the code began is over");
}
