//! `/api/svc/v1/oauth2/…`, below a control plane's own host: the relay in the shape that control planes call it.
//!
//! JSON in and out, cookies of the control plane's host, and no cross-origin reading: each call comes from a page of the
//! control plane itself, or is refused.

use axum::body::Body;
use axum::extract::State;
use http::header::ORIGIN;
use http::{HeaderMap, Request, StatusCode, Uri};
use serde::Serialize;
use vestibule_core::model::client::RelayCookies;
use vestibule_core::relay::{self, ControlPlane, session, start};
use vestibule_core::token::TokenResponse;
use vestibule_core::{Broker, Error};
use vestibule_protocol::oauth::relay::CodeRequest;
use vestibule_protocol::oauth::{self, ErrorCode};
use vestibule_protocol::params::Params;

use super::Shared;
use crate::cookie::relay as cookie;
use crate::error::{Surface, show, show_body_error};
use crate::request;
use crate::response::{self, Reply};

#[derive(Serialize)]
struct StartReply<'a> {
    #[serde(rename = "authorizationEndpoint")]
    authorization_endpoint: &'a str,
}

/// How long the tokens live, in seconds: their cookies are out of reach for scripts.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Lives {
    expires_in: i64,
    refresh_expires_in: i64,
}

/// `GET …/authorize`: where to send the browser.
pub(crate) async fn authorize(State(broker): Shared, headers: HeaderMap, uri: Uri) -> Reply {
    match start_login(&broker, &headers, uri.query().unwrap_or_default()).await {
        Ok(reply) => reply,
        Err(error) => show(&broker, Surface::Relay, &error),
    }
}

async fn start_login(broker: &Broker, headers: &HeaderMap, query: &str) -> Result<Reply, Error> {
    // Somebody may type the address; a page elsewhere has no business with it.
    if !matches!(fetch_site(headers), None | Some("same-origin" | "none")) {
        return Err(cross_site().into());
    }
    let params = Params::parse(query).map_err(oauth::Error::from)?;
    let started = start::start(broker, &params).await?;
    let too_large = oauth::Error::invalid_request("the request is too large to be carried through the login");
    let login = cookie::set_login(&started.id, started.cookie.as_str()).ok_or(too_large)?;
    let answer = StartReply { authorization_endpoint: started.authorization_endpoint.as_str() };
    let mut reply = response::json(StatusCode::OK, &answer);
    response::set_cookies(reply.headers_mut(), cookie::drop_surplus_logins(headers));
    response::set_cookies(reply.headers_mut(), [login]);
    Ok(reply)
}

/// `POST …/token`: cookies with tokens for a code.
pub(crate) async fn token(State(broker): Shared, request: Request<Body>) -> Reply {
    let headers = request.headers().clone();
    let plane = match calling(&broker, &headers).await {
        Ok(plane) => plane,
        Err(error) => return show(&broker, Surface::Relay, &error),
    };
    let body = match request::json(request).await {
        Ok(body) => body,
        Err(error) => return show_body_error(&broker, Surface::Relay, error),
    };
    match redeem(&broker, &plane, &headers, &body).await {
        Ok(reply) => reply,
        Err(error) => show(&broker, Surface::Relay, &error),
    }
}

async fn redeem(broker: &Broker, plane: &ControlPlane, headers: &HeaderMap, body: &[u8]) -> Result<Reply, Error> {
    let asked = CodeRequest::parse(body)?;
    let redeemed = session::redeem(broker, plane, &asked, &cookie::logins(headers)).await?;
    let mut reply = with_tokens(broker, plane.cookies, StatusCode::CREATED, &redeemed.tokens)?;
    response::set_cookies(reply.headers_mut(), cookie::drop_login(&redeemed.id));
    Ok(reply)
}

/// `POST …/refresh`: new tokens for the one in the cookie. Whoever is refused has none that is worth keeping.
pub(crate) async fn refresh(State(broker): Shared, headers: HeaderMap) -> Reply {
    let plane = match calling(&broker, &headers).await {
        Ok(plane) => plane,
        Err(error) => return show(&broker, Surface::Relay, &error),
    };
    let outcome = async {
        let token = cookie::refresh_token(&headers, plane.cookies);
        let tokens = session::refresh(&broker, &plane, token).await?;
        with_tokens(&broker, plane.cookies, StatusCode::OK, &tokens)
    };
    match outcome.await {
        Ok(reply) => reply,
        Err(error) => {
            let over = matches!(&error, Error::OAuth(error) if error.code == ErrorCode::InvalidGrant);
            let mut reply = show(&broker, Surface::Relay, &error);
            if over {
                response::set_cookies(reply.headers_mut(), cookie::drop_tokens(plane.cookies));
            }
            reply
        }
    }
}

/// `POST …/logout`: the session is over, here and in the browser.
pub(crate) async fn logout(State(broker): Shared, headers: HeaderMap) -> Reply {
    let plane = match calling(&broker, &headers).await {
        Ok(plane) => plane,
        Err(error) => return show(&broker, Surface::Relay, &error),
    };
    let refresh_token = cookie::refresh_token(&headers, plane.cookies);
    let access_token = cookie::access_token(&headers, plane.cookies);
    match session::sign_out(&broker, &plane, refresh_token, access_token).await {
        Ok(()) => {
            let mut reply = response::reply(StatusCode::NO_CONTENT, [], Body::empty());
            response::set_cookies(reply.headers_mut(), cookie::drop_tokens(plane.cookies));
            reply
        }
        // The cookies stay, so that the person can try again.
        Err(error) => show(&broker, Surface::Relay, &error),
    }
}

/// Which control plane calls: by `Origin`, and from its own pages as far as the browser says (CK-7).
async fn calling(broker: &Broker, headers: &HeaderMap) -> Result<ControlPlane, Error> {
    if !matches!(fetch_site(headers), None | Some("same-origin")) {
        return Err(cross_site().into());
    }
    relay::calling(broker, headers.get(ORIGIN).and_then(|origin| origin.to_str().ok())).await
}

fn fetch_site(headers: &HeaderMap) -> Option<&str> {
    headers.get("sec-fetch-site").map(|site| site.to_str().unwrap_or_default())
}

const fn cross_site() -> oauth::Error {
    oauth::Error::new(ErrorCode::AccessDenied, "the call does not come from the control plane's own pages")
}

fn with_tokens(
    broker: &Broker,
    cookies: RelayCookies,
    status: StatusCode,
    tokens: &TokenResponse,
) -> Result<Reply, Error> {
    let kept = cookie::set_tokens(cookies, tokens, broker.platform.clock.now());
    let kept = kept.ok_or(Error::bug("a token is larger than a cookie may be"))?;
    let lives = Lives { expires_in: tokens.expires_in, refresh_expires_in: tokens.refresh_token_expires_in };
    let mut reply = response::json(status, &lives);
    response::set_cookies(reply.headers_mut(), kept);
    Ok(reply)
}
