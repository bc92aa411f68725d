//! How much a tenant uses the broker: counted once, kept without names.

use http::Method;
use serde_json::{Value, json};
use vestibule_core::store::Partition;
use vestibule_protocol::time::Seconds;
use vestibule_testkit::idp::Account;
use vestibule_tests::in_process::{TestBroker, signed_in};
use vestibule_tests::watched_store::{DiesAfter, Yields, watched};

async fn counted(test: &TestBroker, query: &str) -> Value {
    test.audited(&[]).await;
    test.admin(Method::GET, &format!("/tenants/acme/usage{query}"), &Value::Null).await["days"].clone()
}

fn day(day: &str, people: u64, requests: u64) -> Value {
    json!({ "day": day, "people": people, "requests": requests })
}

/// Two people on one day, one of them on the next: a request is a sign-in or a refresh, an answer that is given again is
/// none.
#[tokio::test]
async fn people_and_requests_are_counted() {
    let test = TestBroker::new().await;
    test.idp.add_account(Account::new("bob@corp.example", "password", "bob-1", "Bob"));
    let (authorization, cookie) = test.start().await;
    signed_in(&test.finish_as("bob@corp.example", &authorization, &cookie).await);
    let tokens = test.tokens().await;
    test.tokens().await;
    let token = tokens["refresh_token"].as_str().expect("a token");
    let next = test.refresh(token).await.text("refresh_token");
    test.refresh(token).await;
    assert_eq!(counted(&test, "").await, json!([day("2025-06-15", 2, 4)]));
    assert_eq!(counted(&test, "").await, json!([day("2025-06-15", 2, 4)]), "each once");
    test.clock.advance(Seconds(86_400));
    test.refresh(&next).await;
    let two = json!([day("2025-06-15", 2, 4), day("2025-06-16", 1, 1)]);
    assert_eq!(counted(&test, "?from=2025-06-15").await, two);
    assert_eq!(counted(&test, "?until=2025-06-15").await, json!([day("2025-06-15", 2, 4)]));
    assert_eq!(counted(&test, "?from=2025-06-17&until=2025-06-15").await, json!([]));
    for wrong in ["?from=2025-01-01", "?from=x", "?until=2025-02-30"] {
        let reply = test.try_admin(Method::GET, &format!("/tenants/acme/usage{wrong}"), &Value::Null).await;
        assert_eq!(reply.status, 400, "{wrong}: {}", reply.body);
    }
    assert_eq!(test.try_admin(Method::GET, "/tenants/other/usage", &Value::Null).await.status, 404);
}

/// Two ticks at once, and one that dies: whatever happens, a request is counted once.
#[tokio::test]
async fn a_request_is_counted_once() {
    let test = TestBroker::new().await;
    for _ in 0..50 {
        test.sign_in().await;
    }
    let dying = test.another_process(Some(watched(&test.store, DiesAfter::commit_to("sessions")).0));
    let (one, other) = (test.another_process(Some(watched(&test.store, Yields).0)), test.another_process(None));
    for _ in 0..15 {
        test.clock.advance(Seconds(60));
        drop(dying.broker.tick().await);
        let (one, other) = tokio::join!(one.broker.tick(), other.broker.tick());
        drop((one, other));
    }
    assert_eq!(counted(&test, "").await, json!([day("2025-06-15", 1, 50)]));
}

/// Nobody's address is in what is kept for counting.
#[tokio::test]
async fn what_is_counted_has_no_names() {
    let test = TestBroker::new().await;
    test.sign_in().await;
    test.audited(&[]).await;
    let mut seen = 0;
    for shard in 0..8 {
        let partition = Partition::new(format!("sessions:acme:{shard}"));
        for record in test.store.list(&partition, "us", None, 1_000).await.expect("a list").records {
            seen += 1;
            let kept = format!("{} {}", record.id, record.value);
            assert!(!kept.contains("alice") && !kept.contains("corp.example"), "{kept}");
        }
    }
    assert_eq!(seen, 2, "the person and the day");
}
