//! `GET|POST /oauth2/logout` (OpenID Connect RP-Initiated Logout 1.0).

use axum::body::Body;
use axum::extract::State;
use http::{HeaderMap, Request, StatusCode};
use vestibule_core::logout::{SignOut, sign_out};
use vestibule_core::{Broker, Error};
use vestibule_protocol::oauth;
use vestibule_protocol::params::Params;

use super::Shared;
use crate::error::{Surface, show, show_body_error};
use crate::response::{self, Reply};
use crate::{cookie, page, request};

pub(crate) async fn get(State(broker): Shared, request: Request<Body>) -> Reply {
    let query = request.uri().query().unwrap_or_default();
    answer(&broker, request.headers(), query, false).await
}

/// A yes counts from our own page only.
pub(crate) async fn post(State(broker): Shared, request: Request<Body>) -> Reply {
    let headers = request.headers().clone();
    let from_us = request::is_from_us(&broker.config.issuer, &headers);
    match request::form(request).await {
        Ok(form) => answer(&broker, &headers, &form, from_us).await,
        Err(error) => show_body_error(&broker, Surface::Page, error),
    }
}

async fn answer(broker: &Broker, headers: &HeaderMap, parameters: &str, from_us: bool) -> Reply {
    match decide(broker, headers, parameters, from_us).await {
        Ok(reply) => reply,
        Err(error) => show(broker, Surface::Page, &error),
    }
}

async fn decide(broker: &Broker, headers: &HeaderMap, parameters: &str, from_us: bool) -> Result<Reply, Error> {
    let params = Params::parse(parameters).map_err(oauth::Error::from)?;
    let confirmed = from_us && params.get("confirm").map_err(oauth::Error::from)? == Some("yes");
    match sign_out(broker, &params, cookie::session(headers), confirmed).await? {
        SignOut::Ask => {
            let carried: Vec<_> = params.iter().filter(|(name, _)| *name != "confirm").collect();
            Ok(response::page(StatusCode::OK, page::ask_sign_out(&carried)))
        }
        SignOut::Done { location, forget_cookie } => {
            let mut reply = match location {
                Some(location) => response::redirect(location.as_str()),
                None => response::page(StatusCode::OK, page::signed_out()),
            };
            if forget_cookie {
                response::set_cookies(reply.headers_mut(), cookie::drop_session());
            }
            Ok(reply)
        }
    }
}
