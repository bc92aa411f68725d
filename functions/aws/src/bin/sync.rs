//! The Lambda function behind the schedule: one tick of the broker a minute.

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
    // What the schedule sends says only that a minute has passed; the answer is for whoever invokes it by hand.
    let tick = service_fn(|_: LambdaEvent<Value>| {
        let broker = broker.clone();
        async move { broker.tick().await.map_err(lambda_runtime::Error::from) }
    });
    match lambda_runtime::run(tick).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => vestibule_aws::report(error.as_ref()),
    }
}
