//! Time, randomness and outbound requests of the Workers runtime.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use js_sys::Uint8Array;
use send_wrapper::SendWrapper;
use vestibule_core::platform::{
    Clock, HTTP_BODY_LIMIT, HTTP_TIMEOUT_SECONDS, HttpClient, HttpError, Platform, Queue, Random, check_egress,
};
use vestibule_core::store::Store;
use vestibule_protocol::time::Timestamp;
use wasm_bindgen::{JsCast, JsValue};

use crate::crypto::WebCrypto;
use crate::{head, host};

/// The ways out of an isolate.
pub(crate) fn platform(store: Arc<dyn Store>, queue: Arc<dyn Queue>, allow_loopback: bool) -> Platform {
    Platform {
        clock: Arc::new(HostClock),
        random: Arc::new(HostRandom),
        http: Arc::new(Fetch { allow_loopback }),
        crypto: Arc::new(WebCrypto::default()),
        store,
        queue,
    }
}

struct HostClock;

impl Clock for HostClock {
    fn now(&self) -> Timestamp {
        now()
    }
}

/// The runtime's time. It stands still between two I/O operations.
pub(crate) fn now() -> Timestamp {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 are far below 2^53")]
    Timestamp::from_seconds((js_sys::Date::now() / 1000.0).floor() as i64)
}

struct HostRandom;

impl Random for HostRandom {
    fn fill(&self, bytes: &mut [u8]) {
        #[expect(clippy::disallowed_methods, reason = "the one place that randomness comes from on Workers")]
        let filled = getrandom::fill(bytes);
        // crypto.getRandomValues is always there; without it no answer is safe.
        assert!(filled.is_ok(), "the runtime gives no random bytes");
    }
}

/// `HttpClient` over the runtime's `fetch`.
struct Fetch {
    allow_loopback: bool,
}

#[async_trait]
impl HttpClient for Fetch {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        check_egress(request.uri(), self.allow_loopback)?;
        SendWrapper::new(exchange(request)).await
    }
}

async fn exchange(request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let (parts, body) = request.into_parts();
    let timeout = u32::try_from(HTTP_TIMEOUT_SECONDS * 1000).unwrap_or(u32::MAX);
    let limit = u32::try_from(HTTP_BODY_LIMIT).unwrap_or(u32::MAX);
    let lines = head::write(&parts.headers);
    let reply = host::send(parts.method.as_str(), &parts.uri.to_string(), &lines, &body, timeout, limit).await;
    let reply = reply.map_err(|error| match host::name(&error).as_str() {
        "TimeoutError" => HttpError::Timeout,
        "TooLargeError" => HttpError::TooLarge,
        _ => HttpError::Network(host::message(&error)),
    })?;
    let unreadable = || HttpError::Network("the reply cannot be read".to_owned());
    let mut response = Response::new(bytes(reply.get(2)));
    *response.status_mut() = status(&reply.get(0)).ok_or_else(unreadable)?;
    *response.headers_mut() = headers(&reply.get(1)).ok_or_else(unreadable)?;
    Ok(response)
}

fn status(value: &JsValue) -> Option<StatusCode> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a status has three digits")]
    StatusCode::from_u16(value.as_f64()? as u16).ok()
}

fn headers(value: &JsValue) -> Option<HeaderMap> {
    Some(head::read(value.as_string()?.split('\n')))
}

fn bytes(value: JsValue) -> Bytes {
    value.dyn_into::<Uint8Array>().map(|array| Bytes::from(array.to_vec())).unwrap_or_default()
}
