//! The Lambda function behind the schedule and the queue: ticks and tasks of the broker.

use std::process::ExitCode;
use std::sync::Arc;

use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let broker = match vestibule_aws::start().await {
        Ok(broker) => Arc::new(broker),
        Err(problem) => return vestibule_aws::report(&problem),
    };
    let handle = service_fn(|event: LambdaEvent<Value>| {
        let broker = broker.clone();
        async move { vestibule_aws::event::handle(&broker, &event.payload).await.map_err(lambda_runtime::Error::from) }
    });
    match lambda_runtime::run(handle).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => vestibule_aws::report(error.as_ref()),
    }
}
