//! `POST /saml/{tenant}/{connection}/acs`: the assertion consumer service (saml-profiles §4.1.2). The provider's page posts
//! the response here; what protects it is the login's cookie, whose name is the `RelayState`.

use axum::body::Body;
use axum::extract::{Path, State};
use http::{HeaderMap, Request};
use vestibule_core::Broker;
use vestibule_core::login::test_login::Came;
use vestibule_core::login::{Refusal, posted};
use vestibule_core::model::connection::ResponseMode;
use vestibule_core::seal::Sealed;
use vestibule_protocol::oauth;
use vestibule_protocol::params::Params;

use super::Named;
use crate::error::{Surface, show_body_error, show_refusal};
use crate::response::{self, Reply};
use crate::routes::{Shared, checkpoint, test_login};
use crate::{cookie, request};

/// Largest form, in bytes. Somebody's groups can make a response long.
const MAX_FORM: usize = 512 * 1024;

pub(crate) async fn post(State(broker): Shared, Path((tenant, connection)): Named, request: Request<Body>) -> Reply {
    let headers = request.headers().clone();
    match request::form_within(request, MAX_FORM).await {
        Ok(form) => answer(&broker, &headers, (&tenant, &connection), &form).await,
        Err(error) => show_body_error(&broker, Surface::Page, error),
    }
}

async fn answer(broker: &Broker, headers: &HeaderMap, place: (&str, &str), form: &str) -> Reply {
    let params = match Params::parse(form).map_err(oauth::Error::from) {
        Ok(params) => params,
        Err(error) => return show_refusal(broker, &Refusal::Page(error.into())),
    };
    let id = params.get("RelayState").ok().flatten();
    if let Some(reply) = test_login::answer(broker, headers, (id, &params), Came::Posted(place.0, place.1)).await {
        return reply;
    }
    let login = |id: &str| cookie::login(headers, id).map(Sealed::from_text);
    let mut reply = match posted::finish(broker, place, &params, login, cookie::session(headers)).await {
        Ok(passage) => checkpoint::passage(headers, &passage),
        Err(refusal) => show_refusal(broker, &refusal),
    };
    // Finished or refused, this login is over: its cookie is good for one answer.
    let held = id.filter(|id| cookie::login(headers, id).is_some());
    let dropped = held.and_then(|id| cookie::drop_login(id, ResponseMode::FormPost));
    response::set_cookies(reply.headers_mut(), dropped);
    reply
}
