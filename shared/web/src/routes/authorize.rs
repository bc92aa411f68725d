//! `GET|POST /oauth2/authorize`: to the identity provider, first to the sign-in page, or straight back with a code
//! (RFC 6749 §3.1, OpenID Connect Core §3.1.2).

use axum::body::Body;
use axum::extract::State;
use http::{HeaderMap, Request};
use vestibule_core::Broker;
use vestibule_core::login::Refusal;
use vestibule_core::login::start::{self, Browser, Start};
use vestibule_core::seal::Sealed;
use vestibule_protocol::oauth;
use vestibule_protocol::params::Params;

use super::{Shared, checkpoint};
use crate::error::{Surface, show_body_error, show_refusal};
use crate::response::{self, Reply};
use crate::{cookie, request};

pub(crate) async fn get(State(broker): Shared, request: Request<Body>) -> Reply {
    let host = request::host(&request).map(str::to_owned);
    answer(&broker, request.headers(), host.as_deref(), request.uri().query().unwrap_or_default()).await
}

pub(crate) async fn post(State(broker): Shared, request: Request<Body>) -> Reply {
    let headers = request.headers().clone();
    let host = request::host(&request).map(str::to_owned);
    match request::form(request).await {
        Ok(form) => answer(&broker, &headers, host.as_deref(), &form).await,
        Err(error) => show_body_error(&broker, Surface::Page, error),
    }
}

async fn answer(broker: &Broker, headers: &HeaderMap, host: Option<&str>, parameters: &str) -> Reply {
    start_login(broker, headers, host, parameters).await.unwrap_or_else(|refusal| show_refusal(broker, &refusal))
}

async fn start_login(
    broker: &Broker,
    headers: &HeaderMap,
    host: Option<&str>,
    parameters: &str,
) -> Result<Reply, Refusal> {
    let params = Params::parse(parameters).map_err(oauth::Error::from)?;
    let invitation = cookie::invitation(headers).map(Sealed::from_text);
    let browser = Browser { session: cookie::session(headers), invitation, host };
    let started = match start::start(broker, &params, &browser).await? {
        Start::Login(started) => started,
        Start::Resumed(passage) => return Ok(checkpoint::passage(headers, &passage)),
    };
    let too_large = oauth::Error::invalid_request("the request is too large to be carried through the login");
    let login = cookie::set_login(&started.id, started.cookie.as_str(), started.response_mode).ok_or(too_large)?;
    let mut reply = response::send(&started.sending);
    response::set_cookies(reply.headers_mut(), cookie::drop_surplus_logins(headers));
    response::set_cookies(reply.headers_mut(), [login]);
    Ok(reply)
}
