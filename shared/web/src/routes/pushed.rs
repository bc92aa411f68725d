//! `POST /oauth2/par` (RFC 9126). The client authenticates as at the token endpoint.

use axum::body::Body;
use axum::extract::State;
use http::header::ACCESS_CONTROL_ALLOW_ORIGIN;
use http::{HeaderValue, Request, StatusCode};
use serde_json::json;
use vestibule_core::login::pushed::{Pushed, push};
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
        Ok(pushed) => {
            let body = json!({ "request_uri": pushed.request_uri, "expires_in": pushed.expires_in });
            let mut reply = response::json(StatusCode::CREATED, &body);
            reply.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            reply
        }
        Err(error) => show(&broker, Surface::Token, &error),
    }
}

async fn answer(broker: &Broker, authorization: Option<&str>, form: &str) -> Result<Pushed, Error> {
    let params = Params::parse(form).map_err(oauth::Error::from)?;
    let credentials = ClientCredentials::parse(authorization, &params)?;
    push(broker, &credentials, &params).await
}
