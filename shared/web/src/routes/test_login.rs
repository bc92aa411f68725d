//! `GET /oauth2/test-login/{handle}`: a test login begins. Its answer comes to the callback, like that of a login.

use axum::extract::{Path, State};
use http::{HeaderMap, StatusCode};
use vestibule_core::login::test_login::{self, Came, Shown, Start};
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
    let mut reply = response::send(&started.sending);
    response::set_cookies(reply.headers_mut(), cookie::drop_surplus_test_logins(headers));
    response::set_cookies(reply.headers_mut(), cookie);
    Ok(reply)
}

/// The answer to a test login; `None` if it belongs to none of this browser's. The id is the one that came with it.
pub(crate) async fn answer(
    broker: &Broker,
    headers: &HeaderMap,
    (id, params): (Option<&str>, &Params<'_>),
    came: Came<'_>,
) -> Option<Reply> {
    let id = id?;
    let sealed = Sealed::from_text(cookie::test_login(headers, id)?);
    let mut reply = match test_login::finish(broker, params, came, (id, &sealed)).await {
        Ok(shown) => outcome(&shown),
        Err(error) => show(broker, Surface::Page, &error),
    };
    let came_by = match came {
        Came::Callback(came_by) => came_by,
        Came::Posted(..) => ResponseMode::FormPost,
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
