//! `/scim/v2/…` (RFC 7644): JSON in and out, behind a directory's token. Which addresses there are, is in [`place`];
//! what describes the server, in [`described`].

mod described;
mod place;
mod sent;

use axum::body::Body;
use axum::extract::{RawPathParams, State};
use http::header::{ALLOW, ETAG, LOCATION};
use http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use vestibule_core::scim::access::{self, ScimCaller};
use vestibule_core::scim::{self, Answer, Asked, One};
use vestibule_core::{Broker, Error};
use vestibule_protocol::scim as protocol;
use vestibule_protocol::scim::query::Query;

use self::place::Place;
use super::Shared;
use crate::error::{Surface, show};
use crate::request;
use crate::response::{self, Reply};

type Sent = Request<Body>;

/// Answers whatever is below `/scim/v2`.
pub(crate) async fn answer(State(broker): Shared, names: RawPathParams, request: Sent) -> Reply {
    let path = names.iter().last().map(|(_, path)| path).unwrap_or_default();
    let (connection, path) = place::connection(path);
    let answer = match (connection, Place::parse(path)) {
        (None, Some(Place::Me)) => me(&broker, request).await,
        (connection, place) => with_token(&broker, connection, place, request).await,
    };
    answer.unwrap_or_else(|error| show(&broker, Surface::Scim, &error))
}

async fn with_token(
    broker: &Broker,
    connection: Option<&str>,
    place: Option<Place<'_>>,
    request: Sent,
) -> Result<Reply, Error> {
    let mut caller = access::admit(broker, request::bearer(request.headers())).await?;
    if let Some(connection) = connection {
        caller = access::at_connection(broker, caller, connection).await?;
    }
    let nowhere = || protocol::Error::status(404, "there is no such address");
    let place = place.ok_or_else(nowhere)?;
    if !place.methods().contains(request.method()) {
        return Ok(other_method(broker, &place));
    }
    match place {
        Place::All(kind) if request.method() == Method::GET => {
            let query = sent::query(&request)?;
            Ok(list(scim::list::list(broker, &caller, kind, &query).await?))
        }
        Place::Search(kind) => {
            let query = Query::of_body(&sent::body(request).await?)?;
            Ok(list(match kind {
                Some(kind) => scim::list::list(broker, &caller, kind, &query).await?,
                None => scim::list::list_all(broker, &caller, &query).await?,
            }))
        }
        Place::Bulk => {
            let done = scim::bulk::bulk(broker, &caller, &sent::body(request).await?).await?;
            Ok(response::scim(StatusCode::OK, &done))
        }
        Place::All(kind) => {
            let asked = sent::asked(&request)?;
            let body = sent::body(request).await?;
            Ok(created(&scim::create(broker, &caller, kind, &body, &asked).await?))
        }
        Place::One(one) => one_resource(broker, &caller, one, request).await,
        // A person has no connection in their own address.
        Place::Me => Err(nowhere().into()),
        Place::Described(described) => {
            let query = sent::query(&request)?;
            described::show(broker, &caller.tenant, described, &query).await
        }
    }
}

/// The text of a list.
fn list(body: String) -> Reply {
    response::scim_text(StatusCode::OK, body)
}

/// An address that does not know the method says which it knows (RFC 9110 §15.5.6).
fn other_method(broker: &Broker, place: &Place<'_>) -> Reply {
    let error = protocol::Error::status(405, "this address does not know this method").into();
    let mut reply = show(broker, Surface::Scim, &error);
    let methods = place.methods().iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
    insert(&mut reply, ALLOW, &methods);
    reply
}

async fn one_resource(broker: &Broker, caller: &ScimCaller, one: One<'_>, request: Sent) -> Result<Reply, Error> {
    let asked = sent::asked(&request)?;
    match *request.method() {
        Method::PUT => {
            let body = sent::body(request).await?;
            Ok(shown(&scim::replace(broker, caller, one, &body, &asked).await?))
        }
        Method::PATCH => {
            let body = sent::body(request).await?;
            Ok(shown(&scim::patch(broker, caller, one, &body, &asked).await?))
        }
        Method::DELETE => {
            scim::delete(broker, caller, one, &asked).await?;
            Ok(no_content())
        }
        _ => Ok(read(&scim::get(broker, caller, one, &asked).await?, &asked)),
    }
}

/// A person's own token opens their own resource. A directory's token is looked at only to say what is wrong with it
/// here.
async fn me(broker: &Broker, request: Sent) -> Result<Reply, Error> {
    let token = request::bearer(request.headers());
    let asked = sent::asked(&request)?;
    let found = match token {
        Some(token) => scim::me::me(broker, token, &asked).await?,
        None => None,
    };
    match found {
        Some(_) if request.method() != Method::GET => Err(scim::me::read_only()),
        Some(answer) => Ok(read(&answer, &asked)),
        None => {
            access::admit(broker, token).await?;
            Err(scim::me::nobody())
        }
    }
}

/// What was read, unless it is what the caller has already (RFC 9110 §13.1.2).
fn read(answer: &Answer, asked: &Asked) -> Reply {
    let known = asked.condition.if_none_match.as_ref().zip(answer.tag.as_ref());
    if !known.is_some_and(|(tags, current)| scim::tag::names(tags, current)) {
        return shown(answer);
    }
    let mut reply = response::reply(StatusCode::NOT_MODIFIED, [], Body::empty());
    tag(&mut reply, answer);
    reply
}

fn shown(answer: &Answer) -> Reply {
    let mut reply = match &answer.body {
        Some(body) => response::scim(StatusCode::OK, body),
        None => no_content(),
    };
    tag(&mut reply, answer);
    reply
}

fn created(answer: &Answer) -> Reply {
    let mut reply = shown(answer);
    *reply.status_mut() = StatusCode::CREATED;
    insert(&mut reply, LOCATION, &answer.location);
    reply
}

fn no_content() -> Reply {
    response::reply(StatusCode::NO_CONTENT, [], Body::empty())
}

fn tag(reply: &mut Reply, answer: &Answer) {
    if let Some(tag) = &answer.tag {
        insert(reply, ETAG, tag);
    }
}

fn insert(reply: &mut Reply, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        reply.headers_mut().insert(name, value);
    }
}
