//! Reading requests: bodies within bounds, forms as text, bearer tokens.

use axum::body::Body;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, ORIGIN};
use http::{HeaderMap, HeaderName, Request};
use http_body_util::{BodyExt, Limited};
use vestibule_core::admin::change::Tags;

/// Largest body that we read, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// Why a body is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// It is longer than what is read there, or the connection broke.
    TooLargeOrBroken,
    /// A form was expected.
    NotAForm,
    /// JSON was expected.
    NotJson,
}

/// The body, at most [`MAX_BODY`] bytes of it.
pub(crate) async fn body(request: Request<Body>) -> Result<Bytes, BodyError> {
    body_within(request, MAX_BODY).await
}

/// The body, at most so many bytes of it.
pub(crate) async fn body_within(request: Request<Body>, most: usize) -> Result<Bytes, BodyError> {
    let limited = Limited::new(request.into_body(), most);
    limited.collect().await.map(http_body_util::Collected::to_bytes).map_err(|_| BodyError::TooLargeOrBroken)
}

/// The body of a form post, still encoded (RFC 6749 appendix B).
pub(crate) async fn form(request: Request<Body>) -> Result<String, BodyError> {
    form_within(request, MAX_BODY).await
}

/// The body of a form post, still encoded, at most so many bytes of it.
pub(crate) async fn form_within(request: Request<Body>, most: usize) -> Result<String, BodyError> {
    if !is_of_type(&request, "application/x-www-form-urlencoded") {
        return Err(BodyError::NotAForm);
    }
    String::from_utf8(body_within(request, most).await?.into()).map_err(|_| BodyError::NotAForm)
}

/// The body of a JSON post. The type is required: no form of another site can have it.
pub(crate) async fn json(request: Request<Body>) -> Result<Bytes, BodyError> {
    if !is_of_type(&request, "application/json") {
        return Err(BodyError::NotJson);
    }
    body(request).await
}

/// Whether the body says that it is of this type.
pub(crate) fn is_of_type(request: &Request<Body>, expected: &str) -> bool {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(expected)
}

/// The token of an `Authorization: Bearer` header (RFC 6750 §2.1).
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = authorization(headers)?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// Whether a form was posted from one of our own pages. A browser says by itself where it comes from. Our pages send no referrer, which makes `Origin` opaque even
/// from them (Fetch §3.2), so `Sec-Fetch-Site` counts; `Origin` does for browsers that lack it.
pub(crate) fn is_from_us(issuer: &str, headers: &HeaderMap) -> bool {
    match headers.get("sec-fetch-site") {
        Some(site) => site == "same-origin",
        None => headers.get(ORIGIN).is_some_and(|origin| origin == issuer),
    }
}

/// The host that the browser asked for, without its port.
pub(crate) fn host(request: &Request<Body>) -> Option<&str> {
    let named = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let host = named.or_else(|| request.uri().authority().map(http::uri::Authority::as_str))?;
    Some(host.rsplit_once(':').map_or(host, |(host, _)| host))
}

/// That a header should hold entity tags and does not.
pub(crate) struct NotTags;

/// The entity tags of a header. Several headers of one name are one list (RFC 9110 §5.3).
pub(crate) fn tags(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Tags>, NotTags> {
    let values: Option<Vec<&str>> = headers.get_all(name).iter().map(|value| value.to_str().ok()).collect();
    if values.as_ref().is_some_and(Vec::is_empty) {
        return Ok(None);
    }
    let tags = values.and_then(|values| Tags::parse(&values.join(",")));
    tags.map(Some).ok_or(NotTags)
}

/// The `Authorization` header.
pub(crate) fn authorization(headers: &HeaderMap) -> Option<&str> {
    headers.get(AUTHORIZATION)?.to_str().ok()
}
