//! A tenant's webhook on a port of its own: it keeps what it was told, and answers as the test says.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::hmac;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde_json::Value;
use tokio::net::TcpListener;

/// What the webhook does.
#[derive(Debug, Clone)]
pub enum Answer {
    /// 200 with this text.
    Text(String),
    /// This status, with a redirect to itself.
    Status(u16),
    /// Nothing, for longer than the broker waits.
    Silence,
}

/// What it was told, once.
#[derive(Debug, Clone)]
pub struct Call {
    /// With these headers.
    pub headers: HeaderMap,
    /// In this body.
    pub body: Bytes,
}

/// A webhook for as long as the test runs.
#[derive(Clone)]
pub struct FakeWebhook {
    /// Where it is.
    pub url: String,
    state: Arc<Mutex<(Answer, Vec<Call>)>>,
}

impl FakeWebhook {
    /// One that allows everything.
    pub async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/hook", listener.local_addr().expect("its address"));
        let state = Arc::new(Mutex::new((Answer::Text(r#"{"decision":"allow"}"#.to_owned()), Vec::new())));
        let hook = Self { url, state };
        let router = axum::Router::new().fallback(answer).with_state(hook.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        hook
    }

    /// Answers like this from now on.
    pub fn says(&self, answer: Answer) {
        self.state.lock().expect("no panic").0 = answer;
    }

    /// Answers with this JSON from now on.
    pub fn says_json(&self, answer: &Value) {
        self.says(Answer::Text(answer.to_string()));
    }

    /// What it was told since the last look.
    pub fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.state.lock().expect("no panic").1)
    }
}

async fn answer(State(hook): State<FakeWebhook>, headers: HeaderMap, body: Bytes) -> Response {
    let answer = {
        let mut state = hook.state.lock().expect("no panic");
        state.1.push(Call { headers, body });
        state.0.clone()
    };
    match answer {
        Answer::Text(text) => Response::new(Body::from(text)),
        Answer::Status(status) => {
            let status = StatusCode::from_u16(status).expect("a status");
            (status, [(header::LOCATION, hook.url)], r#"{"decision":"allow"}"#).into_response()
        }
        Answer::Silence => {
            tokio::time::sleep(Duration::from_secs(20)).await;
            Response::new(Body::from(r#"{"decision":"allow"}"#))
        }
    }
}

impl Call {
    /// A header's text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// How many of its signatures are by `secret`, as a receiver would check it (Standard Webhooks 1.0).
    pub fn signatures_by(&self, secret: &str) -> usize {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").expect("a secret")).expect("base64");
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let id_and_time = format!("{}.{}.", self.header("webhook-id"), self.header("webhook-timestamp"));
        let content = [id_and_time.as_bytes(), &self.body].concat();
        let signatures = self.header("webhook-signature").split(' ').filter_map(|text| text.strip_prefix("v1,"));
        let tags = signatures.map(|text| STANDARD.decode(text).expect("base64"));
        tags.filter(|tag| hmac::verify(&key, &content, tag).is_ok()).count()
    }

    /// A field of the form that the body is.
    pub fn field(&self, name: &str) -> String {
        let mut pairs = url::form_urlencoded::parse(&self.body);
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
    }

    /// A part of the body.
    pub fn at(&self, pointer: &str) -> Value {
        let body: Value = serde_json::from_slice(&self.body).expect("JSON");
        body.pointer(pointer).cloned().unwrap_or_default()
    }
}
