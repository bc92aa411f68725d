//! `GET|POST /oauth2/logout` (OpenID Connect RP-Initiated Logout 1.0), and `GET /oauth2/signed-out`, the way back from a
//! provider where somebody signed out too.

use axum::body::Body;
use axum::extract::State;
use http::{HeaderMap, Request, StatusCode, Uri};
use vestibule_core::logout::{SignOut, onward, sign_out};
use vestibule_core::saml::sending::Sending;
use vestibule_core::{Broker, Error};
use vestibule_protocol::oauth;
use vestibule_protocol::params::Params;

use super::Shared;
use crate::error::{Surface, show, show_body_error};
use crate::response::{self, Reply};
use crate::{cookie, page, request};

/// How many seconds the browser waits for frames of applications, before it goes on.
const FRAMES_LIFE: u8 = 2;

pub(crate) async fn get(State(broker): Shared, request: Request<Body>) -> Reply {
    let query = request.uri().query().unwrap_or_default();
    answer(&broker, request.headers(), query, false).await
}

/// Back from a provider: on to where the sign-out began.
pub(crate) async fn back(State(broker): Shared, uri: Uri) -> Reply {
    let params = Params::parse(uri.query().unwrap_or_default()).unwrap_or_default();
    let onward = onward(&broker, &params);
    signed_out(onward.as_ref().map(AsRef::as_ref), &[])
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
        SignOut::Done { onward, held, frames, forget_cookie } => {
            let frames: Vec<&str> = frames.iter().map(AsRef::as_ref).collect();
            let mut reply = match &onward {
                Some(Sending::Redirect(location)) => signed_out(Some(location.as_str()), &frames),
                Some(Sending::Post(form)) if frames.is_empty() => response::page(StatusCode::OK, page::post(form)),
                Some(Sending::Post(form)) => response::page(StatusCode::OK, page::signed_out_here(form, &frames)),
                None => signed_out(None, &frames),
            };
            if let Some((handle, sealed)) = held {
                response::set_cookies(reply.headers_mut(), cookie::drop_surplus_logouts(headers));
                response::set_cookies(reply.headers_mut(), cookie::set_logout(&handle, sealed.as_str()));
            }
            if forget_cookie {
                response::set_cookies(reply.headers_mut(), cookie::drop_session());
            }
            Ok(reply)
        }
    }
}

/// It is done. Where there are frames, the browser gets time to load them before it goes on.
fn signed_out(location: Option<&str>, frames: &[&str]) -> Reply {
    match location {
        Some(location) if frames.is_empty() => response::redirect(location),
        _ => {
            let mut reply = response::page(StatusCode::OK, page::signed_out(location, frames));
            if let Some(location) = location {
                response::go_on(&mut reply, FRAMES_LIFE, location);
            }
            reply
        }
    }
}
