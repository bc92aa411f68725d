use std::sync::{Arc, Mutex};

use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::IntoResponse;
use serde_json::json;

use super::*;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const ONE: &str = "tenants.a = { name = 'A' }";

/// What a stand-in for a broker answers to a PUT, and what it was asked.
struct Broker {
    address: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Broker {
    /// One that has `existing` at every address, with an entity tag, and answers a PUT with this status and body.
    async fn start(existing: Option<serde_json::Value>, status: StatusCode, body: serde_json::Value) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (log, issuer) = (seen.clone(), address.clone());
        let router = axum::Router::new().fallback(async move |method: Method, headers: HeaderMap, request: Request| {
            let path = request.uri().path().to_owned();
            if path.starts_with("/.well-known/") {
                return json!({ "issuer": issuer }).to_string().into_response();
            }
            let header = |name: &str| headers.get(name).and_then(|it| it.to_str().ok()).unwrap_or_default().to_owned();
            if header("authorization") != format!("Bearer {TOKEN}") {
                return StatusCode::UNAUTHORIZED.into_response();
            }
            if method == Method::GET {
                let found = existing.clone().map(|view| ([("etag", "\"v1\"")], view.to_string()));
                return found.map_or_else(|| StatusCode::NOT_FOUND.into_response(), IntoResponse::into_response);
            }
            let condition = format!("{}{}", header("if-match"), header("if-none-match"));
            log.lock().expect("no panic").push(format!("{method} {path} {condition}"));
            (status, body.to_string()).into_response()
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, seen }
    }

    async fn apply(&self, text: &str) -> Result<(), String> {
        let secrets = Secrets::new(&|_| None, Path::new(""));
        apply(&self.address, TOKEN, text, &secrets).await.map_err(|error| format!("{error:#}"))
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().expect("no panic").clone()
    }
}

#[tokio::test]
async fn a_new_object_is_written_only_if_it_still_is_new() {
    let broker = Broker::start(None, StatusCode::CREATED, json!({})).await;
    broker.apply(ONE).await.expect("applies");
    assert_eq!(broker.seen(), ["PUT /admin/v1/tenants/a *"]);
}

#[tokio::test]
async fn a_change_rests_on_what_was_read() {
    let view = json!({"id": "a", "name": "Before", "session_shards": 3});
    let broker = Broker::start(Some(view), StatusCode::OK, json!({})).await;
    broker.apply(ONE).await.expect("applies");
    assert_eq!(broker.seen(), ["PUT /admin/v1/tenants/a \"v1\""]);
}

#[tokio::test]
async fn what_is_as_it_should_be_is_not_written() {
    let view = json!({"id": "a", "name": "A", "session_shards": 3});
    let broker = Broker::start(Some(view), StatusCode::OK, json!({})).await;
    broker.apply(ONE).await.expect("applies");
    assert_eq!(broker.seen(), [""; 0]);
}

#[tokio::test]
async fn a_lost_race_and_a_refusal_fail_the_whole_after_all_was_tried() {
    let broker = Broker::start(None, StatusCode::PRECONDITION_FAILED, json!({})).await;
    let error = broker.apply("tenants.a.name = 'A'\ntenants.b.name = 'B'").await.expect_err("somebody was faster");
    assert_eq!(error, "2 of 2 objects could not be applied");
    assert_eq!(broker.seen().len(), 2);
}

#[tokio::test]
async fn nothing_is_written_when_anything_is_wrong() {
    let broker = Broker::start(None, StatusCode::CREATED, json!({})).await;
    let error = broker.apply("tenants.a.name = 'A'\ntenants.b.name = ''\nclients.c = {}").await.expect_err("refused");
    assert!(error.ends_with("to mend; nothing was written"), "{error}");
    assert_eq!(broker.seen(), [""; 0]);
}

#[tokio::test]
async fn a_wrong_token_or_address_is_said_at_once() {
    let broker = Broker::start(None, StatusCode::CREATED, json!({})).await;
    let secrets = Secrets::new(&|_| None, Path::new(""));
    let error = apply(&broker.address, "another", ONE, &secrets).await.expect_err("refused").to_string();
    assert!(error.contains("admin token") && !error.contains("another"), "{error}");
    for address in ["localhost:8787", "nonsense", "http://127.0.0.1:1"] {
        let error = apply(address, TOKEN, ONE, &secrets).await.expect_err("refused").to_string();
        assert!(error.contains(address), "{error}");
    }
}

#[test]
fn a_refusal_is_told_where_the_file_has_it() {
    let answer = |body| api::Answer { status: StatusCode::BAD_REQUEST, etag: None, body };
    let place = place::Place::default().key("clients").key("app");
    let told = |body| answer(body).problems(&place).iter().map(ToString::to_string).collect::<Vec<_>>();
    let listed = json!({"error": "invalid", "error_description": "two problems", "problems": [
        {"path": "/redirect_uris/0", "problem": "is not a URL"}, {"path": "", "problem": "has no name"},
    ]});
    assert_eq!(told(listed), ["clients.app.redirect_uris[0]: is not a URL", "clients.app: has no name"]);
    assert_eq!(told(json!({"error_description": "name: is missing"})), ["clients.app: name: is missing"]);
    assert_eq!(told(json!({"detail": "name: is missing"})), ["clients.app: name: is missing"]);
    assert_eq!(told(json!(null)), ["clients.app: the broker answered 400 Bad Request"]);
}
