//! The Lambda runtime interface (version 2018-06-01) as one execution environment sees it: `invocation/next`,
//! `invocation/{id}/response`, `invocation/{id}/error` and `init/error`.
//!
//! Every instance of a function has an interface of its own. All interfaces of a function take from one queue, and
//! an instance that asks for the next invocation has finished the one before: one request at a time per instance.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use tokio::sync::{mpsc, oneshot};

use crate::clock;

/// How long a function may take: API Gateway gives up after 30 seconds, whatever the function's own limit.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// What an invocation came to: the function's bytes, or why there are none.
pub(crate) type Outcome = Result<Bytes, String>;

/// One event on its way to an instance.
pub(crate) struct Invocation {
    /// The request id, which the answer names again.
    pub(crate) id: String,
    /// The event, as JSON.
    pub(crate) event: Bytes,
    /// Where the answer goes.
    pub(crate) answer: oneshot::Sender<Outcome>,
}

/// The invocations that wait for an instance, shared by all instances of a function.
pub(crate) type Queue = Arc<tokio::sync::Mutex<mpsc::Receiver<Invocation>>>;

/// The interface of one instance.
pub(crate) struct Instance {
    queue: Queue,
    current: Mutex<Option<(String, oneshot::Sender<Outcome>)>>,
}

impl Instance {
    pub(crate) fn new(queue: Queue) -> Arc<Self> {
        Arc::new(Self { queue, current: Mutex::new(None) })
    }

    /// Fails the invocation in progress: its process is gone.
    pub(crate) fn abandon(&self, reason: &str) {
        if let Some((_, answer)) = self.replace(None) {
            drop(answer.send(Err(reason.to_owned())));
        }
    }

    fn replace(&self, next: Option<(String, oneshot::Sender<Outcome>)>) -> Option<(String, oneshot::Sender<Outcome>)> {
        std::mem::replace(&mut *self.current.lock().unwrap_or_else(PoisonError::into_inner), next)
    }

    fn finish(&self, id: &str, outcome: Outcome) -> StatusCode {
        match self.replace(None) {
            Some((current, answer)) if current == id => {
                drop(answer.send(outcome));
                StatusCode::ACCEPTED
            }
            other => {
                self.replace(other);
                StatusCode::BAD_REQUEST
            }
        }
    }
}

/// The interface's routes. The process finds them through `AWS_LAMBDA_RUNTIME_API`.
pub(crate) fn router(instance: Arc<Instance>) -> Router {
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
        .route("/2018-06-01/runtime/init/error", post(init_error))
        .with_state(instance)
}

async fn next(State(instance): State<Arc<Instance>>) -> Response<Body> {
    instance.abandon("the instance asked for more without an answer");
    let invocation = instance.queue.lock().await.recv().await;
    let Some(Invocation { id, event, answer }) = invocation else {
        return status(StatusCode::GONE);
    };
    let deadline = clock::epoch_milliseconds() + TIMEOUT.as_millis();
    let built = Response::builder()
        .header("content-type", "application/json")
        .header("lambda-runtime-aws-request-id", &id)
        .header("lambda-runtime-deadline-ms", deadline.to_string())
        .header("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:000000000000:function:vestibule")
        .header("lambda-runtime-trace-id", "Root=1-00000000-000000000000000000000000;Sampled=0")
        .body(Body::from(event));
    instance.replace(Some((id, answer)));
    built.unwrap_or_else(|_| status(StatusCode::INTERNAL_SERVER_ERROR))
}

async fn response(State(instance): State<Arc<Instance>>, Path(id): Path<String>, body: Bytes) -> StatusCode {
    instance.finish(&id, Ok(body))
}

async fn error(State(instance): State<Arc<Instance>>, Path(id): Path<String>, body: Bytes) -> StatusCode {
    instance.finish(&id, Err(String::from_utf8_lossy(&body).into_owned()))
}

async fn init_error(State(_): State<Arc<Instance>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let kind = headers.get("lambda-runtime-function-error-type").and_then(|value| value.to_str().ok());
    eprintln!("the function could not start: {} {}", kind.unwrap_or("-"), String::from_utf8_lossy(&body));
    StatusCode::ACCEPTED
}

fn status(code: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = code;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue() -> (mpsc::Sender<Invocation>, Queue) {
        let (sender, receiver) = mpsc::channel(8);
        (sender, Arc::new(tokio::sync::Mutex::new(receiver)))
    }

    async fn send(sender: &mpsc::Sender<Invocation>, id: &str) -> oneshot::Receiver<Outcome> {
        let (answer, outcome) = oneshot::channel();
        let invocation = Invocation { id: id.to_owned(), event: Bytes::from_static(b"{}"), answer };
        assert!(sender.send(invocation).await.is_ok());
        outcome
    }

    #[tokio::test]
    async fn an_answer_reaches_the_caller_it_belongs_to() {
        let (sender, queue) = queue();
        let (one, two) = (Instance::new(Arc::clone(&queue)), Instance::new(queue));
        let (first, second) = (send(&sender, "first").await, send(&sender, "second").await);
        let given = next(State(Arc::clone(&one))).await;
        assert_eq!(given.headers()["lambda-runtime-aws-request-id"], "first");
        next(State(Arc::clone(&two))).await;
        assert_eq!(two.finish("second", Ok(Bytes::from_static(b"2"))), StatusCode::ACCEPTED);
        assert_eq!(one.finish("first", Err("broken".to_owned())), StatusCode::ACCEPTED);
        assert_eq!(second.await.unwrap(), Ok(Bytes::from_static(b"2")));
        assert_eq!(first.await.unwrap(), Err("broken".to_owned()));
    }

    #[tokio::test]
    async fn an_answer_to_another_invocation_is_refused() {
        let (sender, queue) = queue();
        let instance = Instance::new(queue);
        let mut outcome = send(&sender, "mine").await;
        next(State(Arc::clone(&instance))).await;
        assert_eq!(instance.finish("other", Ok(Bytes::new())), StatusCode::BAD_REQUEST);
        assert!(outcome.try_recv().is_err(), "still waiting");
        assert_eq!(instance.finish("mine", Ok(Bytes::new())), StatusCode::ACCEPTED);
        assert_eq!(instance.finish("mine", Ok(Bytes::new())), StatusCode::BAD_REQUEST, "answered once");
    }

    #[tokio::test]
    async fn a_dead_instance_fails_its_invocation() {
        let (sender, queue) = queue();
        let instance = Instance::new(queue);
        let outcome = send(&sender, "lost").await;
        next(State(Arc::clone(&instance))).await;
        instance.abandon("gone");
        assert_eq!(outcome.await.unwrap(), Err("gone".to_owned()));
    }
}
