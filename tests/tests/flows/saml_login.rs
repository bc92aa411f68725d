//! Signing in through a provider that speaks SAML: what is asked, what counts, when, and how often.

use futures_util::future::join_all;
use http::StatusCode;
use serde_json::json;
use vestibule_testkit::{Says, Signs};
use vestibule_tests::Reply;
use vestibule_tests::in_process::{ALICE, TestBroker, claims, signed_in};
use vestibule_tests::watched_store::{DiesAfter, Yields, watched};

/// Nobody is signed in, and nothing goes to the application.
fn assert_refused(reply: &Reply, what: &str) {
    assert!(
        reply.status.is_client_error() || reply.status.is_server_error(),
        "{what}: {} {}",
        reply.status,
        reply.body
    );
    let session = reply.set_cookies().iter().any(|cookie| cookie.starts_with("__Host-session="));
    assert!(!session && reply.location().is_none(), "{what}");
}

/// Whether a reply signs somebody in.
fn has_session(reply: &Reply) -> bool {
    reply.set_cookies().iter().any(|cookie| cookie.starts_with("__Host-session="))
}

/// The whole sign-in, and what the application gets. SA-16: the `RelayState` is a short opaque name.
#[tokio::test]
async fn somebody_signs_in() {
    let (test, idp) = TestBroker::with_saml(&json!({})).await;
    let (asked, cookie) = test.start_saml("saml", &[("nonce", "n")]).await;
    let relay_state = asked.relay_state.clone().expect("a RelayState");
    assert!(relay_state.len() <= 80 && !relay_state.contains(':'), "{relay_state}");
    let says = idp.says(&asked, ALICE).with("email", &[ALICE]);
    let reply = test.finish_saml(&idp, &says, &asked, &cookie).await;
    let dropped = format!("__Host-login-{relay_state}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=None");
    assert!(reply.set_cookies().contains(&dropped.as_str()), "{:?}", reply.set_cookies());
    let tokens = test.redeem(&signed_in(&reply).code).await;
    assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.body);
    let claims = claims(&tokens.json()["id_token"]);
    assert_eq!(
        (&claims["acr"], &claims["email"], &claims["nonce"]),
        (&json!(says.context), &json!(ALICE), &json!("n"))
    );
    assert_eq!(claims["auth_time"], says.authenticated_at.seconds());
    assert_eq!(claims["email_verified"], json!(null), "nobody said so");
    for signs in [Signs::Response, Signs::Both] {
        let (asked, cookie) = test.start_saml("saml", &[]).await;
        let mut says = idp.says(&asked, ALICE);
        says.signs = signs;
        assert!(has_session(&test.finish_saml(&idp, &says, &asked, &cookie).await), "{signs:?}");
    }
}

/// SA-12: a login may take ten minutes, and its answer counts in the browser that began it, at the connection that it was
/// begun with.
#[tokio::test]
async fn an_answer_finds_its_login() {
    let (test, idp) = TestBroker::with_saml(&json!({})).await;
    test.connect_saml("second", &idp, &json!({})).await;
    for (seconds, is_in_time) in [(540, true), (599, true), (600, false), (660, false)] {
        let (asked, cookie) = test.start_saml("saml", &[]).await;
        test.later(seconds);
        let reply = test.finish_saml(&idp, &idp.says(&asked, ALICE), &asked, &cookie).await;
        assert_eq!(has_session(&reply), is_in_time, "{seconds}: {}", reply.body);
        if !is_in_time {
            assert_refused(&reply, "too late");
            assert!(reply.body.contains("This sign-in has expired"), "{}", reply.body);
        }
    }
    let (asked, cookie) = test.start_saml("saml", &[]).await;
    let (other, others_cookie) = test.start_saml("saml", &[]).await;
    let says = idp.says(&asked, ALICE);
    assert_refused(&test.finish_saml(&idp, &says, &asked, "").await, "another browser");
    assert_refused(&test.finish_saml(&idp, &says, &asked, &others_cookie).await, "a browser with a login of its own");
    assert_refused(&test.finish_saml(&idp, &says, &other, &others_cookie).await, "another request");
    let response = idp.response(&says).await.expect("a response");
    let (there, state) = ("https://sso.example/saml/acme/second/acs", asked.relay_state.as_deref());
    assert_refused(&test.post_saml(there, &response, state, &cookie).await, "another connection");
    let meant = Says {
        audience: "https://sso.example/saml/acme/second".to_owned(),
        destination: there.to_owned(),
        recipient: there.to_owned(),
        ..idp.says(&asked, ALICE)
    };
    let meant = idp.response(&meant).await.expect("a response");
    assert_refused(&test.post_saml(there, &meant, state, &cookie).await, "another connection, for which it is meant");
    let nowhere = "https://sso.example/saml/nobody/saml/acs";
    assert_refused(&test.post_saml(nowhere, &response, state, &cookie).await, "another tenant");
    assert_refused(&test.post_saml(&asked.acs, &response, None, &cookie).await, "no RelayState");
    let oidc = "https://sso.example/saml/acme/idp/acs";
    assert_refused(&test.post_saml(oidc, &response, state, &cookie).await, "a connection that speaks OpenID Connect");
    let callback = format!("/oauth2/callback?state={}&code=x", state.unwrap_or_default());
    assert_refused(&test.get(&callback, &cookie).await, "at the callback of the other protocol");
    assert!(has_session(&test.finish_saml(&idp, &says, &asked, &cookie).await), "it was not spent");
}

