//! A layer in front of a whole service.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::verifier::Verifier;

/// Lets requests through that bear a token that counts, with its [`crate::Claims`] among their extensions. Answers 401, or
/// 503 when the broker's documents cannot be had, to all others; the body is the service's empty one.
#[derive(Clone)]
pub struct VerifyLayer(Verifier);

impl VerifyLayer {
    /// A layer that asks this verifier.
    pub const fn new(verifier: Verifier) -> Self {
        Self(verifier)
    }
}

impl<S> Layer<S> for VerifyLayer {
    type Service = Verified<S>;

    fn layer(&self, inner: S) -> Verified<S> {
        Verified { verifier: self.0.clone(), inner }
    }
}

/// A service behind the layer.
#[derive(Clone)]
pub struct Verified<S> {
    verifier: Verifier,
    inner: S,
}

impl<S, Body, Answer> Service<Request<Body>> for Verified<S>
where
    S: Service<Request<Body>, Response = Response<Answer>> + Clone + Send + 'static,
    S::Future: Send,
    Body: Send + 'static,
    Answer: Default,
{
    type Response = Response<Answer>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Answer>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        // The one that is ready goes into the future, the other one stays.
        let fresh = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, fresh);
        let verifier = self.verifier.clone();
        Box::pin(async move {
            match verifier.verify_request(request.headers()).await {
                Ok(claims) => {
                    request.extensions_mut().insert(claims);
                    inner.call(request).await
                }
                Err(error) => {
                    let mut answer = Response::new(Answer::default());
                    *answer.status_mut() = error.status();
                    if let Some(challenge) = error.challenge() {
                        answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
                    }
                    Ok(answer)
                }
            }
        })
    }
}
