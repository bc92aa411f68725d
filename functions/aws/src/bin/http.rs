//! The Lambda function behind the HTTP API: the broker's router.

use std::process::ExitCode;
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let broker = match vestibule_aws::start().await {
        Ok(broker) => Arc::new(broker),
        Err(problem) => return vestibule_aws::report(&problem),
    };
    match lambda_http::run(vestibule_web::router(broker)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => vestibule_aws::report(error.as_ref()),
    }
}
