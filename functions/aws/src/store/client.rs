//! The connection to DynamoDB: whose credentials, how long to wait, what to send again.

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{Credentials, Region};

/// A client for the region's DynamoDB, or for `endpoint`. An endpoint on this machine is an emulator: it gets
/// credentials that mean nothing, so that none have to be set up.
pub async fn client(endpoint: Option<&str>) -> Client {
    if let Some(endpoint) = endpoint.filter(|endpoint| is_local(endpoint)) {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(Credentials::new("local", "local", None, None, "emulator"))
            .endpoint_url(endpoint)
            .retry_config(retries())
            .timeout_config(timeouts())
            .build();
        return Client::from_conf(config);
    }
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).retry_config(retries()).timeout_config(timeouts());
    if let Some(endpoint) = endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    Client::new(&loader.load().await)
}

fn is_local(endpoint: &str) -> bool {
    let host = endpoint.parse::<http::Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
    matches!(host.as_deref(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

/// How often a call is tried. The SDK sends again after throttling, the service's own failures and lost connections (an instance of Lambda that
/// was frozen finds its connections dead). That is safe for everything that the store sends: reads change nothing,
/// transactions carry a token, and a second delete is covered at [`super::DynamoStore`]'s `take`. A task
/// that is sent twice is done twice, which does no harm.
pub(crate) fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(25))
}

/// How long a call may take. DynamoDB and SQS answer in milliseconds. A person waits for us, so hanging is worse than failing.
pub(crate) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(3))
        .operation_timeout(Duration::from_secs(7))
        .build()
}
