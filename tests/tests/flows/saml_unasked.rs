//! Responses that nobody here asked for: refused, or the beginning of an application's own login. SA-12, SA-13.

use futures_util::future::join_all;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use url::Url;
use vestibule_testkit::{Asked, FakeSamlIdp, Says};
use vestibule_tests::Reply;
use vestibule_tests::in_process::{ALICE, CALLBACK, TestBroker};
use vestibule_tests::watched_store::{Yields, watched};

const ACS: &str = "https://sso.example/saml/acme/saml/acs";
const START: &str = "https://app.example/start";

/// A broker that takes such responses, and leads to `app`; `other` and `foreign` are applications of this and another tenant.
async fn taking(mode: &str) -> (TestBroker, FakeSamlIdp) {
    let initiated = json!({ "client": "app", "mode": mode });
    let (test, idp) = TestBroker::with_saml(&json!({ "idp_initiated": initiated })).await;
    test.admin(Method::PUT, "/tenants/globex", &json!({ "name": "Globex" })).await;
    for (id, tenant, start) in [
        ("app", "acme", Some(START)),
        ("other", "acme", Some("https://other.example/start")),
        ("foreign", "globex", Some("https://foreign.example/start")),
        ("unable", "acme", None),
    ] {
        let client = json!({
            "name": id, "tenants": [tenant], "redirect_uris": [CALLBACK], "client_auth": "client_secret_post",
            "client_secret": "secret-of-the-application-0123456789", "initiate_login_uri": start,
        });
        test.admin(Method::PUT, &format!("/clients/{id}"), &client).await;
    }
    (test, idp)
}

/// What the provider sends of its own accord.
fn tile(idp: &FakeSamlIdp) -> Says {
    let asked = Asked::nothing("https://sso.example/saml/acme/saml", ACS);
    Says { in_response_to: None, ..idp.says(&asked, ALICE) }
}

async fn send(test: &TestBroker, idp: &FakeSamlIdp, says: &Says, relay_state: Option<&str>) -> Reply {
    let response = idp.response(says).await.expect("a response");
    test.post_saml(ACS, &response, relay_state, "").await
}

fn session(reply: &Reply) -> Option<String> {
    let cookies = reply.set_cookies();
    let session = cookies.iter().find(|cookie| cookie.starts_with("__Host-session="))?;
    session.split(';').next().map(str::to_owned)
}

/// Where it leads: the address without its query, and the `target_link_uri`.
fn led(reply: &Reply) -> (String, Option<String>) {
    let there = reply.location().unwrap_or_else(|| panic!("{} {}", reply.status, reply.body));
    assert_eq!(Reply::one_param(&there, "iss"), "https://sso.example");
    assert_eq!(Reply::one_param(&there, "tenant"), "acme");
    assert_eq!(Reply::one_param(&there, "connection"), "saml");
    let target = there.query_pairs().find(|(name, _)| name == "target_link_uri").map(|(_, value)| value.into_owned());
    (there[..url::Position::AfterPath].to_owned(), target)
}

/// Unless the connection is set to take it, it is refused, and says where to start.
#[tokio::test]
async fn it_is_refused_unless_it_is_taken() {
    let (test, idp) = TestBroker::with_saml(&json!({})).await;
    for relay_state in [None, Some("https://app.example/"), Some("app")] {
        let reply = send(&test, &idp, &tile(&idp), relay_state).await;
        reply.assert_error_page();
        assert!(session(&reply).is_none() && reply.body.contains("Start at your application"), "{}", reply.body);
    }
    // Neither is one that names the request of a login whose cookie is gone: that one is told so.
    let (asked, _) = test.start_saml("saml", &[]).await;
    let reply = send(&test, &idp, &idp.says(&asked, ALICE), asked.relay_state.as_deref()).await;
    assert!(reply.body.contains("This sign-in has expired"), "{}", reply.body);
}

/// It is not believed: whatever it holds, the application starts a login of its own, and nobody is signed in.
#[tokio::test]
async fn a_restart_believes_nothing() {
    let (test, idp) = taking("restart").await;
    let forged = Says { issuer: "https://evil.example/".to_owned(), ..tile(&idp) };
    for says in [tile(&idp), forged] {
        let reply = send(&test, &idp, &says, None).await;
        assert_eq!((reply.status, led(&reply)), (StatusCode::SEE_OTHER, (START.to_owned(), None)));
        assert!(reply.set_cookies().is_empty());
    }
    let users = test.admin(Method::GET, "/tenants/acme/users", &Value::Null).await;
    assert_eq!(users["items"], json!([]));
    // The application's own login is then answered as any other.
    assert!(session(&test.sign_in_by_saml("saml", &idp).await).is_some());
}

/// SA-16: the `RelayState` chooses among the tenant's applications, or a page of the application's own; nothing else.
#[tokio::test]
async fn the_relay_state_is_no_open_redirect() {
    let (test, idp) = taking("restart").await;
    for (relay_state, place, target) in [
        ("other", "https://other.example/start", None),
        ("https://app.example/reports?x=1", START, Some("https://app.example/reports?x=1")),
        ("foreign", START, None),
        ("unable", START, None),
        ("nobody", START, None),
        ("https://evil.example/", START, None),
        ("https://other.example/start", START, None),
        ("https://app.example@evil.example/", START, None),
        ("//evil.example", START, None),
        ("javascript:alert(1)", START, None),
        ("ss:mem:0123456789", START, None),
    ] {
        let reply = send(&test, &idp, &tile(&idp), Some(relay_state)).await;
        assert_eq!(led(&reply), (place.to_owned(), target.map(str::to_owned)), "{relay_state}");
    }
    // One of ours, whose login is gone: no circle.
    let reply = send(&test, &idp, &tile(&idp), Some("AAAAAAAAAAAAAAAAAAAAAA")).await;
    assert!(reply.location().is_none() && reply.body.contains("This sign-in has expired"), "{}", reply.body);
}

