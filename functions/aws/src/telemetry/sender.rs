//! How measurements travel: over reqwest, on the process's own runtime. The exporters call from threads that have none.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::ExporterBuildError;
use tokio::runtime::Handle;

/// How long a collector may take.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Sends to the collector, wherever the operator has put it: the egress policy is for providers.
#[derive(Debug, Clone)]
pub(super) struct Sender {
    client: reqwest::Client,
    runtime: Handle,
}

impl Sender {
    /// For the runtime that this is called on.
    pub(super) fn new() -> Result<Self, ExporterBuildError> {
        let client = reqwest::Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none()).build();
        let client = client.map_err(|error| ExporterBuildError::InternalFailure(error.to_string()))?;
        Ok(Self { client, runtime: Handle::current() })
    }
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let request = reqwest::Request::try_from(request)?;
        let client = self.client.clone();
        let exchange = self.runtime.spawn(async move {
            let reply = client.execute(request).await?;
            let status = reply.status();
            let body = reply.bytes().await?;
            Ok::<_, reqwest::Error>((status, body))
        });
        let (status, body) = exchange.await??;
        let mut reply = Response::new(body);
        *reply.status_mut() = status;
        Ok(reply)
    }
}
