//! The rehearsal: the file is applied to a broker in memory first, which has the same rules as the one that is meant.
//! What it refuses is told before anything is written, and what it shows afterwards is what the file comes to, defaults
//! and normal forms included: that is what the real broker's objects are compared with.

use std::sync::Arc;

use anyhow::{Result, anyhow};
use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{Method, Request, Response, header};
use serde_json::{Map, Value, json};
use tower_service::Service;
use vestibule_aws::crypto::AwsLc;
use vestibule_aws::{SystemClock, SystemRandom};
use vestibule_core::platform::{HttpClient, HttpError, NoQueue, Platform, Random};
use vestibule_core::store::memory::MemoryStore;
use vestibule_core::{Broker, Config};

use super::api::{Answer, Found};
use super::file::{Kind, Object, STAND_IN_SECRET};
use super::place::Problem;

/// A broker in memory.
pub(super) struct Rehearsal {
    router: Router,
    token: String,
}

impl Rehearsal {
    /// An empty broker of this issuer.
    pub(super) fn new(issuer: &str) -> Result<Self> {
        let (token, key) = (random(), random());
        let config = Config::from_vars(|name| match name {
            "VESTIBULE_ISSUER" => Some(issuer.to_owned()),
            "VESTIBULE_SEALING_KEYS" => Some(format!("rehearsal:{key}")),
            "VESTIBULE_ADMIN_TOKEN" => Some(token.clone()),
            // Whether the real broker goes there is its own setting, which it does not publish.
            "VESTIBULE_EGRESS_LOOPBACK" => Some("true".to_owned()),
            _ => None,
        })?;
        let clock = Arc::new(SystemClock);
        let platform = Platform {
            store: Arc::new(MemoryStore::new(clock.clone())),
            random: Arc::new(SystemRandom),
            http: Arc::new(NoNetwork),
            crypto: Arc::new(AwsLc::default()),
            clock,
            queue: Arc::new(NoQueue),
        };
        Ok(Self { router: vestibule_web::router(Arc::new(Broker::new(config, platform))), token })
    }

    /// What an object is after the file was applied to what the broker has, or everything that is wrong with it.
    pub(super) async fn put(&self, object: &Object, found: Option<&Found>) -> Result<Result<Value, Vec<Problem>>> {
        if let (Kind::Tenant, Some(found)) = (object.kind, found) {
            self.seed(object, found.view.get("session_shards")).await?;
        }
        let body = with_kept_secret(&object.body, found.map(|found| &found.view));
        let mut answer = self.call(Method::PUT, &object.path, &Value::Object(body)).await?;
        if let Some(reason) = object.override_reason.as_ref().filter(|_| answer.status.is_success()) {
            let path: Vec<String> = object.path.iter().cloned().chain(["verify".to_owned()]).collect();
            answer = self.call(Method::POST, &path, &json!({ "override_reason": reason })).await?;
        }
        if answer.status.is_success() {
            return Ok(Ok(answer.body));
        }
        if object.kind == Kind::Tenant {
            // What belongs to it is looked at all the same.
            self.seed(object, None).await?;
        }
        Ok(Err(answer.problems(&object.place)))
    }

    /// The tenant as something to be replaced.
    async fn seed(&self, tenant: &Object, session_shards: Option<&Value>) -> Result<()> {
        let body = json!({ "name": "as it was", "session_shards": session_shards });
        self.call(Method::PUT, &tenant.path, &body).await.map(drop)
    }

    async fn call(&self, method: Method, path: &[String], body: &Value) -> Result<Answer> {
        let mut url = url::Url::parse("http://rehearsal/admin/v1")?;
        url.path_segments_mut().map_err(|()| anyhow!("the address has a path"))?.extend(path);
        let request = Request::builder()
            .method(method)
            .uri(url.as_str())
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))?;
        let reply = self.router.clone().call(request).await?;
        let status = reply.status();
        let body = to_bytes(reply.into_body(), usize::MAX).await?;
        Ok(Answer { status, etag: None, body: serde_json::from_slice(&body).unwrap_or_default() })
    }
}

/// A secret that the file leaves out stays as the broker has it; here something stands for it.
fn with_kept_secret(body: &Map<String, Value>, found: Option<&Value>) -> Map<String, Value> {
    let by_secret = |view: Option<&Value>| {
        let method = view.and_then(Value::as_str);
        method.is_some_and(|method| method.starts_with("client_secret_"))
    };
    let mut body = body.clone();
    let had = by_secret(found.and_then(|view| view.get("client_auth")));
    if had && by_secret(body.get("client_auth")) {
        body.entry("client_secret").or_insert_with(|| STAND_IN_SECRET.into());
    }
    body
}

fn random() -> String {
    let mut bytes = [0; 32];
    SystemRandom.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Rehearsing reaches nobody.
struct NoNetwork;

#[async_trait]
impl HttpClient for NoNetwork {
    async fn send(&self, _: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        Err(HttpError::Refused("a rehearsal asks nobody"))
    }
}
