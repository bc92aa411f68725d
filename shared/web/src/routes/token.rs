//! `POST /oauth2/token` (RFC 6749 §3.2). Any origin may call it: it takes no cookie, and public clients live in browsers.

use axum::body::Body;
use axum::extract::State;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE,
};
use http::{HeaderValue, Request, StatusCode};
use vestibule_core::token::{self, Granted};
use vestibule_core::{Broker, Error};
use vestibule_protocol::oauth;
use vestibule_protocol::oauth::client_auth::ClientCredentials;
use vestibule_protocol::oauth::token::TokenRequest;
use vestibule_protocol::params::Params;

use super::Shared;
use crate::error::{Surface, show, show_body_error};
use crate::request;
use crate::response::{self, Reply};

pub(crate) async fn post(State(broker): Shared, request: Request<Body>) -> Reply {
    let authorization = request::authorization(request.headers()).map(str::to_owned);
    let form = match request::form(request).await {
        Ok(form) => form,
        Err(error) => return show_body_error(&broker, Surface::Token, error),
    };
    match exchange(&broker, authorization.as_deref(), &form).await {
        Ok(tokens) => {
            let mut reply = response::json(StatusCode::OK, &tokens);
            reply.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            reply
        }
        Err(error) => show(&broker, Surface::Token, &error),
    }
}

async fn exchange(broker: &Broker, authorization: Option<&str>, form: &str) -> Result<Granted, Error> {
    let params = Params::parse(form).map_err(oauth::Error::from)?;
    let credentials = ClientCredentials::parse(authorization, &params)?;
    let request = TokenRequest::parse(&params)?;
    token::exchange(broker, &credentials, request).await
}

/// What a browser asks before a cross-origin call.
pub(crate) async fn preflight() -> Reply {
    let headers = [
        (ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
        (ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST")),
        (ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("authorization, content-type")),
        (ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400")),
    ];
    response::reply(StatusCode::NO_CONTENT, headers, Body::empty())
}
