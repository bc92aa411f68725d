//! What API Gateway's HTTP API does between a browser and a function: a request becomes an event in payload format
//! 2.0, and the function's JSON becomes a response.
//!
//! Kept faithful where the difference would hide a bug: cookies travel in a list of their own, repeated headers are
//! joined with commas, form bodies arrive in base64, the query string is passed on byte for byte.

use std::net::{IpAddr, SocketAddr};

use anyhow::{Context, Result, bail};
use axum::body::Body;
use axum::extract::ConnectInfo;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, COOKIE, SET_COOKIE, TRANSFER_ENCODING, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Map, Value, json};
use url::Url;

/// Whether a request is for a host with a name. API Gateway answers for the names that were given to it and for no
/// other, so `Host` is one of them by the time a function sees it; here, every name was given.
pub(crate) fn is_for_a_name(parts: &Parts) -> bool {
    let host = text(&parts.headers, &http::header::HOST);
    let url = Url::parse(&format!("https://{host}/")).ok();
    url.is_some_and(|url| url.username().is_empty() && url.path() == "/" && url.query().is_none())
}

/// The event for a request.
pub(crate) fn event(parts: &Parts, body: &Bytes, id: &str, epoch_milliseconds: u128) -> Value {
    let path = parts.uri.path();
    let query = parts.uri.query().unwrap_or_default();
    let host = text(&parts.headers, &http::header::HOST);
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers(&parts.headers),
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": host,
            "domainPrefix": host.split('.').next(),
            "http": {
                "method": parts.method.as_str(),
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": peer.map_or(IpAddr::from([127, 0, 0, 1]), |peer| peer.0.ip()),
                "userAgent": text(&parts.headers, &USER_AGENT),
            },
            "requestId": id,
            "routeKey": "$default",
            "stage": "$default",
            "time": "01/Jan/2026:00:00:00 +0000",
            "timeEpoch": u64::try_from(epoch_milliseconds).unwrap_or_default(),
        },
        "isBase64Encoded": false,
    });
    let Some(fields) = event.as_object_mut() else { return event };
    let cookies = cookies(&parts.headers);
    if !cookies.is_empty() {
        fields.insert("cookies".to_owned(), cookies.into());
    }
    if !query.is_empty() {
        fields.insert("queryStringParameters".to_owned(), parameters(query).into());
    }
    if !body.is_empty() {
        let as_text = is_text(&text(&parts.headers, &CONTENT_TYPE)).then(|| std::str::from_utf8(body).ok()).flatten();
        fields.insert("isBase64Encoded".to_owned(), as_text.is_none().into());
        fields.insert("body".to_owned(), as_text.map_or_else(|| STANDARD.encode(body), str::to_owned).into());
    }
    event
}

/// The response that a function's answer describes.
///
/// # Errors
/// When the answer is not in payload format 2.0, which API Gateway renders as a 500.
pub(crate) fn response(answer: &[u8]) -> Result<Response<Body>> {
    let answer: Value = serde_json::from_slice(answer).context("the answer is not JSON")?;
    let Some(code) = answer.get("statusCode").and_then(Value::as_u64) else { bail!("the answer has no statusCode") };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(u16::try_from(code)?)?;
    // A `multiValueHeaders` field belongs to format 1.0; API Gateway passes over it here, so do we.
    for (name, value) in answer.get("headers").and_then(Value::as_object).into_iter().flatten() {
        let name = HeaderName::try_from(name.as_str())?;
        if name != CONTENT_LENGTH && name != TRANSFER_ENCODING {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            response.headers_mut().append(name, HeaderValue::try_from(value)?);
        }
    }
    for cookie in answer.get("cookies").and_then(Value::as_array).into_iter().flatten() {
        let cookie = cookie.as_str().context("a cookie is not text")?;
        response.headers_mut().append(SET_COOKIE, HeaderValue::from_str(cookie)?);
    }
    if let Some(body) = answer.get("body").and_then(Value::as_str) {
        let encoded = answer.get("isBase64Encoded").and_then(Value::as_bool).unwrap_or_default();
        let bytes = if encoded { STANDARD.decode(body)? } else { body.as_bytes().to_vec() };
        *response.body_mut() = Body::from(bytes);
    }
    Ok(response)
}

/// The page that API Gateway shows in place of a function's answer.
pub(crate) fn failure(code: StatusCode) -> Response<Body> {
    let message = code.canonical_reason().unwrap_or_default();
    let mut response = Response::new(Body::from(json!({ "message": message }).to_string()));
    *response.status_mut() = code;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn headers(headers: &HeaderMap) -> Map<String, Value> {
    let mut joined = Map::new();
    for name in headers.keys().filter(|name| *name != COOKIE) {
        let values: Vec<_> =
            headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        joined.insert(name.as_str().to_owned(), values.join(",").into());
    }
    joined.insert("x-forwarded-for".to_owned(), "127.0.0.1".into());
    joined.insert("x-forwarded-proto".to_owned(), "https".into());
    joined.insert("x-forwarded-port".to_owned(), "443".into());
    joined
}

fn cookies(headers: &HeaderMap) -> Vec<Value> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split("; ")).filter(|cookie| !cookie.is_empty()).map(Value::from).collect()
}

fn parameters(query: &str) -> Map<String, Value> {
    let mut joined: Map<String, Value> = Map::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let all = match joined.get(name.as_ref()).and_then(Value::as_str) {
            Some(before) => format!("{before},{value}"),
            None => value.into_owned(),
        };
        joined.insert(name.into_owned(), all.into());
    }
    joined
}

/// Which bodies reach a function as text; the others, forms among them, in base64.
fn is_text(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.starts_with("text/")
        || ["application/json", "application/javascript", "application/xml"].contains(&kind.as_str())
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
}

fn text(headers: &HeaderMap, name: &HeaderName) -> String {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
