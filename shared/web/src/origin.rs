//! Where a request comes from: each gets an id of ours, which its log lines, its audit events and its answer have.

use axum::body::Body;
use axum::extract::State;
use axum::middleware::Next;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use tracing::Instrument;
use vestibule_core::handle::new_id;
use vestibule_core::origin::{self, Origin};

use crate::response::Reply;
use crate::routes::Shared;

/// The id of a request, in its answer.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest address that is written down: an IPv6 address with a zone fits.
const MAX_ADDRESS: usize = 64;

/// The address that a request came from, as the platform knows it. Adapters put it among the request's extensions.
#[derive(Debug, Clone)]
pub struct ClientAddress(pub String);

/// Answers a request under an id of its own. An id that it brings along is not looked at: anybody could send any.
pub(crate) async fn scope(State(broker): Shared, request: Request<Body>, next: Next) -> Reply {
    let id = new_id(&*broker.platform.random);
    let span = tracing::info_span!("request", request_id = %id);
    let address = match &broker.config.client_address_header {
        Some(name) => forwarded(request.headers(), name),
        None => request.extensions().get::<ClientAddress>().map(|found| found.0.clone()),
    };
    let header = HeaderValue::from_str(&id);
    let origin = Origin { request: id, address };
    let mut reply = origin::scope(origin, next.run(request)).instrument(span).await;
    if let Ok(header) = header {
        reply.headers_mut().insert(REQUEST_ID, header);
    }
    reply
}

/// What the proxy in front wrote: the last entry of the last header. Those before it are anybody's.
fn forwarded(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let last = headers.get_all(name).iter().next_back()?.to_str().ok()?.rsplit(',').next()?.trim();
    let is_address = |byte: u8| byte.is_ascii_hexdigit() || b".:[]%".contains(&byte);
    let usable = (1..=MAX_ADDRESS).contains(&last.len()) && last.bytes().all(is_address);
    usable.then(|| last.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_proxy_is_believed() {
        let name = HeaderName::from_static("x-forwarded-for");
        let read = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            headers.extend(values.iter().map(|value| (name.clone(), HeaderValue::from_static(value))));
            forwarded(&headers, &name)
        };
        assert_eq!(read(&["203.0.113.9"]).as_deref(), Some("203.0.113.9"));
        assert_eq!(read(&["10.0.0.1, 203.0.113.9"]).as_deref(), Some("203.0.113.9"));
        assert_eq!(read(&["203.0.113.8", "2001:db8::1"]).as_deref(), Some("2001:db8::1"));
        for wrong in ["", "10.0.0.1,", "unknown", "<script>", "_hidden", &"1".repeat(65)] {
            let value = HeaderValue::from_str(wrong).unwrap();
            assert_eq!(forwarded(&HeaderMap::from_iter([(name.clone(), value)]), &name), None, "{wrong}");
        }
        assert_eq!(read(&[]), None);
    }
}