/// It begins a session, once, without a code; the application's own login goes on from there.
#[tokio::test]
async fn an_accepted_one_begins_a_session() {
    let (test, idp) = taking("accept").await;
    let says = Says { session_ends: None, ..tile(&idp) }.with("email", &[ALICE]);
    let reply = send(&test, &idp, &says, None).await;
    assert_eq!(led(&reply), (START.to_owned(), None));
    assert!(!reply.location().is_some_and(|there| there.query_pairs().any(|(name, _)| name == "code")));
    let cookie = session(&reply).expect("a session");
    let there = test.authorize(&[("tenant", "acme"), ("connection", "saml"), ("prompt", "none")], &cookie).await;
    let code = Reply::one_param(&there.location().expect("the application"), "code");
    assert_eq!(test.redeem(&code).await.status, StatusCode::OK);
    let again = send(&test, &idp, &says, None).await;
    assert!(session(&again).is_none() && again.location().is_none(), "used: {}", again.body);
    for _ in 0..15 {
        test.broker.tick().await.expect("a tick");
        test.later(60);
    }
    let page = test.admin(Method::GET, "/tenants/acme/audit?from=2025-06-15", &Value::Null).await;
    let kinds = page["events"].as_array().expect("events").iter().map(|event| event["kind"].as_str());
    assert_eq!(kinds.filter(|kind| *kind == Some("signed_in")).count(), 1, "{page}");
}

/// Everything that a requested one must be; and Rippling's way to name a request that nobody made is told as such.
#[tokio::test]
async fn an_accepted_one_is_verified() {
    let (test, idp) = taking("accept").await;
    let other = test.saml_idp().await;
    let (asked, _) = test.start_saml("saml", &[]).await;
    let wrong = [
        (&other, tile(&idp), "was refused"),
        (&idp, Says { audience: "https://other.example".to_owned(), ..tile(&idp) }, "was refused"),
        (&idp, Says { signs: vestibule_testkit::Signs::Nothing, ..tile(&idp) }, "was refused"),
        (&idp, tile(&idp).ago(400), "was refused"),
        (&idp, Says { failure: Some("AuthnFailed"), ..tile(&idp) }, "was refused"),
        (&idp, Says { in_response_to: Some("_dummy".to_owned()), ..tile(&idp) }, "Disable InResponseTo field"),
        (&idp, idp.says(&asked, ALICE), "Disable InResponseTo field"),
    ];
    for (signer, says, words) in wrong {
        let reply = send(&test, signer, &says, None).await;
        assert!(session(&reply).is_none() && reply.location().is_none(), "{words}");
        assert!(reply.body.contains(words), "{words}: {}", reply.body);
    }
    // And what answers a login counts for that alone.
    let (asked, cookie) = test.start_saml("saml", &[]).await;
    let unasked = Says { id: "_twice".to_owned(), ..tile(&idp) };
    let reply = test.finish_saml(&idp, &unasked, &asked, &cookie).await;
    assert!(session(&reply).is_none() && reply.location().is_none(), "{}", reply.body);
}

/// SA-13: of twenty at once, one begins a session.
#[tokio::test]
async fn an_accepted_one_counts_once() {
    let (test, idp) = taking("accept").await;
    let busy = test.another_process(Some(watched(&test.store, Yields).0));
    let says = tile(&idp);
    let replies = join_all((0..20).map(|_| send(&busy, &idp, &says, None))).await;
    assert_eq!(replies.iter().filter(|reply| session(reply).is_some()).count(), 1);
}

/// A tenant's checkpoint is not gone around: the application's login meets it, whatever began the session.
#[tokio::test]
async fn the_checkpoint_still_asks() {
    let (test, idp) = taking("accept").await;
    let checkpoint = json!({ "when": "once_per_session", "justification": {} });
    test.admin(Method::PUT, "/tenants/acme", &json!({ "name": "Acme", "checkpoint": checkpoint })).await;
    let cookie = session(&send(&test, &idp, &tile(&idp), None).await).expect("a session");
    let reply = test.authorize(&[("tenant", "acme"), ("connection", "saml")], &cookie).await;
    let there: Url = reply.location().expect("a question");
    assert_eq!(there.path(), "/oauth2/checkpoint");
    let silent = test.authorize(&[("tenant", "acme"), ("connection", "saml"), ("prompt", "none")], &cookie).await;
    assert_eq!(Reply::one_param(&silent.location().expect("the application"), "error"), "interaction_required");
}

/// Who may not sign in does not, and an application that cannot be started is said to be missing.
#[tokio::test]
async fn nobody_gets_in_who_would_not_otherwise() {
    let (test, idp) = taking("accept").await;
    let provisioned = json!({ "name": "Acme", "provisioning": { "mode": "scim" } });
    test.admin(Method::PUT, "/tenants/acme", &provisioned).await;
    let reply = send(&test, &idp, &tile(&idp), None).await;
    assert!(session(&reply).is_none() && reply.body.contains("You have no access yet"), "{}", reply.body);
    for client in ["unable", "foreign", "nobody"] {
        let initiated = json!({ "idp_initiated": { "client": client, "mode": "restart" } });
        test.connect_saml("saml", &idp, &initiated).await;
        let reply = test.another_process(None);
        let reply = send(&reply, &idp, &tile(&idp), None).await;
        reply.assert_error_page();
        assert!(reply.body.contains("initiate_login_uri"), "{client}: {}", reply.body);
    }
}
