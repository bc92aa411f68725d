//! Whoever signs out here signs out at their provider that speaks SAML, and comes back.

use http::{Method, StatusCode};
use serde_json::json;
use vestibule_protocol::saml::{LogoutAnswer, LogoutRequest, LogoutStatus, RedirectMessage};
use vestibule_protocol::time::Seconds;
use vestibule_testkit::FakeSamlIdp;
use vestibule_tests::Reply;
use vestibule_tests::in_process::leaving::{SLO, THERE, by_post, by_redirect};
use vestibule_tests::in_process::{ALICE, CALLBACK, TestBroker};
use vestibule_tests::watched_store::{Counter, watched};

const BYE: &str = "https://app.example/bye";
const US: &str = "https://sso.example/saml/acme/saml";

/// A provider that takes logout messages by these bindings, and an application with an address for the way back.
async fn leaving(bindings: &[&str], frame: Option<&str>) -> (TestBroker, FakeSamlIdp) {
    let (test, idp) = TestBroker::leaving(bindings).await;
    let client = json!({
        "name": "App", "tenants": ["acme"], "redirect_uris": [CALLBACK], "post_logout_redirect_uris": [BYE],
        "client_auth": "client_secret_post", "client_secret": "secret-of-the-application-0123456789",
        "frontchannel_logout_uri": frame,
    });
    test.admin(Method::PUT, "/clients/app", &client).await;
    (test, idp)
}

/// Somebody signs in and out again. The session is over before the browser leaves.
async fn sign_out(test: &TestBroker, idp: &FakeSamlIdp) -> Reply {
    let alice = test.alice(idp, "saml").await;
    let hint = alice.tokens["id_token"].as_str().expect("a token");
    let query = format!("/oauth2/logout?id_token_hint={hint}&post_logout_redirect_uri={BYE}&state=s");
    let reply = test.get(&query, &alice.cookie).await;
    assert!(!test.is_in(&alice).await);
    reply
}

/// The cookie of a sign-out that is under way, as `name=value`, and its handle.
fn held(reply: &Reply) -> (String, String) {
    let cookies = reply.set_cookies();
    let cookie = cookies.iter().find(|cookie| cookie.starts_with("__Host-logout-")).expect("a cookie");
    assert!(cookie.ends_with("; Path=/; Max-Age=600; Secure; HttpOnly; SameSite=None"), "{cookie}");
    let pair = cookie.split(';').next().expect("a pair");
    let handle = pair.trim_start_matches("__Host-logout-").split('=').next().expect("a handle");
    (pair.to_owned(), handle.to_owned())
}

/// Another of the same length.
fn swapped(text: &str) -> String {
    text.chars().rev().collect()
}

/// LO-7, SA-16: the provider is told in its own words who leaves, the answer brings the browser to the application.
#[tokio::test]
async fn the_browser_goes_by_way_of_the_provider() {
    let (test, idp) = leaving(&["post", "redirect"], None).await;
    let (asked, cookie) = test.start_saml("saml", &[]).await;
    let says = idp.says(&asked, ALICE);
    let says = vestibule_testkit::Says {
        format: Some("urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress".to_owned()),
        ..says
    };
    let signed = vestibule_tests::in_process::signed_in(&test.finish_saml(&idp, &says, &asked, &cookie).await);
    let tokens = test.redeem(&signed.code).await.json();
    let hint = tokens["id_token"].as_str().expect("a token");
    let reply = test
        .get(&format!("/oauth2/logout?id_token_hint={hint}&post_logout_redirect_uri={BYE}&state=s"), &signed.cookie)
        .await;
    let location = reply.location().expect("to the provider");
    assert!(location.as_str().starts_with(&format!("{THERE}?SAMLRequest=")), "{location}");
    let message = by_redirect(&test.published_keys().await[0], &location).await;
    let (pair, handle) = held(&reply);
    assert_eq!(message.relay_state.as_deref(), Some(handle.as_str()));
    assert!(handle.len() <= 80 && !pair.contains("app.example"));
    let now = vestibule_core::platform::Clock::now(&*test.clock);
    let request = LogoutRequest::read(&message.xml, THERE, US, now, Seconds(0)).expect("a request");
    assert_eq!((request.name_id.value.as_str(), &request.name_id.format), (ALICE, &says.format));
    assert_eq!(request.session_indexes, [says.session_index.expect("a session")]);
    assert_eq!(request.ends, Some(now + Seconds(600)));
    let answer = idp.has_left(SLO, &request.id).to_xml();
    let query = idp.query(&answer, true, Some(&handle)).await.expect("a signature");
    let back = test.slo(&query, &pair).await;
    assert_eq!(back.location().map(String::from), Some(format!("{BYE}?state=s")), "{}", back.body);
    let dropped = format!("__Host-logout-{handle}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=None");
    assert!(back.set_cookies().contains(&dropped.as_str()));
}

