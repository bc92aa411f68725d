//! Every change of an administrator's is in the audit log, with the token that acted.

use axum::body::Body;
use http::{Method, Request, header};
use serde_json::{Value, json};
use vestibule_protocol::time::Seconds;
use vestibule_tests::in_process::TestBroker;

async fn events(test: &TestBroker, log: &str) -> Vec<Value> {
    for _ in 0..15 {
        test.broker.tick().await.expect("a tick");
        test.clock.advance(Seconds(60));
    }
    let audit = test.admin(Method::GET, &format!("{log}/audit"), &Value::Null).await;
    audit["events"].as_array().expect("events").clone()
}

fn configured(events: &[Value]) -> Vec<(String, String)> {
    let text = |event: &Value, name: &str| event[name].as_str().expect("a text").to_owned();
    let configured = events.iter().filter(|event| event["kind"] == "configured");
    let mut all: Vec<_> = configured.map(|event| (text(event, "object"), text(event, "change"))).collect();
    all.sort();
    all
}

#[tokio::test]
async fn every_change_names_the_token() {
    let test = TestBroker::empty().await;
    let made = test.admin(Method::POST, "/tokens", &json!({"name": "The CI", "scopes": ["deployment"]})).await;
    let (id, token) = (made["id"].as_str().expect("an id"), made["token"].as_str().expect("a token"));
    let ask = async |method: Method, path: &str, body: Value| {
        let request = Request::builder().method(method.clone()).uri(format!("/admin/v1{path}"));
        let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        let reply = test.send(request.body(Body::from(body.to_string())).expect("a request")).await;
        assert!(reply.status.is_success(), "{method} {path}: {} {}", reply.status, reply.body);
    };
    let connection = json!({
        "name": "Corp", "protocol": "oidc", "issuer": "https://idp.example", "client_id": "x", "client_auth": "none",
    });
    let client = json!({"name": "App", "redirect_uris": ["https://app.example/"], "client_auth": "none"});
    let objects = [
        ("/tenants/acme", json!({"name": "Acme"})),
        ("/tenants/acme/connections/corp", connection),
        ("/tenants/acme/domains/corp.example", json!({})),
        ("/tenants/acme/hosts/login.corp.example", json!({})),
        ("/clients/app", client),
    ];
    for (path, body) in &objects {
        ask(Method::PUT, path, body.clone()).await;
    }
    ask(Method::PUT, "/clients/app", objects[4].1.clone()).await;
    let word = json!({"override_reason": "contract 7"});
    ask(Method::POST, "/tenants/acme/domains/corp.example/verify", word).await;
    for (path, _) in objects.iter().rev() {
        ask(Method::DELETE, path, Value::Null).await;
    }
    ask(Method::POST, "/signing-keys/rotate", Value::Null).await;
    let by_the_ci = |event: &&Value| event["administrator"] == json!({"token": id, "name": "The CI"});
    let tenant = events(&test, "/tenants/acme").await;
    assert_eq!(tenant.iter().filter(by_the_ci).count(), tenant.len(), "{tenant:?}");
    let of = |path: &str, change: &str| (path.to_owned(), change.to_owned());
    assert_eq!(
        configured(&tenant),
        [
            of(objects[0].0, "created"),
            of(objects[0].0, "deleted"),
            of(objects[1].0, "created"),
            of(objects[1].0, "deleted"),
            of(objects[2].0, "created"),
            of(objects[3].0, "created"),
            of(objects[3].0, "deleted"),
        ]
    );
    for kind in ["domain_verified", "domain_released"] {
        assert!(tenant.iter().any(|event| event["kind"] == kind), "{kind}: {tenant:?}");
    }
    let deployment = events(&test, "").await;
    let first = deployment.iter().find(|event| event["object"] == json!(format!("/tokens/{id}"))).expect("its making");
    assert_eq!(first["administrator"]["token"], "deployment", "the configured token made it");
    let rest: Vec<_> = deployment.iter().filter(by_the_ci).cloned().collect();
    let app = "/clients/app";
    assert_eq!(
        configured(&rest),
        [of(app, "created"), of(app, "deleted"), of(app, "replaced"), of("/signing-keys", "replaced")]
    );
    assert!(deployment.iter().chain(&tenant).all(|event| !event.to_string().contains(token)), "no token in a log");
}

/// Who switched a person off is known; a refused change is no event.
#[tokio::test]
async fn switching_people_names_the_token() {
    let test = TestBroker::new().await;
    test.tokens().await;
    let people = test.admin(Method::GET, "/tenants/acme/users", &Value::Null).await;
    let path = format!("/tenants/acme/users/{}", people["items"][0]["id"].as_str().expect("a person"));
    test.admin(Method::PUT, &path, &json!({"active": false})).await;
    let broken = test.try_admin(Method::PUT, "/tenants/acme", &json!({"name": ""})).await;
    assert_eq!(broken.status, 400);
    let events = events(&test, "/tenants/acme").await;
    let off = events.iter().find(|event| event["kind"] == "user_deactivated").expect("the event");
    assert_eq!(off["administrator"]["name"], "VESTIBULE_ADMIN_TOKEN");
    let tenants: Vec<_> = events.iter().filter(|event| event["object"] == "/tenants/acme").collect();
    assert_eq!(tenants.len(), 1, "{tenants:?}");
}
