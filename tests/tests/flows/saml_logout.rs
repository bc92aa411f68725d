//! A provider that speaks SAML says that somebody signs out.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::future::join_all;
use http::StatusCode;
use serde_json::json;
use vestibule_core::platform::Clock;
use vestibule_protocol::saml::{LogoutAnswer, LogoutRequest, LogoutStatus, RedirectMessage};
use vestibule_protocol::time::Seconds;
use vestibule_testkit::FakeSamlIdp;
use vestibule_tests::Reply;
use vestibule_tests::in_process::leaving::{SLO, THERE, by_post, by_redirect};
use vestibule_tests::in_process::{ALICE, TestBroker};
use vestibule_tests::watched_store::{DiesAfter, Yields, watched};

const BOB: &str = "bob@corp.example";

async fn send(test: &TestBroker, idp: &FakeSamlIdp, request: &LogoutRequest) -> Reply {
    test.slo(&idp.query(&request.to_xml(), false, None).await.expect("a signature"), "").await
}

async fn post(test: &TestBroker, field: &str, xml: &str, relay_state: Option<&str>) -> Reply {
    let message = STANDARD.encode(xml);
    let mut form = vec![(field, message.as_str())];
    form.extend(relay_state.map(|value| ("RelayState", value)));
    test.post("/saml/acme/saml/slo", &form).await
}

/// LO-7: by redirect, the session that is named ends; our answer is signed, names the request, and brings the `RelayState` back
/// byte for byte. The browser forgets its cookie.
#[tokio::test]
async fn a_session_is_ended_by_redirect() {
    let (test, idp) = TestBroker::leaving(&["redirect", "post"]).await;
    let (alice, elsewhere) = (test.alice(&idp, "saml").await, test.alice(&idp, "saml").await);
    let request = idp.leaves(SLO, ALICE, &[&alice.index]);
    let state = "a b+c/%2f~\u{fc}&=<>\"'";
    let query = idp.query(&request.to_xml(), false, Some(state)).await.expect("a signature");
    let reply = test.slo(&query, &alice.cookie).await;
    assert!(!test.is_in(&alice).await && test.is_in(&elsewhere).await);
    assert!(reply.set_cookies().iter().any(|cookie| cookie.starts_with("__Host-session=;")), "{reply:?}");
    let location = reply.location().expect("an answer");
    assert!(location.as_str().starts_with(&format!("{THERE}?SAMLResponse=")), "{location}");
    let message = by_redirect(&test.published_keys().await[0], &location).await;
    assert_eq!((message.is_response, message.relay_state.as_deref()), (true, Some(state)));
    let answer = LogoutAnswer::read(&message.xml, THERE, "https://sso.example/saml/acme/saml", &request.id);
    assert_eq!(answer.expect("it answers the request").status, LogoutStatus::Success);
    let events = test.audited(&["session_ended"]).await;
    assert_eq!((events.len(), &events[0]["reason"]), (1, &json!("provider_notice")));
}

/// LO-7: by POST, with an enveloped signature; the answer is posted to where the provider takes answers.
#[tokio::test]
async fn a_session_is_ended_by_post() {
    let (test, idp) = TestBroker::leaving(&[]).await;
    let there = json!([{"binding": "post", "location": THERE, "response_location": "https://saml.example/answers"}]);
    test.connect_leaving("saml", &idp, &json!({"single_logout": there}), &[]).await;
    let alice = test.alice(&idp, "saml").await;
    let request = idp.leaves(SLO, ALICE, &[&alice.index]);
    let signed = idp.signed(&request.to_xml(), &request.id).await.expect("a signature");
    let reply = post(&test, "SAMLRequest", &signed, Some("s")).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    assert!(!test.is_in(&alice).await);
    let key = &test.published_keys().await[0];
    let (to, xml, relay_state) = by_post(key, &reply, "SAMLResponse").await;
    assert_eq!((to.as_str(), relay_state.as_deref()), ("https://saml.example/answers", Some("s")));
    LogoutAnswer::read(&xml, &to, "https://sso.example/saml/acme/saml", &request.id).expect("it answers the request");
}

