//! `GET|POST /oauth2/checkpoint`: the tenant's question between a proven login and the application.

use axum::body::Body;
use axum::extract::State;
use http::{HeaderMap, Request, StatusCode, Uri};
use vestibule_core::Broker;
use vestibule_core::login::Refusal;
use vestibule_core::login::checkpoint::{self, Answered, Passage, Waiting};
use vestibule_protocol::oauth;
use vestibule_protocol::params::Params;

use super::Shared;
use crate::error::{Surface, show_body_error, show_refusal};
use crate::response::{self, Reply};
use crate::{cookie, page, request};

/// Shows the question.
pub(crate) async fn get(State(broker): Shared, headers: HeaderMap, uri: Uri) -> Reply {
    let query = uri.query().unwrap_or_default();
    ask(&broker, &headers, query).await.unwrap_or_else(|refusal| show_refusal(&broker, &refusal))
}

async fn ask(broker: &Broker, headers: &HeaderMap, parameters: &str) -> Result<Reply, Refusal> {
    let params = Params::parse(parameters).map_err(oauth::Error::from)?;
    let question = checkpoint::question(broker, &params, |id| cookie::checkpoint(headers, id)).await?;
    Ok(response::page(StatusCode::OK, page::checkpoint(&question)))
}

/// Takes the answer. One that another site's page sent is not the person's: they are asked.
pub(crate) async fn post(State(broker): Shared, request: Request<Body>) -> Reply {
    let headers = request.headers().clone();
    let form = match request::form(request).await {
        Ok(form) => form,
        Err(error) => return show_body_error(&broker, Surface::Page, error),
    };
    if !request::is_from_us(&broker.config.issuer, &headers) {
        return ask(&broker, &headers, &form).await.unwrap_or_else(|refusal| show_refusal(&broker, &refusal));
    }
    let mut reply = match answer(&broker, &headers, &form).await {
        Ok(Answered::Again(question)) => return response::page(StatusCode::BAD_REQUEST, page::checkpoint(&question)),
        Ok(Answered::Done(finished)) => finish(&finished),
        Err(refusal) => show_refusal(&broker, &refusal),
    };
    // Answered or refused, this sign-in is over.
    let id = Params::parse(&form).ok().and_then(|params| params.get("login").ok().flatten().map(str::to_owned));
    let held = id.filter(|id| cookie::checkpoint(&headers, id).is_some());
    response::set_cookies(reply.headers_mut(), held.and_then(|id| cookie::drop_checkpoint(&id)));
    reply
}

async fn answer(broker: &Broker, headers: &HeaderMap, form: &str) -> Result<Answered, Refusal> {
    let params = Params::parse(form).map_err(oauth::Error::from)?;
    let held = |id: &str| cookie::checkpoint(headers, id);
    checkpoint::answer(broker, &params, held, cookie::session(headers)).await
}

/// Where a sign-in goes whose person is known.
pub(crate) fn passage(headers: &HeaderMap, passage: &Passage) -> Reply {
    match passage {
        Passage::Done(finished) => finish(finished),
        Passage::Waits(Waiting { location, id, handle }) => {
            let mut reply = response::redirect(location.as_str());
            response::set_cookies(reply.headers_mut(), cookie::drop_surplus_checkpoints(headers));
            response::set_cookies(reply.headers_mut(), cookie::set_checkpoint(id, handle));
            reply
        }
    }
}

fn finish(finished: &checkpoint::Finished) -> Reply {
    let mut reply = response::redirect(finished.location.as_str());
    response::set_cookies(reply.headers_mut(), finished.session.as_ref().and_then(cookie::set_session));
    reply
}
