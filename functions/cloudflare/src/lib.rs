//! Vestibule on Cloudflare Workers. `js/worker.js` is the module that Cloudflare loads; it calls what is exported here.
//!
//! An isolate has one [`Broker`], built from its bindings on the first request. The bindings: the variables of
//! [`Config`], `PARTITION` (the Durable Object), `READ_COPY` (Workers KV, optional), and `TASKS` (Queues, optional).

use std::cell::OnceCell;
use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use http_body_util::BodyExt;
use tower_service::Service;
use vestibule_core::{Broker, Config};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

#[cfg(feature = "conformance")]
mod conformance;
mod crypto;
mod head;
mod host;
mod log;
mod message;
mod platform;
mod queue;
mod read_copy;
mod store;

/// What an isolate keeps.
struct Isolate {
    broker: Arc<Broker>,
    router: axum::Router,
}

thread_local! {
    /// `None` inside when the configuration is not usable.
    static ISOLATE: OnceCell<Option<Isolate>> = const { OnceCell::new() };
}

/// Runs when the module is loaded.
#[wasm_bindgen(start)]
pub fn start() {
    log::start();
    // Where, and the text if it is one of ours: a formatted text could hold anything.
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string).unwrap_or_default();
        let text = panic.payload().downcast_ref::<&str>().copied().unwrap_or("panic");
        host::log("error", &serde_json::json!({"level": "error", "message": text, "at": at}).to_string());
    }));
}

/// Answers a request, given as a head text (see `head.rs`) and its body: a `Promise` of a `Response`.
#[wasm_bindgen]
pub fn fetch(env: &JsValue, head: &str, body: Option<Vec<u8>>) -> js_sys::Promise {
    let body = body.map_or_else(Body::empty, Body::from);
    let request = head::request(head, body);
    let router = with_isolate(env, |isolate| isolate.router.clone());
    future_to_promise(async move {
        let reply = match (router, request) {
            (None, _) => {
                plain(StatusCode::INTERNAL_SERVER_ERROR, "The configuration is not usable; the log says why.\n")
            }
            (_, None) => plain(StatusCode::BAD_REQUEST, "The request cannot be read.\n"),
            (Some(mut router), Some(request)) => {
                let Ok::<_, Infallible>(reply) = router.call(request).await;
                reply
            }
        };
        respond(reply).await
    })
}

/// Plans what is due: a `Promise` of nothing. Cloudflare calls it each minute.
#[wasm_bindgen]
pub fn scheduled(env: &JsValue) -> js_sys::Promise {
    let broker = with_isolate(env, |isolate| isolate.broker.clone());
    future_to_promise(async move {
        // Without a configuration nothing is due; building it has said so in the log.
        let Some(broker) = broker else { return Ok(JsValue::UNDEFINED) };
        match broker.tick().await {
            Ok(done) => {
                tracing::info!(report = ?done, "tick");
            }
            Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "tick failed"),
        }
        Ok(JsValue::UNDEFINED)
    })
}

/// Does a task that the queue delivered, as JSON: a `Promise` of whether it needs no other try.
#[wasm_bindgen]
pub fn work(env: &JsValue, task: &str) -> js_sys::Promise {
    let (broker, task) = (with_isolate(env, |isolate| isolate.broker.clone()), task.to_owned());
    future_to_promise(async move {
        let Some(broker) = broker else { return Ok(JsValue::FALSE) };
        Ok(queue::work(&broker, &task).await.into())
    })
}

/// The broker, once it is built.
fn broker() -> Option<Arc<Broker>> {
    ISOLATE.with(|isolate| isolate.get().and_then(Option::as_ref).map(|isolate| isolate.broker.clone()))
}

fn with_isolate<T>(env: &JsValue, act: impl FnOnce(&Isolate) -> T) -> Option<T> {
    ISOLATE.with(|isolate| isolate.get_or_init(|| build(env)).as_ref().map(act))
}

fn build(env: &JsValue) -> Option<Isolate> {
    let Some(namespace) = host::property(env, "PARTITION") else {
        tracing::error!("the binding PARTITION is missing");
        return None;
    };
    let config = Config::from_vars(|name| host::property(env, name).and_then(|value| value.as_string()));
    let config = config.map_err(|errors| tracing::error!("{errors}")).ok()?;
    let copies = read_copy::ReadCopy::new(host::property(env, "READ_COPY"));
    let store = Arc::new(store::ObjectStore::new(namespace, copies));
    let platform = platform::platform(store, queue::queue(host::property(env, "TASKS")), config.egress_loopback);
    let broker = Arc::new(Broker::new(config, platform));
    let router = vestibule_web::router(broker.clone());
    #[cfg(feature = "conformance")]
    let router = router.merge(conformance::router(broker.clone()));
    Some(Isolate { broker, router })
}

async fn respond(reply: Response) -> Result<JsValue, JsValue> {
    let (parts, body) = reply.into_parts();
    let body = body.collect().await.map_err(|error| JsValue::from_str(&error.to_string()))?.to_bytes();
    host::respond(parts.status.as_u16(), &head::write(&parts.headers), &body)
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    let mut reply = Response::new(Body::from(text));
    *reply.status_mut() = status;
    reply
}
