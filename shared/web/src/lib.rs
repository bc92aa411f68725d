//! The broker over HTTP: one router for workerd, Lambda and hyper.

use std::sync::Arc;

use vestibule_core::Broker;

/// The router. Every runtime serves this one.
pub fn router(broker: Arc<Broker>) -> axum::Router {
    axum::Router::new().with_state(broker)
}
