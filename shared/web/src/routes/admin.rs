//! `/admin/v1/…`: JSON in and out, behind an administrator's token. What there is, is in [`table`]; this file lets a
//! request in and answers it.

mod call;
pub(crate) mod openapi;
mod table;

use std::marker::PhantomData;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{RawPathParams, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::routing::{MethodFilter, on};
use futures_util::future::BoxFuture;
use http::header::{CONTENT_TYPE, ETAG, LINK};
use http::{HeaderValue, Request, StatusCode};
use serde::Serialize;
use vestibule_core::admin::audit::AuditPage;
use vestibule_core::admin::change::Tagged;
use vestibule_core::admin::{Put, caller};
use vestibule_core::model::audit::AuditEvent;
use vestibule_core::{Broker, Error};

use self::call::{Call, Input, Output};
use self::table::{Kind, Operation, Table};
use super::Shared;
use crate::error::{Surface, show, show_body_error};
use crate::request;
use crate::response::{self, Reply};

/// Largest body of an operation, in bytes: a provider's metadata, written as a string of JSON.
const MAX_BODY: usize = 1_536 * 1_024;

/// The routes below `/admin/v1`.
pub(crate) fn routes(broker: Arc<Broker>) -> Router<Arc<Broker>> {
    let mut routes = Routes(Router::new());
    table::fill(&mut routes);
    routes.0.layer(from_fn_with_state(broker, require_token))
}

async fn require_token(State(broker): Shared, mut request: Request<Body>, next: Next) -> Reply {
    match caller::authenticate(&broker, request::bearer(request.headers())).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(error) => show(&broker, Surface::Admin, &error),
    }
}

/// What an operation answers when it succeeds: the text of an `O`, written where `O` is known, so that what follows is
/// in the module once and not for each operation.
pub(crate) struct Answer<O> {
    written: Written,
    object: PhantomData<fn() -> O>,
}

/// An answer, whatever it shows.
struct Written {
    status: StatusCode,
    tag: Option<String>,
    body: Vec<u8>,
    /// Where the next page of lines is.
    next: Option<String>,
}

impl<O: Serialize> Answer<O> {
    /// What is no object of its own.
    fn shown(shown: Result<O, Error>) -> Result<Self, Error> {
        Self::written(StatusCode::OK, None, &shown?)
    }

    /// An object.
    fn tagged(tagged: Result<Tagged<O>, Error>) -> Result<Self, Error> {
        let Tagged { object, tag } = tagged?;
        Self::written(StatusCode::OK, Some(tag), &object)
    }

    /// An object that was created or replaced.
    fn put(put: Result<(Put, Tagged<O>), Error>) -> Result<Self, Error> {
        let (put, Tagged { object, tag }) = put?;
        let status = if put == Put::Created { StatusCode::CREATED } else { StatusCode::OK };
        Self::written(status, Some(tag), &object)
    }

    /// An object that was not there before.
    fn created(tagged: Result<Tagged<O>, Error>) -> Result<Self, Error> {
        Self::put(tagged.map(|tagged| (Put::Created, tagged)))
    }

    fn written(status: StatusCode, tag: Option<String>, object: &O) -> Result<Self, Error> {
        let body = serde_json::to_vec(object).map_err(|_| Error::bug("an answer that is no JSON"))?;
        Ok(Self { written: Written { status, tag, body, next: None }, object: PhantomData })
    }
}

impl Answer<()> {
    /// Nothing is left to show.
    fn gone(gone: Result<(), Error>) -> Result<Self, Error> {
        let written = Written { status: StatusCode::NO_CONTENT, tag: None, body: Vec::new(), next: None };
        gone.map(|()| Self { written, object: PhantomData })
    }
}

impl Answer<AuditEvent> {
    /// Events, a line each.
    fn lines(call: &Call, page: Result<AuditPage, Error>) -> Result<Self, Error> {
        let AuditPage { events, next } = page?;
        let mut body = Vec::new();
        for event in &events {
            serde_json::to_writer(&mut body, event).map_err(|_| Error::bug("an event that is no JSON"))?;
            body.push(b'\n');
        }
        let next = next.map(|cursor| call.with_cursor(&cursor)).transpose()?;
        Ok(Self { written: Written { status: StatusCode::OK, tag: None, body, next }, object: PhantomData })
    }
}

impl Written {
    fn render(self, kind: Kind) -> Reply {
        let mut reply = match self.status {
            StatusCode::NO_CONTENT => response::reply(self.status, [], Body::empty()),
            status => response::json_text(status, self.body),
        };
        if kind == Kind::Export {
            reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind.media_type()));
        }
        if let Some(next) = self.next.and_then(|next| HeaderValue::from_str(&format!("<{next}>; rel=\"next\"")).ok()) {
            reply.headers_mut().insert(LINK, next);
        }
        if let Some(tag) = self.tag.and_then(|tag| HeaderValue::from_str(&tag).ok()) {
            reply.headers_mut().insert(ETAG, tag);
        }
        reply
    }
}

/// An operation's own part: it reads what was sent, or says what is wrong with it, and begins.
type Run = Box<dyn Fn(Box<Call>) -> Result<BoxFuture<'static, Result<Written, Error>>, Error> + Send + Sync>;

/// The table as a router.
struct Routes(Router<Arc<Broker>>);

impl Table for Routes {
    fn add<I: Input, O: Output, F>(
        &mut self,
        operation: Operation,
        run: impl Fn(Box<Call>, I) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = Result<Answer<O>, Error>> + Send + 'static,
    {
        self.route(
            operation,
            Box::new(move |call| {
                let answer = I::read(&call.body).map(|input| run(call, input))?;
                Ok(Box::pin(async { Ok(answer.await?.written) }))
            }),
        );
    }
}

impl Routes {
    /// Every operation's handler is of one type: the router's own code is in the module once.
    fn route(&mut self, operation: Operation, run: Run) {
        let Ok(method) = MethodFilter::try_from(operation.kind.method()) else { return };
        let run = Arc::new(run);
        let handler = move |State(broker): Shared, names: RawPathParams, request: Request<Body>| {
            let run = Arc::clone(&run);
            async move { handle(&broker, operation, &run, &names, request).await }
        };
        self.0 = std::mem::take(&mut self.0).route(operation.path, on(method, handler));
    }
}

async fn handle(
    broker: &Arc<Broker>,
    operation: Operation,
    run: &Run,
    names: &RawPathParams,
    request: Request<Body>,
) -> Reply {
    let answer = async {
        let mut call = Box::new(Call::new(broker, operation, names, &request)?);
        match request::body_within(request, MAX_BODY).await {
            Ok(body) => call.body = body,
            Err(error) => return Ok(show_body_error(broker, Surface::Admin, error)),
        }
        Ok(run(call)?.await?.render(operation.kind))
    };
    answer.await.unwrap_or_else(|error| show(broker, Surface::Admin, &error))
}
