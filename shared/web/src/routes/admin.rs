//! `/admin/v1/…`: JSON in and out, behind an administrator's token. What there is, is in [`table`]; this file lets a
//! request in and answers it.

mod call;
pub(crate) mod openapi;
mod table;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{RawPathParams, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::routing::{MethodFilter, on};
use futures_util::future::BoxFuture;
use http::header::ETAG;
use http::{HeaderValue, Request, StatusCode};
use vestibule_core::admin::change::Tagged;
use vestibule_core::admin::{Put, caller};
use vestibule_core::{Broker, Error};

use self::call::{Call, Input, Output};
use self::table::{Operation, Table};
use super::Shared;
use crate::error::{Surface, show, show_body_error};
use crate::request;
use crate::response::{self, Reply};

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

/// What an operation answers when it succeeds.
pub(crate) struct Answer<O> {
    status: StatusCode,
    tag: Option<String>,
    object: Option<O>,
}

impl<O> Answer<O> {
    /// What is no object of its own.
    fn shown(shown: Result<O, Error>) -> Result<Self, Error> {
        Ok(Self { status: StatusCode::OK, tag: None, object: Some(shown?) })
    }

    /// An object.
    fn tagged(tagged: Result<Tagged<O>, Error>) -> Result<Self, Error> {
        let Tagged { object, tag } = tagged?;
        Ok(Self { status: StatusCode::OK, tag: Some(tag), object: Some(object) })
    }

    /// An object that was created or replaced.
    fn put(put: Result<(Put, Tagged<O>), Error>) -> Result<Self, Error> {
        match put? {
            (Put::Created, tagged) => Self::created(Ok(tagged)),
            (Put::Replaced, tagged) => Self::tagged(Ok(tagged)),
        }
    }

    /// An object that was not there before.
    fn created(tagged: Result<Tagged<O>, Error>) -> Result<Self, Error> {
        Ok(Self { status: StatusCode::CREATED, ..Self::tagged(tagged)? })
    }
}

impl Answer<()> {
    /// Nothing is left to show.
    fn gone(gone: Result<(), Error>) -> Result<Self, Error> {
        gone.map(|()| Self { status: StatusCode::NO_CONTENT, tag: None, object: None })
    }
}

impl<O: Output> Answer<O> {
    fn render(self) -> Reply {
        let mut reply = match &self.object {
            Some(object) => response::json(self.status, object),
            None => response::reply(self.status, [], Body::empty()),
        };
        if let Some(tag) = self.tag.and_then(|tag| HeaderValue::from_str(&tag).ok()) {
            reply.headers_mut().insert(ETAG, tag);
        }
        reply
    }
}

type Run = Arc<dyn Fn(Call) -> BoxFuture<'static, Result<Reply, Error>> + Send + Sync>;

/// The table as a router.
struct Routes(Router<Arc<Broker>>);

impl Table for Routes {
    fn add<I: Input, O: Output, F>(&mut self, operation: Operation, run: impl Fn(Call, I) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<Answer<O>, Error>> + Send + 'static,
    {
        let run: Run = Arc::new(move |call| match I::read(&call.body) {
            Ok(input) => {
                let answer = run(call, input);
                Box::pin(async move { Ok(answer.await?.render()) })
            }
            Err(error) => Box::pin(async { Err(error) }),
        });
        self.route(operation, run);
    }
}

impl Routes {
    /// Every operation's handler is of one type: the router's own code is in the module once.
    fn route(&mut self, operation: Operation, run: Run) {
        let Ok(method) = MethodFilter::try_from(operation.kind.method()) else { return };
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
        let mut call = Call::new(broker, operation, names, &request)?;
        match request::body(request).await {
            Ok(body) => call.body = body,
            Err(error) => return Ok(show_body_error(broker, Surface::Admin, error)),
        }
        run(call).await
    };
    answer.await.unwrap_or_else(|error| show(broker, Surface::Admin, &error))
}
