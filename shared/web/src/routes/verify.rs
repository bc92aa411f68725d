//! `/oauth2/verify`, for proxies that ask before they pass a request on (nginx `auth_request`, Traefik `forwardAuth`,
//! Caddy `forward_auth`, Envoy `ext_authz`). 200 with who it is in headers, 401 without a token that counts, 403 without
//! the role. Any method: some proxies ask with the method of the request.

use axum::body::Body;
use axum::extract::State;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use vestibule_core::verify::{Question, Verified};
use vestibule_core::{Broker, Error};
use vestibule_protocol::oauth;
use vestibule_protocol::params::Params;

use super::Shared;
use crate::cookie::relay as cookie;
use crate::error::{Surface, no_token, show};
use crate::request;
use crate::response::{self, Reply};

/// What is written as `%XX`: all that is not visible ASCII, and the sign itself. Addresses and ids stay as they are.
const HEADER: &AsciiSet = &CONTROLS.add(b' ').add(b'%');

pub(crate) async fn answer(State(broker): Shared, headers: HeaderMap, uri: Uri) -> Reply {
    let outcome = look(&broker, &headers, uri.query().unwrap_or_default()).await;
    let mut reply = match outcome {
        Ok(Some(verified)) => pass(&verified),
        Ok(None) => no_token(),
        Err(error) => show(&broker, Surface::Resource, &error),
    };
    // A proxy asks, never a page.
    reply.headers_mut().remove(ACCESS_CONTROL_ALLOW_ORIGIN);
    reply
}

/// Who it is; `None` without a token. The header goes before the cookie.
async fn look(broker: &Broker, headers: &HeaderMap, query: &str) -> Result<Option<Verified>, Error> {
    let params = Params::parse(query).map_err(oauth::Error::from)?;
    let question = Question::read(broker, &params).await?;
    let kept = || question.cookies().and_then(|cookies| cookie::access_token(headers, cookies));
    match request::bearer(headers).or_else(kept) {
        Some(token) => question.ask(broker, token).await.map(Some),
        None => Ok(None),
    }
}

fn pass(verified: &Verified) -> Reply {
    let Verified { user, tenant, session, email, role } = verified;
    let mut reply =
        response::reply(StatusCode::OK, [(CACHE_CONTROL, HeaderValue::from_static("no-store"))], Body::empty());
    for (name, value) in [
        ("x-auth-request-user", Some(user)),
        ("x-auth-request-tenant", Some(tenant)),
        ("x-auth-request-session", Some(session)),
        ("x-auth-request-email", email.as_ref()),
        ("x-auth-request-role", role.as_ref()),
    ] {
        let value = value.map(|value| utf8_percent_encode(value, HEADER).to_string());
        let value = value.and_then(|value| HeaderValue::from_str(&value).ok());
        reply.headers_mut().extend(value.map(|value| (HeaderName::from_static(name), value)));
    }
    reply
}
