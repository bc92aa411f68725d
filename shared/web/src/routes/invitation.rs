//! `GET|POST /oauth2/invitation`: the link of an invitation. Opening it changes nothing, whoever does: programs that look
//! through mail open links too. The button on the page takes the invitation along, in a cookie.

use axum::body::Body;
use axum::extract::State;
use http::{Request, StatusCode, Uri};
use vestibule_core::invitations::{self, Opened};
use vestibule_core::{Broker, Error};
use vestibule_protocol::oauth;
use vestibule_protocol::params::Params;

use super::Shared;
use crate::error::{Surface, show, show_body_error};
use crate::response::{self, Reply};
use crate::{cookie, page, request};

/// Shows who invites.
pub(crate) async fn get(State(broker): Shared, uri: Uri) -> Reply {
    let query = uri.query().unwrap_or_default();
    welcome(&broker, query).await.unwrap_or_else(|error| show(&broker, Surface::Page, &error))
}

/// Takes the invitation along. A form that another site's page sent is not the person's: they are shown the page.
pub(crate) async fn post(State(broker): Shared, request: Request<Body>) -> Reply {
    let headers = request.headers().clone();
    let form = match request::form(request).await {
        Ok(form) => form,
        Err(error) => return show_body_error(&broker, Surface::Page, error),
    };
    let reply = if request::is_from_us(&broker.config.issuer, &headers) {
        open(&broker, &form).await
    } else {
        welcome(&broker, &form).await
    };
    reply.unwrap_or_else(|error| show(&broker, Surface::Page, &error))
}

async fn welcome(broker: &Broker, parameters: &str) -> Result<Reply, Error> {
    let params = Params::parse(parameters).map_err(oauth::Error::from)?;
    let token = params.get("token").map_err(oauth::Error::from)?;
    let welcome = invitations::look_at(broker, token).await?;
    Ok(response::page(StatusCode::OK, page::invited(&welcome, token.unwrap_or_default())))
}

async fn open(broker: &Broker, form: &str) -> Result<Reply, Error> {
    let params = Params::parse(form).map_err(oauth::Error::from)?;
    let token = params.get("token").map_err(oauth::Error::from)?;
    let Opened { cookie, to, welcome } = invitations::open(broker, token).await?;
    let mut reply = match to {
        Some(to) => response::redirect(to.as_str()),
        None => response::page(StatusCode::OK, page::opened(&welcome)),
    };
    response::set_cookies(reply.headers_mut(), cookie::set_invitation(cookie.as_str()));
    Ok(reply)
}
