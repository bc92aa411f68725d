//! A tenant's secrets after a change of the sealing key.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule_core::store::Partition;
use vestibule_tests::in_process::TestBroker;

async fn reseal(test: &TestBroker) -> Value {
    test.admin(Method::POST, "/tenants/acme/reseal", &Value::Null).await
}

/// Whether somebody can sign in, which takes the connection's client secret.
async fn signs_in(test: &TestBroker) -> bool {
    let (authorization, cookie) = test.start().await;
    test.finish(&authorization, &cookie).await.status == StatusCode::SEE_OTHER
}

/// How many texts in the tenant's configuration a sealing key has sealed.
async fn sealed_with(test: &TestBroker, key: &str) -> usize {
    let page = test.store.list(&Partition::new("tenant:acme"), "", None, 1000).await.expect("a page");
    page.records.iter().map(|record| record.value.matches(&format!("\"{key}.")).count()).sum()
}

/// CK-9, ED-10: sealed anew, the secrets of a tenant open without the sealing key before. Again, nothing is to do.
#[tokio::test]
async fn secrets_are_sealed_anew() {
    let test = TestBroker::new().await;
    assert!(signs_in(&test).await);
    for _ in 0..2 {
        test.admin(Method::POST, "/tenants/acme/webhook-secret", &Value::Null).await;
    }
    let before = sealed_with(&test, "k1").await;
    assert!(before >= 3, "a client secret, and two of the webhook: {before}");

    let both = test.with_sealing_keys(vec![("k2", 2), ("k1", 1)]);
    both.broker.tick().await.expect("ticks");
    assert_eq!(reseal(&both).await, json!({ "resealed": 2, "unreadable": [] }));
    assert_eq!((sealed_with(&test, "k1").await, sealed_with(&test, "k2").await), (0, before));
    assert_eq!(reseal(&both).await, json!({ "resealed": 0, "unreadable": [] }));
    let new = test.with_sealing_keys(vec![("k2", 2)]);
    assert!(signs_in(&both).await && signs_in(&new).await);
}

/// ED-10: what does not open is told by its place and stays as it is: its sealing key may come back.
#[tokio::test]
async fn what_does_not_open_is_told() {
    let test = TestBroker::new().await;
    test.admin(Method::POST, "/tenants/acme/webhook-secret", &Value::Null).await;
    let before = sealed_with(&test, "k1").await;
    let stranger = test.with_sealing_keys(vec![("k2", 2)]);
    let told = reseal(&stranger).await;
    assert_eq!(told["resealed"], 0);
    let paths: Vec<&str> = told["unreadable"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    assert!(paths.contains(&"/tenants/acme/webhook-secret"), "{paths:?}");
    assert!(paths.iter().any(|path| path.starts_with("/tenants/acme/connections/")), "{paths:?}");
    assert_eq!(sealed_with(&test, "k1").await, before);
    assert!(signs_in(&test.another_process(None)).await);
}

/// A tenant that is not there has nothing to seal.
#[tokio::test]
async fn an_unknown_tenant_is_not_found() {
    let test = TestBroker::new().await;
    for tenant in ["nobody", "NOBODY", "a%20b"] {
        let reply = test.try_admin(Method::POST, &format!("/tenants/{tenant}/reseal"), &Value::Null).await;
        assert!(reply.status.is_client_error(), "{tenant}: {}", reply.status);
    }
}
