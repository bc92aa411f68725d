//! `GET /oauth2/test-login/{handle}`: a test login begins. Its answer comes to the callback, like that of a login.

use axum::extract::{Path, State};
use http::{HeaderMap, StatusCode};
use vestibule_core::login::test_login::{self, Shown, Start};
use vestibule_core::model::connection::ResponseMode;
use vestibule_core::seal::Sealed;
use vestibule_core::{Broker, Error};
use vestibule_protocol::params::Params;

use super::Shared;
use crate::error::{Surface, show};
use crate::response::{self, Reply};
use crate::{cookie, page};

pub(crate) async fn get(State(broker): Shared, Path(handle): Path<String>, headers: HeaderMap) -> Reply {
    match begin(&broker, &handle, &headers).await {
        Ok(reply) => reply,
        Err(error) => show(&broker, Surface::Page, &error),
    }
}

async fn begin(broker: &Broker, handle: &str, headers: &HeaderMap) -> Result<Reply, Error> {
    let started = match test_login::start(broker, handle).await? {
        Start::ToProvider(started) => started,
        Start::Ended(shown) => return Ok(outcome(&shown)),
    };
    let cookie = cookie::set_test_login(&started.id, started.cookie.as_str(), started.response_mode);
    let mut reply = response::redirect(started.location.as_str());
    response::set_cookies(reply.headers_mut(), cookie::drop_surplus_test_logins(headers));
    response::set_cookies(reply.headers_mut(), cookie);
    Ok(reply)
}

/// The answer to a test login; `None` if it belongs to none of this browser's.
pub(crate) async fn answer(
    broker: &Broker,
    headers: &HeaderMap,
    parameters: &str,
    came_by: ResponseMode,
) -> Option<Reply> {
    let params = Params::parse(parameters).ok()?;
    let id = params.get("state").ok()??;
    let sealed = Sealed::from_text(cookie::test_login(headers, id)?);
    let mut reply = match test_login::finish(broker, &params, came_by, (id, &sealed)).await {
        Ok(shown) => outcome(&shown),
        Err(error) => show(broker, Surface::Page, &error),
    };
    response::set_cookies(reply.headers_mut(), cookie::set_test_login(id, "", came_by));
    Some(reply)
}

fn outcome(shown: &Shown) -> Reply {
    let status = match shown {
        Shown::Over => StatusCode::BAD_REQUEST,
        Shown::Failed(_) => StatusCode::BAD_GATEWAY,
        Shown::Claims(_) => StatusCode::OK,
    };
    response::page(status, page::test_login(shown))
}
