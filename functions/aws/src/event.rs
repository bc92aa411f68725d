//! What invokes `vestibule-sync`: the minute's schedule, and SQS with a batch of tasks.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use vestibule_core::platform::Task;
use vestibule_core::{Broker, Error};

use crate::telemetry;

/// Does what an event asks for: the answer of the function. A batch of SQS has `Records`, and the answer names those
/// that are worth another try; any other event is a minute that has passed, and the answer is for whoever invokes the
/// function by hand.
pub async fn handle(broker: &Arc<Broker>, event: &Value) -> Result<Value, Error> {
    let answer = answer(broker, event).await;
    telemetry::flush().await;
    answer
}

async fn answer(broker: &Arc<Broker>, event: &Value) -> Result<Value, Error> {
    if let Some(records) = event.get("Records").and_then(Value::as_array) {
        return Ok(work(broker, records).await);
    }
    let outcome = broker.tick().await;
    telemetry::ticked(outcome.as_ref());
    let report = outcome?;
    tracing::info!(?report, "tick");
    Ok(json!(report))
}

/// Does the tasks of a batch side by side: one that waits for a slow provider holds up no other.
async fn work(broker: &Arc<Broker>, records: &[Value]) -> Value {
    let mut messages = JoinSet::new();
    for record in records {
        let member = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (id, body, broker) = (member("messageId"), member("body"), broker.clone());
        messages.spawn(async move { if is_done(&broker, &body).await { None } else { Some(id) } });
    }
    let mut failures = Vec::new();
    for id in messages.join_all().await.into_iter().flatten() {
        failures.push(json!({ "itemIdentifier": id }));
    }
    json!({ "batchItemFailures": failures })
}

/// Whether a message needs no other try. What holds no tasks comes to the dead letters after some.
async fn is_done(broker: &Broker, body: &str) -> bool {
    let Ok(tasks) = serde_json::from_str::<Vec<Task>>(body) else {
        tracing::error!("queue.unreadable");
        return false;
    };
    let done = join_all(tasks.iter().map(|task| is_task_done(broker, task))).await;
    done.into_iter().all(|is_done| is_done)
}

async fn is_task_done(broker: &Broker, task: &Task) -> bool {
    let outcome = broker.work(task).await;
    telemetry::worked(outcome.as_ref());
    match outcome {
        Ok(report) => {
            tracing::debug!(partition = task.partition, ?report, "work");
            report.failed == 0
        }
        Err(error) => {
            tracing::error!(partition = task.partition, error = &error as &dyn std::error::Error, "work.failed");
            false
        }
    }
}
