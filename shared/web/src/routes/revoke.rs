//! `POST /oauth2/revoke` (RFC 7009). Any origin may call it: it takes no cookie, and public clients live in browsers.

use axum::body::Body;
use axum::extract::State;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL};
use http::{HeaderValue, Request, StatusCode};
use vestibule_core::token::revoke::revoke;
use vestibule_core::{Broker, Error};
use vestibule_protocol::oauth;
use vestibule_protocol::oauth::client_auth::ClientCredentials;
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
    match answer(&broker, authorization.as_deref(), &form).await {
        Ok(()) => {
            let headers = [
                (CACHE_CONTROL, HeaderValue::from_static("no-store")),
                (ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
            ];
            response::reply(StatusCode::OK, headers, Body::empty())
        }
        Err(error) => show(&broker, Surface::Token, &error),
    }
}

async fn answer(broker: &Broker, authorization: Option<&str>, form: &str) -> Result<(), Error> {
    let params = Params::parse(form).map_err(oauth::Error::from)?;
    let credentials = ClientCredentials::parse(authorization, &params)?;
    revoke(broker, &credentials, &params).await
}