/// A provider that takes posts only gets its request from a page that posts it; where applications have frames, they come first.
#[tokio::test]
async fn a_request_can_be_posted() {
    for frame in [None, Some("https://app.example/frame")] {
        let (test, idp) = leaving(&["post"], frame).await;
        let reply = sign_out(&test, &idp).await;
        assert_eq!(reply.status, StatusCode::OK);
        assert_eq!(reply.body.matches("<iframe").count(), usize::from(frame.is_some()));
        let key = &test.published_keys().await[0];
        let (to, xml, relay_state) = by_post(key, &reply, "SAMLRequest").await;
        let (pair, handle) = held(&reply);
        assert_eq!((to.as_str(), relay_state.as_deref()), (THERE, Some(handle.as_str())));
        assert!(xml.contains(ALICE));
        let answer = idp.has_left(SLO, &format!("_{handle}"));
        let signed = idp.signed(&answer.to_xml(), &answer.id).await.expect("a signature");
        let form = [("SAMLResponse", &*FakeSamlIdp::posted(&signed)), ("RelayState", &*handle)];
        let back = test.post_with("/saml/acme/saml/slo", &form, &pair).await;
        assert_eq!(back.location().map(String::from), Some(format!("{BYE}?state=s")), "{}", back.body);
    }
}

/// Providers that do not sign their answers, and such that did not sign everybody out: the browser goes on.
#[tokio::test]
async fn an_answer_need_not_be_signed_nor_happy() {
    let (test, idp) = leaving(&["redirect"], None).await;
    for status in [LogoutStatus::Success, LogoutStatus::Partial, LogoutStatus::Failure] {
        let (pair, handle) = held(&sign_out(&test, &idp).await);
        let answer = LogoutAnswer { status, ..idp.has_left(SLO, &format!("_{handle}")) };
        let back = test.slo(&RedirectMessage::write(&answer.to_xml(), true, Some(&handle), None), &pair).await;
        assert_eq!(back.location().map(String::from), Some(format!("{BYE}?state=s")), "{status:?} {}", back.body);
    }
}

