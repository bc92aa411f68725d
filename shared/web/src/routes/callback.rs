//! `GET /oauth2/callback`: back from the identity provider.

use axum::extract::State;
use http::{HeaderMap, Uri};
use vestibule_core::Broker;
use vestibule_core::login::checkpoint::Passage;
use vestibule_core::login::{Refusal, finish};
use vestibule_core::seal::Sealed;
use vestibule_protocol::oauth;
use vestibule_protocol::params::Params;

use super::{Shared, checkpoint};
use crate::cookie;
use crate::error::show_refusal;
use crate::response::{self, Reply};

pub(crate) async fn get(State(broker): Shared, headers: HeaderMap, uri: Uri) -> Reply {
    let query = uri.query().unwrap_or_default();
    let mut reply = match finish_login(&broker, &headers, query).await {
        Ok(passage) => checkpoint::passage(&headers, &passage),
        Err(refusal) => show_refusal(&broker, &refusal),
    };
    // Finished or refused, this login is over: its cookie is good for one answer.
    let id = Params::parse(query).ok().and_then(|params| params.get("state").ok().flatten().map(str::to_owned));
    let held = id.filter(|id| cookie::login(&headers, id).is_some());
    response::set_cookies(reply.headers_mut(), held.and_then(|id| cookie::drop_login(&id)));
    reply
}

async fn finish_login(broker: &Broker, headers: &HeaderMap, query: &str) -> Result<Passage, Refusal> {
    let params = Params::parse(query).map_err(oauth::Error::from)?;
    let login = |id: &str| cookie::login(headers, id).map(Sealed::from_text);
    finish::finish(broker, &params, login, cookie::session(headers)).await
}
