//! The Lambda function behind the HTTP API: the broker's router.

use std::process::ExitCode;
use std::sync::Arc;

use axum::body::Body;
use axum::middleware::map_request;
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;
use vestibule_aws::telemetry;
use vestibule_web::ClientAddress;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let broker = match vestibule_aws::start().await {
        Ok(broker) => Arc::new(broker),
        Err(problem) => return vestibule_aws::report(&problem),
    };
    let router = telemetry::measured(vestibule_web::router(broker)).layer(map_request(said_by_gateway));
    match lambda_http::run(router).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => vestibule_aws::report(error.as_ref()),
    }
}

/// The gateway says who called.
async fn said_by_gateway(mut request: http::Request<Body>) -> http::Request<Body> {
    let address = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.clone(),
        _ => None,
    };
    if let Some(address) = address {
        request.extensions_mut().insert(ClientAddress(address));
    }
    request
}