/// LO-7: an answer counts in the browser that left, for the request that it left with, once, in time. Nobody else's leads
/// anywhere.
#[tokio::test]
async fn an_answer_that_breaks_a_rule_leads_nowhere() {
    let (test, idp) = leaving(&["redirect"], None).await;
    let other = test.saml_idp().await;
    let (pair, handle) = held(&sign_out(&test, &idp).await);
    let (second, another) = held(&sign_out(&test, &idp).await);
    let good = idp.has_left(SLO, &format!("_{handle}"));
    let right = idp.query(&good.to_xml(), true, Some(&handle)).await.expect("a signature");
    let unsigned = |answer: &LogoutAnswer| RedirectMessage::write(&answer.to_xml(), true, Some(&handle), None);
    let forged = other.query(&good.to_xml(), true, Some(&handle)).await.expect("a signature");
    let request = format!("_{another}");
    let moved = pair.replace(&handle, &another);
    for (what, query, cookie) in [
        ("no cookie", right.clone(), ""),
        ("another sign-out's cookie", right.clone(), second.as_str()),
        ("a cookie of another name", right.replace(&handle, &another), moved.as_str()),
        ("a changed cookie", right.clone(), &format!("__Host-logout-{handle}={}", swapped(&pair))),
        ("a wrong signature", forged, &pair),
        ("a broken signature", right.replace("Signature=", "Signature=AAAA"), &pair),
        ("another request", unsigned(&LogoutAnswer { in_response_to: request, ..good.clone() }), &pair),
        ("no request", unsigned(&LogoutAnswer { in_response_to: String::new(), ..good.clone() }), &pair),
        (
            "another issuer",
            unsigned(&LogoutAnswer { issuer: "https://other.example".to_owned(), ..good.clone() }),
            &pair,
        ),
        ("another address", unsigned(&LogoutAnswer { destination: format!("{SLO}/x"), ..good.clone() }), &pair),
        ("no relay state", RedirectMessage::write(&good.to_xml(), true, None, None), &pair),
        ("as a request", RedirectMessage::write(&good.to_xml(), false, Some(&handle), None), &pair),
    ] {
        let reply = test.slo(&query, cookie).await;
        assert_eq!((reply.status, reply.location()), (StatusCode::BAD_REQUEST, None), "{what}");
        assert!(reply.set_cookies().is_empty(), "{what}");
    }
    let elsewhere = test.get(&format!("/saml/acme/idp/slo?{right}"), &pair).await;
    assert_eq!(elsewhere.location(), None, "at another connection");
    test.later(599);
    assert!(test.slo(&right, &pair).await.location().is_some());
    test.later(1);
    assert_eq!(test.slo(&right, &pair).await.status, StatusCode::BAD_REQUEST, "too late");
}

/// Without a place at the provider, or without its metadata, the sign-out here is all there is.
#[tokio::test]
async fn a_provider_without_a_place_is_left_out() {
    let (test, idp) = leaving(&[], None).await;
    let back = sign_out(&test, &idp).await;
    assert_eq!(back.location().map(String::from), Some(format!("{BYE}?state=s")));
    assert!(!back.set_cookies().iter().any(|cookie| cookie.starts_with("__Host-logout-")));
    let request = idp.query(&idp.leaves(SLO, ALICE, &[]).to_xml(), false, None).await.expect("a signature");
    let reply = test.slo(&request, "").await;
    assert_eq!((reply.status, reply.location()), (StatusCode::OK, None), "there is nowhere to answer to");
}

/// No more than three sign-outs are kept in a browser, and what is kept costs no write.
#[tokio::test]
async fn nothing_is_written_for_the_way_back() {
    let (test, idp) = leaving(&["redirect"], None).await;
    let (pair, handle) = held(&sign_out(&test, &idp).await);
    let (store, counter) = watched(&test.store, Counter::default());
    let process = test.another_process(Some(store));
    let answer = idp.has_left(SLO, &format!("_{handle}")).to_xml();
    let query = idp.query(&answer, true, Some(&handle)).await.expect("a signature");
    assert!(process.slo(&query, &pair).await.location().is_some());
    assert_eq!(counter.calls().1, Vec::<String>::new());
    let alice = test.alice(&idp, "saml").await;
    let hint = alice.tokens["id_token"].as_str().expect("a token");
    let three = "__Host-logout-a=1; __Host-logout-b=2; __Host-logout-c=3";
    let reply = test.get(&format!("/oauth2/logout?id_token_hint={hint}"), three).await;
    let dropped: Vec<_> = reply.set_cookies().into_iter().filter(|cookie| cookie.contains("Max-Age=0")).collect();
    assert_eq!(dropped.len(), 1, "{dropped:?}");
    assert!(dropped[0].starts_with("__Host-logout-a=;"));
}
