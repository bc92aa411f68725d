//! Building responses: redirects, pages, JSON, each with the headers that it always has.

use axum::body::Body;
use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY,
    SET_COOKIE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use serde::Serialize;
use serde_json::Value;
use vestibule_core::metadata::DOCUMENT_LIFE;
use vestibule_core::saml::sending::Sending;

use crate::page::{self, Page};

/// A response of ours.
pub(crate) type Reply = Response<Body>;

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A response with these headers.
pub(crate) fn reply<const N: usize>(
    status: StatusCode,
    headers: [(HeaderName, HeaderValue); N],
    body: impl Into<Body>,
) -> Reply {
    let mut reply = Response::new(body.into());
    *reply.status_mut() = status;
    reply.headers_mut().extend(headers);
    reply
}

/// A redirect by 303: whatever came, the browser goes on with a GET and takes no form along (RFC 9700 §4.12).
pub(crate) fn redirect(location: &str) -> Reply {
    match HeaderValue::from_str(location) {
        Ok(location) => reply(
            StatusCode::SEE_OTHER,
            [
                (LOCATION, location),
                (CACHE_CONTROL, NO_STORE),
                (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            ],
            Body::empty(),
        ),
        // A parsed URL is ASCII; there is nothing else to redirect to.
        Err(_) => reply(StatusCode::INTERNAL_SERVER_ERROR, [], Body::empty()),
    }
}

/// Sends the browser on with a message of ours.
pub(crate) fn send(sending: &Sending) -> Reply {
    match sending {
        Sending::Redirect(location) => redirect(location.as_str()),
        Sending::Post(form) => page(StatusCode::OK, page::post(form)),
    }
}

/// A page: never framed, never stored, sending no referrer.
pub(crate) fn page(status: StatusCode, page: Page) -> Reply {
    reply(
        status,
        [
            (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
            (CONTENT_SECURITY_POLICY, page.policy),
            (CACHE_CONTROL, NO_STORE),
            (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        ],
        page.html,
    )
}

/// A page that a site frames which its policy names; otherwise the same.
pub(crate) fn framed(framed: Page) -> Reply {
    let mut reply = page(StatusCode::OK, framed);
    reply.headers_mut().remove(X_FRAME_OPTIONS);
    reply
}

/// Has the browser go on from a page by itself, after some seconds. In a header, so that the page needs no script.
pub(crate) fn go_on(reply: &mut Reply, seconds: u8, location: &str) {
    if let Ok(value) = HeaderValue::from_str(&format!("{seconds}; url={location}")) {
        reply.headers_mut().insert(HeaderName::from_static("refresh"), value);
    }
}

/// JSON that nobody may keep.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Reply {
    match serde_json::to_vec(value) {
        Ok(body) => json_text(status, body),
        Err(_) => reply(StatusCode::INTERNAL_SERVER_ERROR, [], Body::empty()),
    }
}

/// JSON that is written already and that nobody may keep.
pub(crate) fn json_text(status: StatusCode, body: Vec<u8>) -> Reply {
    reply(status, [(CONTENT_TYPE, JSON), (CACHE_CONTROL, NO_STORE)], body)
}

/// JSON for directories (RFC 7644 §3.1), which nobody may keep.
pub(crate) fn scim(status: StatusCode, value: &Value) -> Reply {
    scim_text(status, value.to_string())
}

/// The same, written already.
pub(crate) fn scim_text(status: StatusCode, body: String) -> Reply {
    let mut reply = json_text(status, body.into_bytes());
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/scim+json"));
    reply
}

/// A public JSON document: any origin may read it, anybody may keep it for [`DOCUMENT_LIFE`].
pub(crate) fn document(body: Bytes) -> Reply {
    const _: () = assert!(DOCUMENT_LIFE.0 == 300, "the header below says how long");
    let headers = [
        (CONTENT_TYPE, JSON),
        (CACHE_CONTROL, HeaderValue::from_static("public, max-age=300")),
        (ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
    ];
    reply(StatusCode::OK, headers, body)
}

/// Adds cookies.
pub(crate) fn set_cookies(headers: &mut HeaderMap, cookies: impl IntoIterator<Item = HeaderValue>) {
    for cookie in cookies {
        headers.append(SET_COOKIE, cookie);
    }
}