/// SA-13: of twenty posts of one response at once, one signs in. A second assertion for the same request does not either.
#[tokio::test]
async fn an_assertion_counts_once() {
    let (test, idp) = TestBroker::with_saml(&json!({})).await;
    let (asked, cookie) = test.start_saml("saml", &[]).await;
    let others: Vec<TestBroker> = (0..4).map(|_| test.another_process(Some(watched(&test.store, Yields).0))).collect();
    let (says, again) = (idp.says(&asked, ALICE), idp.says(&asked, ALICE));
    let posts = (0..20).map(|index| {
        let says = if index % 2 == 0 { &says } else { &again };
        others[index % 4].finish_saml(&idp, says, &asked, &cookie)
    });
    let replies = join_all(posts).await;
    assert_eq!(replies.iter().filter(|reply| has_session(reply)).count(), 1);
    for reply in replies.iter().filter(|reply| !has_session(reply)) {
        assert_refused(reply, "again");
        assert!(reply.body.contains("was already finished"), "{}", reply.body);
    }
    test.later(299);
    assert_refused(&test.finish_saml(&idp, &says, &asked, &cookie).await, "as long as the assertion counts");
}

/// SA-13: a process that dies between the assertion's end and the session's beginning leaves nothing to be used again.
#[tokio::test]
async fn a_crash_does_not_free_an_assertion() {
    let (test, idp) = TestBroker::with_saml(&json!({})).await;
    test.sign_in_by_saml("saml", &idp).await;
    let (asked, cookie) = test.start_saml("saml", &[]).await;
    let says = idp.says(&asked, ALICE);
    let dying = test.another_process(Some(watched(&test.store, DiesAfter::commit_to("sessions")).0));
    assert_refused(&dying.finish_saml(&idp, &says, &asked, &cookie).await, "it died");
    assert_refused(&test.finish_saml(&idp, &says, &asked, &cookie).await, "used");
    assert!(has_session(&test.sign_in_by_saml("saml", &idp).await), "a new login is none the worse");
}

/// SA-14: the session ends when the provider's does.
#[tokio::test]
async fn a_session_ends_with_the_providers() {
    let (test, idp) = TestBroker::with_saml(&json!({})).await;
    let (asked, cookie) = test.start_saml("saml", &[]).await;
    let mut says = idp.says(&asked, ALICE);
    says.session_ends = Some(says.ends + vestibule_protocol::time::Seconds(300));
    let reply = test.finish_saml(&idp, &says, &asked, &cookie).await;
    let session = reply.set_cookies().into_iter().find(|cookie| cookie.starts_with("__Host-session="));
    assert!(session.is_some_and(|cookie| cookie.contains("Max-Age=600;")), "{session:?}");
    let (cookie, tokens) = (signed_in(&reply).cookie, test.redeem(&signed_in(&reply).code).await.json());
    let refresh_token = tokens["refresh_token"].as_str().expect("a token").to_owned();
    test.later(599);
    let again = test.authorize(&[("prompt", "none")], &cookie).await.location().expect("the application");
    assert!(again.query_pairs().any(|(name, _)| name == "code"), "{again}");
    let refreshed = test.refresh(&refresh_token).await;
    let refresh_token = refreshed.json()["refresh_token"].as_str().expect("a token").to_owned();
    test.later(1);
    let over = test.authorize(&[("prompt", "none")], &cookie).await.location().expect("the application");
    assert_eq!(Reply::one_param(&over, "error"), "login_required");
    assert_eq!(test.refresh(&refresh_token).await.status, StatusCode::BAD_REQUEST);
}

/// SA-11: clocks may be a minute apart, in either direction, and no more.
#[tokio::test]
async fn clocks_may_differ_a_little() {
    let (test, idp) = TestBroker::with_saml(&json!({})).await;
    for (ago, counts) in [(-60, true), (-61, false), (359, true), (360, false)] {
        let (asked, cookie) = test.start_saml("saml", &[]).await;
        let says = idp.says(&asked, ALICE).ago(ago);
        assert_eq!(has_session(&test.finish_saml(&idp, &says, &asked, &cookie).await), counts, "{ago}");
    }
}

/// SA-9: what the provider refuses reaches the application, if it is the answer to this request; SAML does not sign it.
#[tokio::test]
async fn a_refusal_reaches_the_application() {
    let (test, idp) = TestBroker::with_saml(&json!({})).await;
    let (asked, cookie) = test.start_saml("saml", &[("state", "s")]).await;
    let mut says = idp.says(&asked, ALICE);
    says.failure = Some("AuthnFailed");
    for other in [None, Some("_other".to_owned())] {
        says.in_response_to = other;
        assert_refused(&test.finish_saml(&idp, &says, &asked, &cookie).await, "a refusal of something else");
    }
    says.in_response_to = Some(asked.id.clone());
    assert_refused(&test.finish_saml(&idp, &says, &asked, "").await, "in another browser");
    let there = test.finish_saml(&idp, &says, &asked, &cookie).await.location().expect("the application");
    assert_eq!(Reply::one_param(&there, "error"), "access_denied");
    assert_eq!(Reply::one_param(&there, "state"), "s");
}
