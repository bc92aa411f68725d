//! `GET|POST /saml/{tenant}/{connection}/slo`: the single logout service (saml-profiles §4.4), by redirect and by POST.

use axum::body::Body;
use axum::extract::{Path, State};
use http::{HeaderMap, Request, StatusCode};
use vestibule_core::saml::logout::{Came, Outcome, received};
use vestibule_core::seal::Sealed;
use vestibule_core::{Broker, Error};
use vestibule_protocol::oauth;
use vestibule_protocol::params::Params;

use super::Named;
use crate::error::{Surface, show, show_body_error};
use crate::response::{self, Reply};
use crate::routes::Shared;
use crate::{cookie, page, request};

pub(crate) async fn get(State(broker): Shared, Path((tenant, connection)): Named, request: Request<Body>) -> Reply {
    let came = Came::Redirect(request.uri().query().unwrap_or_default());
    answer(&broker, request.headers(), (&tenant, &connection), came).await
}

pub(crate) async fn post(State(broker): Shared, Path((tenant, connection)): Named, request: Request<Body>) -> Reply {
    let headers = request.headers().clone();
    let form = match request::form(request).await {
        Ok(form) => form,
        Err(error) => return show_body_error(&broker, Surface::Page, error),
    };
    match Params::parse(&form).map_err(oauth::Error::from) {
        Ok(params) => answer(&broker, &headers, (&tenant, &connection), Came::Post(&params)).await,
        Err(error) => show(&broker, Surface::Page, &Error::from(error)),
    }
}

async fn answer(broker: &Broker, headers: &HeaderMap, place: (&str, &str), came: Came<'_>) -> Reply {
    let held = |handle: &str| cookie::logout(headers, handle).map(Sealed::from_text);
    match received(broker, place, came, cookie::session(headers), held).await {
        Ok(Outcome::Ended { answer, forget_cookie }) => {
            let done = || response::page(StatusCode::OK, page::signed_out(None, &[]));
            let mut reply = answer.map_or_else(done, |answer| response::send(&answer));
            if forget_cookie {
                response::set_cookies(reply.headers_mut(), cookie::drop_session());
            }
            reply
        }
        Ok(Outcome::Left { location, handle }) => {
            let done = || response::page(StatusCode::OK, page::signed_out(None, &[]));
            let mut reply = location.map_or_else(done, |location| response::redirect(location.as_str()));
            response::set_cookies(reply.headers_mut(), cookie::set_logout(&handle, ""));
            reply
        }
        Err(error) => show(broker, Surface::Page, &error),
    }
}
