//! The identity provider's documents, clock and keys.

use http::StatusCode;
use serde_json::json;
use vestibule_core::platform::Clock;
use vestibule_protocol::time::Seconds;
use vestibule_testkit::{Document, Lie};
use vestibule_tests::in_process::{TestBroker, signed_in};

async fn sign_in_status(test: &TestBroker) -> StatusCode {
    let (authorization, cookie) = test.start().await;
    test.finish(&authorization, &cookie).await.status
}

fn advance(test: &TestBroker, seconds: i64) {
    test.clock.advance(Seconds(seconds));
    test.idp_clock.advance(Seconds(seconds));
}

/// RP-12: a provider's clock may be a minute off, in either direction, and not more.
#[tokio::test]
async fn a_minute_of_skew_is_tolerated() {
    let test = TestBroker::new().await;
    for (ahead, status) in [(60, StatusCode::SEE_OTHER), (61, StatusCode::BAD_GATEWAY)] {
        let (authorization, cookie) = test.start().await;
        test.idp_clock.advance(Seconds(ahead));
        let reply = test.finish(&authorization, &cookie).await;
        test.idp_clock.advance(Seconds(-ahead));
        assert_eq!(reply.status, status, "{ahead} s ahead");
    }
}

/// RP-12: the skew that was set holds for `exp`, `iat` and `nbf` alike, to the second.
#[tokio::test]
async fn the_skew_can_be_set() {
    let test = TestBroker::new().await;
    test.connect(&json!({"skew_seconds": 300})).await;
    let now = test.idp_clock.now().seconds();
    for (claim, last, first_wrong) in
        [("exp", now - 299, now - 300), ("iat", now + 300, now + 301), ("nbf", now + 300, now + 301)]
    {
        test.idp.say(Document::IdToken, claim, json!(last));
        assert_eq!(sign_in_status(&test).await, StatusCode::SEE_OTHER, "{claim} {last}");
        test.idp.say(Document::IdToken, claim, json!(first_wrong));
        assert_eq!(sign_in_status(&test).await, StatusCode::BAD_GATEWAY, "{claim} {first_wrong}");
        test.idp.be_honest();
    }
    test.connect(&json!({"skew_seconds": 0})).await;
    test.idp_clock.advance(Seconds(1));
    assert_eq!(sign_in_status(&test).await, StatusCode::BAD_GATEWAY, "no skew is none");
}

/// RP-8: documents are fetched once, also for a process that has just started.
#[tokio::test]
async fn documents_are_fetched_once() {
    let test = TestBroker::new().await;
    signed_in(&{
        let (authorization, cookie) = test.start().await;
        test.finish(&authorization, &cookie).await
    });
    assert_eq!(sign_in_status(&test.another_process(None)).await, StatusCode::SEE_OTHER);
    assert_eq!(test.idp.requests("/.well-known/openid-configuration"), 1);
    assert_eq!(test.idp.requests("/jwks"), 1);
    assert_eq!(test.idp.unexpected(), Vec::<String>::new());
}

/// RP-8: an unknown key fetches the set again, once; then the cool-down holds.
#[tokio::test]
async fn an_unknown_key_fetches_the_set_once_a_minute() {
    let test = TestBroker::new().await;
    assert_eq!(sign_in_status(&test).await, StatusCode::SEE_OTHER);
    test.idp.rotate_key(true).await.expect("a new key");
    assert_eq!(sign_in_status(&test).await, StatusCode::SEE_OTHER, "the new key is found");
    assert_eq!(test.idp.requests("/jwks"), 2);
    test.idp.lie(Lie::UnknownKid);
    for _ in 0..3 {
        assert_eq!(sign_in_status(&test).await, StatusCode::BAD_GATEWAY);
    }
    assert_eq!(test.idp.requests("/jwks"), 2, "within the cool-down");
    advance(&test, 61);
    assert_eq!(sign_in_status(&test).await, StatusCode::BAD_GATEWAY);
    assert_eq!(test.idp.requests("/jwks"), 3, "after it");
}

/// RP-8: a key that the provider took out of its set is not trusted for longer than the documents are fresh.
#[tokio::test]
async fn a_removed_key_stops_counting_within_an_hour() {
    let test = TestBroker::new().await;
    let (authorization, cookie) = test.start().await;
    let back = test.idp.sign_in(authorization.as_str(), vestibule_tests::in_process::ALICE).await.expect("an answer");
    assert!(back.contains("code="));
    assert_eq!(sign_in_status(&test).await, StatusCode::SEE_OTHER);
    advance(&test, 3_601);
    test.idp.lie(Lie::OtherKey);
    assert_eq!(sign_in_status(&test).await, StatusCode::BAD_GATEWAY);
    assert_eq!(test.idp.requests("/jwks"), 2, "the set was fetched again");
    drop(cookie);
}

/// RP-8: while the provider's documents cannot be fetched, old ones serve for a day.
#[tokio::test]
async fn an_outage_of_the_documents_is_survived_for_a_day() {
    let test = TestBroker::new().await;
    assert_eq!(sign_in_status(&test).await, StatusCode::SEE_OTHER);
    test.idp.lie(Lie::DiscoveryDown);
    advance(&test, 86_000);
    assert_eq!(sign_in_status(&test).await, StatusCode::SEE_OTHER);
    advance(&test, 500);
    let reply = test.start_reply().await;
    let location = reply.location().expect("the application is told");
    assert!(location.as_str().contains("error=temporarily_unavailable"), "{location}");
}
