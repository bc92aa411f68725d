//! `POST /conformance`: runs the store suite on this Worker's own store and the signature suite on its WebCrypto,
//! inside workerd, and answers with the outcomes:
//! `[{"name": "…", "failure": null | "…"}]`. Only in builds with the feature of that name. ED-8.

use std::sync::Arc;

use async_trait::async_trait;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use send_wrapper::SendWrapper;
use serde_json::json;
use vestibule_core::Broker;
use vestibule_core::platform::Clock;
use vestibule_protocol::time::{Seconds, Timestamp};
use vestibule_testkit::crypto_conformance;
use vestibule_testkit::store_conformance::{self, Time};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = scheduler)]
    async fn wait(milliseconds: f64);
}

/// The route of the suite.
pub(crate) fn router(broker: Arc<Broker>) -> axum::Router {
    axum::Router::new().route("/conformance", post(move || answer(broker.clone())))
}

async fn answer(broker: Arc<Broker>) -> Response {
    let mut tag = [0; 8];
    broker.platform.random.fill(&mut tag);
    let tag = u64::from_ne_bytes(tag).to_string();
    let mut outcomes = store_conformance::run(broker.platform.store.clone(), Arc::new(HostTime), &tag).await;
    outcomes.extend(crypto_conformance::run(&*broker.platform.crypto).await);
    let outcomes: Vec<_> =
        outcomes.into_iter().map(|outcome| json!({"name": outcome.name, "failure": outcome.result.err()})).collect();
    ([("content-type", "application/json")], json!(outcomes).to_string()).into_response()
}

/// The runtime's clock, which moves by itself.
struct HostTime;

impl Clock for HostTime {
    fn now(&self) -> Timestamp {
        crate::platform::now()
    }
}

#[async_trait]
impl Time for HostTime {
    async fn pass(&self, span: Seconds) {
        let until = self.now() + span;
        while !until.has_passed(self.now()) {
            SendWrapper::new(wait(100.0)).await;
        }
    }
}
