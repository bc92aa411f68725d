//! Requests to identity providers, over reqwest, within the egress policy.
//!
//! The policy is asked twice: about the address as written, and, in our own resolver, about what a name resolves to.
//! The connection goes to the addresses that passed, so a name that changes its mind in between gains nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use vestibule_core::platform::{
    HTTP_BODY_LIMIT, HTTP_TIMEOUT_SECONDS, HttpClient, HttpError, check_address, check_egress,
};

/// The broker's way out to identity providers.
pub struct OutboundHttp {
    client: reqwest::Client,
    allow_loopback: bool,
}

impl OutboundHttp {
    /// With the timeout of the contract.
    pub fn new(allow_loopback: bool) -> Result<Self, HttpError> {
        Self::with_timeout(allow_loopback, Duration::from_secs(HTTP_TIMEOUT_SECONDS))
    }

    /// With another timeout, for tests.
    pub fn with_timeout(allow_loopback: bool, timeout: Duration) -> Result<Self, HttpError> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            // A proxy from the environment would resolve names itself, past the policy.
            .no_proxy()
            .timeout(timeout)
            .tcp_nodelay(true)
            .dns_resolver(Arc::new(PolicyResolver { allow_loopback }))
            .user_agent(concat!("vestibule/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| HttpError::Network(chain(&error)))?;
        Ok(Self { client, allow_loopback })
    }
}

#[async_trait]
impl HttpClient for OutboundHttp {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError> {
        check_egress(request.uri(), self.allow_loopback)?;
        let request = reqwest::Request::try_from(request).map_err(|error| failure(&error))?;
        let mut response = self.client.execute(request).await.map_err(|error| failure(&error))?;
        let limit = u64::try_from(HTTP_BODY_LIMIT).unwrap_or(u64::MAX);
        if response.content_length().is_some_and(|length| length > limit) {
            return Err(HttpError::TooLarge);
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
            if body.len() + chunk.len() > HTTP_BODY_LIMIT {
                return Err(HttpError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        let mut reply = http::Response::new(body.freeze());
        *reply.status_mut() = response.status();
        *reply.version_mut() = response.version();
        std::mem::swap(reply.headers_mut(), response.headers_mut());
        Ok(reply)
    }
}

/// Resolves by the system and lets through only what the egress policy allows.
struct PolicyResolver {
    allow_loopback: bool,
}

impl Resolve for PolicyResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_loopback = self.allow_loopback;
        Box::pin(async move {
            // Port 0: reqwest puts in the one of the URL.
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let mut refusal = None;
            let mut allowed = Vec::with_capacity(found.len());
            for address in found {
                match check_address(address.ip(), allow_loopback) {
                    Ok(()) => allowed.push(address),
                    Err(error) => refusal = Some(error),
                }
            }
            match refusal {
                Some(error) if allowed.is_empty() => Err(error.into()),
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

fn failure(error: &reqwest::Error) -> HttpError {
    if error.is_timeout() {
        return HttpError::Timeout;
    }
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = source {
        if let Some(HttpError::Refused(rule)) = cause.downcast_ref() {
            return HttpError::Refused(rule);
        }
        source = cause.source();
    }
    HttpError::Network(chain(error))
}

/// The causes, without the URL: its query may carry what must not be logged.
fn chain(error: &reqwest::Error) -> String {
    let mut text = if error.is_connect() { "connect".to_owned() } else { "request".to_owned() };
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests;
