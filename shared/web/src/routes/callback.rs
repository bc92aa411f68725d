//! `GET|POST /oauth2/callback`: back from the identity provider, by a redirect or by a form that it lets the browser post
//! (OAuth 2.0 Form Post Response Mode). What protects both is the login's cookie, whose name is the answer's `state`.

use axum::body::Body;
use axum::extract::State;
use http::{HeaderMap, Request, Uri};
use vestibule_core::Broker;
use vestibule_core::login::test_login::Came;
use vestibule_core::login::{Refusal, finish};
use vestibule_core::model::connection::ResponseMode;
use vestibule_core::seal::Sealed;
use vestibule_protocol::oauth;
use vestibule_protocol::params::Params;

use super::{Shared, checkpoint, test_login};
use crate::error::{Surface, show_body_error, show_refusal};
use crate::response::{self, Reply};
use crate::{cookie, request};

pub(crate) async fn get(State(broker): Shared, headers: HeaderMap, uri: Uri) -> Reply {
    answer(&broker, &headers, uri.query().unwrap_or_default(), ResponseMode::Query).await
}

/// The address's own query does not count.
pub(crate) async fn post(State(broker): Shared, request: Request<Body>) -> Reply {
    let headers = request.headers().clone();
    match request::form(request).await {
        Ok(form) => answer(&broker, &headers, &form, ResponseMode::FormPost).await,
        Err(error) => show_body_error(&broker, Surface::Page, error),
    }
}

async fn answer(broker: &Broker, headers: &HeaderMap, parameters: &str, came_by: ResponseMode) -> Reply {
    let params = match Params::parse(parameters).map_err(oauth::Error::from) {
        Ok(params) => params,
        Err(error) => return show_refusal(broker, &Refusal::Page(error.into())),
    };
    let id = params.get("state").ok().flatten();
    if let Some(reply) = test_login::answer(broker, headers, (id, &params), Came::Callback(came_by)).await {
        return reply;
    }
    let login = |id: &str| cookie::login(headers, id).map(Sealed::from_text);
    let mut reply = match finish::finish(broker, &params, came_by, login, cookie::session(headers)).await {
        Ok(passage) => checkpoint::passage(headers, &passage),
        Err(refusal) => show_refusal(broker, &refusal),
    };
    // Finished or refused, this login is over: its cookie is good for one answer.
    let held = id.filter(|id| cookie::login(headers, id).is_some());
    response::set_cookies(reply.headers_mut(), held.and_then(|id| cookie::drop_login(id, came_by)));
    reply
}