/// LO-7: which sessions a request is about. That there is none is a success, too.
#[tokio::test]
async fn name_and_index_say_which_sessions() {
    let (test, idp) = TestBroker::leaving(&["redirect"]).await;
    test.connect_leaving("other", &idp, &json!({}), &["redirect"]).await;
    let mut people = Vec::new();
    for (connection, name) in [("saml", ALICE), ("saml", ALICE), ("saml", ALICE), ("saml", BOB), ("other", ALICE)] {
        people.push(test.person(&idp, connection, name).await);
    }
    let index = |at: usize| people[at].index.as_str();
    for (name, indexes, ended) in [
        (BOB, vec![index(0)], vec![]),
        ("nobody", vec![], vec![]),
        (ALICE, vec!["_unknown"], vec![]),
        (ALICE, vec![index(3), index(4)], vec![]),
        (ALICE, vec![index(0), index(1)], vec![0, 1]),
        (ALICE, vec![], vec![0, 1, 2]),
    ] {
        let reply = send(&test, &idp, &idp.leaves(SLO, name, &indexes)).await;
        assert!(reply.location().is_some(), "{name} {indexes:?} {}", reply.body);
        for (at, person) in people.iter().enumerate() {
            assert_eq!(test.is_in(person).await, !ended.contains(&at), "{name} {indexes:?}: {at}");
        }
    }
    let many: Vec<&str> = std::iter::repeat_n("_x", 17).collect();
    assert_eq!(send(&test, &idp, &idp.leaves(SLO, BOB, &many)).await.status, StatusCode::BAD_REQUEST);
}

/// LO-7: what is not signed by this connection's provider for us, now, ends nothing, in neither binding.
#[tokio::test]
async fn what_breaks_a_rule_ends_nothing() {
    let (test, idp) = TestBroker::leaving(&["redirect"]).await;
    let other = test.saml_idp().await;
    test.connect_leaving("other", &other, &json!({}), &["redirect"]).await;
    let alice = test.alice(&idp, "saml").await;
    let now = test.clock.now();
    let good = || idp.leaves(SLO, ALICE, &[&alice.index]);
    let wrong = [
        ("destination", LogoutRequest { destination: "https://sso.example/saml/acme/other/slo".to_owned(), ..good() }),
        ("issuer", LogoutRequest { issuer: "https://other.example/idp".to_owned(), ..good() }),
        ("expired", LogoutRequest { ends: Some(now - Seconds(60)), ..good() }),
        ("old", LogoutRequest { ends: None, issued_at: now - Seconds(361), ..good() }),
        ("long", LogoutRequest { ends: Some(now + Seconds(9_999)), issued_at: now - Seconds(3_660), ..good() }),
        ("early", LogoutRequest { issued_at: now + Seconds(61), ..good() }),
    ];
    for (what, request) in wrong {
        let reply = send(&test, &idp, &request).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{what}");
        let signed = idp.signed(&request.to_xml(), &request.id).await.expect("a signature");
        assert_eq!(post(&test, "SAMLRequest", &signed, None).await.status, StatusCode::BAD_REQUEST, "{what}");
    }
    let request = good();
    let xml = request.to_xml();
    let query = idp.query(&xml, false, Some("state")).await.expect("a signature");
    let embedded = idp.signed(&xml, &request.id).await.expect("a signature");
    let foreign = other.query(&xml, false, None).await.expect("a signature");
    let answer = idp.has_left(SLO, "_x").to_xml();
    for (what, query) in [
        ("unsigned", RedirectMessage::write(&xml, false, None, None)),
        ("an embedded signature", RedirectMessage::write(&embedded, false, None, None)),
        ("another provider's key", foreign),
        ("another relay state", query.replace("RelayState=state", "RelayState=other")),
        ("no relay state", query.replace("&RelayState=state", "")),
        ("a second relay state", format!("{query}&RelayState=state")),
        ("a second signature", format!("{query}&Signature=AAAA")),
        ("a second request", format!("{query}&{}", RedirectMessage::write(&xml, false, None, None))),
        ("a response, too", format!("{query}&{}", RedirectMessage::write(&answer, true, None, None))),
        ("encoded anew", query.replace("%2B", "%2b").replace("%3D", "%3d").replace("%2F", "%2f")),
        ("another algorithm", query.replace("rsa%2Dsha256", "rsa%2Dsha512")),
        ("no algorithm", query.split('&').filter(|part| !part.starts_with("SigAlg")).collect::<Vec<_>>().join("&")),
        ("nothing", String::new()),
        ("no message", "RelayState=x".to_owned()),
    ] {
        assert_eq!(test.slo(&query, &alice.cookie).await.status, StatusCode::BAD_REQUEST, "{what}");
        assert!(test.is_in(&alice).await, "{what}");
    }
    let changed = embedded.replace(ALICE, BOB);
    let theirs = other.signed(&xml, &request.id).await.expect("a signature");
    for (what, xml) in [("unsigned", &xml), ("changed", &changed), ("another provider's key", &theirs)] {
        assert_eq!(post(&test, "SAMLRequest", xml, None).await.status, StatusCode::BAD_REQUEST, "{what}");
    }
    assert!(test.is_in(&alice).await);
    assert!(test.slo(&query, "").await.location().is_some(), "and the good one is good");
}

