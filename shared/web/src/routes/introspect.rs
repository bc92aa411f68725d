//! `POST /oauth2/introspect` (RFC 7662), as JSON or, by `Accept`, as a signed token (RFC 9701). For servers: no other
//! origin may read it.

use axum::body::Body;
use axum::extract::State;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use vestibule_core::token::introspect::{introspect, sign};
use vestibule_core::{Broker, Error};
use vestibule_protocol::oauth;
use vestibule_protocol::oauth::client_auth::ClientCredentials;
use vestibule_protocol::params::Params;

use super::Shared;
use crate::error::{Surface, show, show_body_error};
use crate::request;
use crate::response::{self, Reply};

const SIGNED: &str = "application/token-introspection+jwt";

pub(crate) async fn post(State(broker): Shared, request: Request<Body>) -> Reply {
    let headers = request.headers().clone();
    let form = match request::form(request).await {
        Ok(form) => form,
        Err(error) => return show_body_error(&broker, Surface::Relay, error),
    };
    match answer(&broker, &headers, &form).await {
        Ok(reply) => reply,
        Err(error) => show(&broker, Surface::Relay, &error),
    }
}

async fn answer(broker: &Broker, headers: &HeaderMap, form: &str) -> Result<Reply, Error> {
    let params = Params::parse(form).map_err(oauth::Error::from)?;
    let credentials = ClientCredentials::parse(request::authorization(headers), &params)?;
    let answer = introspect(broker, &credentials, &params).await?;
    if !wants_signed(headers) {
        return Ok(response::json(StatusCode::OK, &answer));
    }
    let token = sign(broker, &credentials.client_id, &answer).await?;
    let headers =
        [(CONTENT_TYPE, HeaderValue::from_static(SIGNED)), (CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok(response::reply(StatusCode::OK, headers, token))
}

/// Whether the signed form is named; a caller that takes anything gets JSON.
fn wants_signed(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).into_iter().filter_map(|line| line.to_str().ok());
    let mut types = accepted.flat_map(|line| line.split(','));
    types.any(|kind| kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(SIGNED))
}
