//! Domains: claimed by anybody, proved through DNS, one tenant's at a time.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule_protocol::time::Seconds;
use vestibule_tests::Reply;
use vestibule_tests::in_process::TestBroker;

const CORP: &str = "/tenants/acme/domains/corp.example";

async fn claimed(test: &TestBroker, tenant: &str) -> String {
    let claim = test.admin(Method::PUT, &format!("/tenants/{tenant}/domains/corp.example"), &json!({})).await;
    claim["txt_value"].as_str().expect("a text").to_owned()
}

async fn verify(test: &TestBroker, tenant: &str) -> Reply {
    test.try_admin(Method::POST, &format!("/tenants/{tenant}/domains/corp.example/verify"), &json!({})).await
}

async fn leads_to(test: &TestBroker, tenant: &str) -> bool {
    let route = vestibule_core::store::key::domain_route("corp.example").get(&*test.store).await.expect("a store");
    route.is_some_and(|route| route.value.tenant == tenant)
}

#[tokio::test]
async fn a_record_in_dns_proves_a_claim() {
    let test = TestBroker::new().await;
    let value = claimed(&test, "acme").await;
    assert!(value.starts_with("vestibule-verification=") && value.len() > 40, "{value}");
    assert_eq!(claimed(&test, "acme").await, value, "claiming again changes nothing");
    let before = test.admin(Method::GET, CORP, &Value::Null).await;
    assert_eq!((&before["verified"], &before["txt_name"]), (&json!(false), &json!("_vestibule.corp.example")));
    let (start, end) = value.split_at(30);
    test.network.publish("_vestibule.corp.example", "\"something else\"");
    test.network.publish("_vestibule.corp.example", &format!("\"{start}\" \"{end}\""));
    let reply = verify(&test, "acme").await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    let after = test.admin(Method::GET, CORP, &Value::Null).await;
    assert_eq!((&after["verified"], after.get("override_reason")), (&json!(true), None));
    assert!(leads_to(&test, "acme").await);
}

#[tokio::test]
async fn nothing_else_proves_a_claim() {
    let test = TestBroker::new().await;
    let value = claimed(&test, "acme").await;
    assert_eq!(verify(&test, "acme").await.status, StatusCode::BAD_REQUEST, "no such name");
    test.network.publish("_vestibule.corp.example", "\"vestibule-verification=\"");
    test.network.publish("_vestibule.corp.example", &format!("\"x{value}\""));
    test.network.publish("_vestibule.corp.example", &format!("\"{value}x\""));
    test.network.publish("corp.example", &format!("\"{value}\""));
    let reply = verify(&test, "acme").await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST, "other records");
    assert!(reply.body.contains("txt_value"), "{}", reply.body);
    test.network.resolver_is_down(true);
    assert_eq!(verify(&test, "acme").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(verify(&test, "nobody").await.status, StatusCode::NOT_FOUND);
    assert!(!leads_to(&test, "acme").await);
    for wrong in ["corp", "127.0.0.1", "a@corp.example", "*.example", "corp..example"] {
        let path = format!("/tenants/acme/domains/{wrong}");
        let status = test.try_admin(Method::PUT, &path, &json!({})).await.status;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    let status = test.try_admin(Method::PUT, "/tenants/nobody/domains/corp.example", &json!({})).await.status;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

/// Both have proved it; the first has it until it gives it up, or is no more.
#[tokio::test]
async fn a_domain_is_one_tenants_at_a_time() {
    let test = TestBroker::new().await;
    test.admin(Method::PUT, "/tenants/other", &json!({"name": "Other"})).await;
    for tenant in ["acme", "other"] {
        let value = claimed(&test, tenant).await;
        test.network.publish("_vestibule.corp.example", &value);
    }
    assert_eq!(verify(&test, "acme").await.status, StatusCode::OK);
    let second = verify(&test, "other").await;
    assert_eq!(second.status, StatusCode::BAD_REQUEST);
    assert!(second.body.contains("belongs to another tenant") && !second.body.contains("acme"), "{}", second.body);
    assert!(leads_to(&test, "acme").await);
    test.admin(Method::DELETE, CORP, &Value::Null).await;
    assert!(!leads_to(&test, "acme").await, "it leads nowhere");
    assert_eq!(test.try_admin(Method::DELETE, CORP, &Value::Null).await.status, StatusCode::NOT_FOUND);
    assert_eq!(verify(&test, "other").await.status, StatusCode::OK);
    let value = claimed(&test, "acme").await;
    test.network.publish("_vestibule.corp.example", &value);
    assert_eq!(verify(&test, "acme").await.status, StatusCode::BAD_REQUEST);
    test.admin(Method::DELETE, "/tenants/other", &Value::Null).await;
    assert_eq!(verify(&test, "acme").await.status, StatusCode::OK);
    assert!(leads_to(&test, "acme").await);
}

/// ED-1: of many who prove it at once, one has it.
#[tokio::test]
async fn of_parallel_verifications_one_wins() {
    let test = TestBroker::new().await;
    let tenants: Vec<String> = (0..8).map(|number| format!("t{number}")).collect();
    for tenant in &tenants {
        test.admin(Method::PUT, &format!("/tenants/{tenant}"), &json!({"name": "T"})).await;
        let value = claimed(&test, tenant).await;
        test.network.publish("_vestibule.corp.example", &value);
    }
    let mut tasks = Vec::new();
    for tenant in tenants.clone() {
        let process = test.another_process(None);
        tasks.push(tokio::spawn(async move { verify(&process, &tenant).await.status }));
    }
    let mut won = Vec::new();
    for (task, tenant) in tasks.into_iter().zip(&tenants) {
        if task.await.expect("no panic") == StatusCode::OK {
            won.push(tenant);
        }
    }
    let [winner] = won.as_slice() else { panic!("{won:?}") };
    assert!(leads_to(&test, winner).await);
}

#[tokio::test]
async fn an_administrators_word_is_recorded() {
    let test = TestBroker::new().await;
    claimed(&test, "acme").await;
    let verify = format!("{CORP}/verify");
    for wrong in
        [json!({"override_reason": ""}), json!({"override_reason": "x".repeat(201)}), json!({"override": true})]
    {
        assert_eq!(test.try_admin(Method::POST, &verify, &wrong).await.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    let reply = test.admin(Method::POST, &verify, &json!({"override_reason": "contract 7"})).await;
    assert_eq!((&reply["verified"], &reply["override_reason"]), (&json!(true), &json!("contract 7")));
    test.admin(Method::DELETE, CORP, &Value::Null).await;
    for _ in 0..15 {
        test.broker.tick().await.expect("a tick");
        test.clock.advance(Seconds(60));
    }
    let audit = test.admin(Method::GET, "/tenants/acme/audit", &Value::Null).await;
    let events: Vec<_> = audit["events"].as_array().expect("events").iter().collect();
    let verified = json!({"kind": "domain_verified", "domain": "corp.example", "override_reason": "contract 7"});
    for (name, value) in verified.as_object().expect("an object") {
        assert!(events.iter().any(|event| event.get(name) == Some(value)), "{name}: {events:?}");
    }
    assert!(events.iter().any(|event| event["kind"] == "domain_released"), "{events:?}");
}