/// LO-7, SA-1: what inflates to more than any message, is no XML, or has a document type, is refused.
#[tokio::test]
async fn bombs_and_nonsense_are_refused() {
    let (test, idp) = TestBroker::leaving(&["redirect"]).await;
    let alice = test.alice(&idp, "saml").await;
    let xml = idp.leaves(SLO, ALICE, &[]).to_xml();
    for (what, xml) in [
        ("a bomb", format!("{}{xml}", " ".repeat(10_000_000))),
        ("a document type", format!("<!DOCTYPE x>{xml}")),
        ("no XML", "x".to_owned()),
        ("another element", xml.replace("LogoutRequest", "AuthnRequest")),
        ("no name", xml.replace("NameID", "Name")),
        ("twice the name", xml.replace("</saml:NameID>", "</saml:NameID><saml:NameID>x</saml:NameID>")),
    ] {
        let query = idp.query(&xml, false, None).await.expect("a signature");
        assert_eq!(test.slo(&query, "").await.status, StatusCode::BAD_REQUEST, "{what}");
    }
    assert!(test.is_in(&alice).await);
    for path in ["acme/idp", "acme/none", "none/saml"] {
        let reply = test.get(&format!("/saml/{path}/slo?SAMLRequest=x"), "").await;
        assert!(reply.status.is_client_error() || reply.status.is_server_error(), "{path}");
    }
}

/// LO-7: a request counts once, in both bindings, also where several come at once.
#[tokio::test]
async fn a_request_counts_once() {
    let (test, idp) = TestBroker::leaving(&["redirect"]).await;
    let request = idp.leaves(SLO, ALICE, &[]);
    let query = idp.query(&request.to_xml(), false, None).await.expect("a signature");
    let (store, _) = watched(&test.store, Yields);
    let racers: Vec<_> = (0..6).map(|_| test.another_process(Some(Arc::clone(&store)))).collect();
    let replies = join_all(racers.iter().map(|racer| racer.slo(&query, ""))).await;
    assert_eq!(replies.iter().filter(|reply| reply.location().is_some()).count(), 1, "one of six");
    let alice = test.alice(&idp, "saml").await;
    assert_eq!(test.slo(&query, "").await.status, StatusCode::BAD_REQUEST);
    let signed = idp.signed(&request.to_xml(), &request.id).await.expect("a signature");
    assert_eq!(post(&test, "SAMLRequest", &signed, None).await.status, StatusCode::BAD_REQUEST);
    test.later(359);
    assert_eq!(test.slo(&query, "").await.status, StatusCode::BAD_REQUEST, "as long as it could count");
    assert!(test.is_in(&alice).await);
}

/// LO-4: a crash after the request was spent forgets nothing.
#[tokio::test]
async fn a_crash_forgets_nothing() {
    let (test, idp) = TestBroker::leaving(&["redirect"]).await;
    let mut alice = test.alice(&idp, "saml").await;
    for calls in 1..12 {
        let query = idp.query(&idp.leaves(SLO, ALICE, &[]).to_xml(), false, None).await.expect("a signature");
        let (store, _) = watched(&test.store, DiesAfter::commits(calls));
        let dying = test.another_process(Some(store));
        if dying.slo(&query, "").await.location().is_some() {
            assert!(calls > 2, "it dies at least once after the commit");
            break;
        }
        test.minutes(15).await;
        assert!(!test.is_in(&alice).await, "{calls}");
        alice = test.alice(&idp, "saml").await;
    }
}
