//! Tasks: through Cloudflare Queues where the binding `TASKS` exists, otherwise done by the invocation that sends them.

use std::sync::Arc;

use async_trait::async_trait;
use send_wrapper::SendWrapper;
use vestibule_core::Broker;
use vestibule_core::platform::{Queue, QueueError, Task};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::future_to_promise;

use crate::host;

/// The queue of this isolate.
pub(crate) fn queue(binding: Option<JsValue>) -> Arc<dyn Queue> {
    match binding {
        Some(binding) => Arc::new(Bound(SendWrapper::new(binding))),
        None => Arc::new(Here),
    }
}

/// Does a task that the queue delivered. Whether it needs no other try.
pub(crate) async fn work(broker: &Broker, task: &str) -> bool {
    let Ok(task) = serde_json::from_str::<Task>(task) else {
        tracing::error!("queue.unreadable");
        return false;
    };
    match broker.work(&task).await {
        Ok(report) => {
            if report.effects + report.failed > 0 {
                tracing::info!(partition = task.partition, report = ?report, "work");
            }
            report.failed == 0
        }
        Err(error) => {
            tracing::error!(partition = task.partition, error = &error as &dyn std::error::Error, "work.failed");
            false
        }
    }
}

/// The binding of a queue. `js/worker.js` takes what comes out of it.
struct Bound(SendWrapper<JsValue>);

#[async_trait]
impl Queue for Bound {
    async fn send(&self, tasks: Vec<Task>) -> Result<(), QueueError> {
        let tasks = serde_json::to_string(&tasks).map_err(|error| QueueError(error.to_string()))?;
        let sent = SendWrapper::new(host::send_tasks(&self.0, &tasks)).await;
        sent.map(drop).map_err(|error| QueueError(host::message(&error)))
    }
}

/// No queue: what is sent is done after the reply, or after the tick, in the same invocation.
///
/// The free plan allows an invocation 50 calls and 10 ms of processor time, which it takes for about as many. The
/// invocation itself and the last batch have made fewer than thirty of them.
struct Here;

/// After so many calls no further batch begins.
const CALLS: u32 = 20;

#[async_trait]
impl Queue for Here {
    async fn send(&self, tasks: Vec<Task>) -> Result<(), QueueError> {
        let Some(broker) = crate::broker() else { return Ok(()) };
        let before = host::calls();
        host::after_reply(future_to_promise(async move {
            let report = broker.work_here(tasks, || host::calls() - before < CALLS).await;
            if report.effects + report.failed + report.left > 0 {
                tracing::info!(report = ?report, "work.here");
            }
            Ok(JsValue::UNDEFINED)
        }));
        Ok(())
    }

    fn steps(&self) -> usize {
        2
    }
}
