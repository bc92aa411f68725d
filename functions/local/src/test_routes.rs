//! `POST /test/tick` and `POST /test/tasks`: what the schedule and the queue do on other runtimes, at a test's word. Only in
//! builds with the feature `test-clock`, which are never deployed.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use vestibule_core::Broker;

/// The routes.
pub(crate) fn router(broker: &Arc<Broker>) -> Router {
    let (ticking, sending) = (Arc::clone(broker), Arc::clone(broker));
    Router::new()
        .route("/test/tick", post(move || tick(ticking)))
        .route("/test/tasks", post(move |body: String| send(sending, body)))
}

async fn tick(broker: Arc<Broker>) -> (StatusCode, String) {
    match broker.tick().await {
        Ok(report) => (StatusCode::OK, serde_json::json!(report).to_string()),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

/// Where tasks are texts, one that is none goes in too. Here it cannot.
async fn send(broker: Arc<Broker>, body: String) -> StatusCode {
    if let Ok(task) = serde_json::from_str(&body)
        && broker.platform.queue.send(vec![task]).await.is_err()
    {
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    StatusCode::OK
}
