//! Where a request comes from: its id, and the address of whoever sent it. The audit log and the log have both.
//!
//! It is there while the request's future is polled, and only then: whatever runs in between on the same thread has its
//! own, or none.

use std::cell::RefCell;
use std::pin::Pin;
use std::task::{Context, Poll};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a request comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    /// The request's id: ours, random. Answers have it as `x-request-id`, error pages as their reference.
    pub request: String,
    /// The address that sent it, as far as the platform knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

thread_local! {
    static CURRENT: RefCell<Option<Origin>> = const { RefCell::new(None) };
}

/// Where the request comes from that is worked on; `None` for what no request asked for.
pub fn current() -> Option<Origin> {
    CURRENT.with_borrow(Clone::clone)
}

/// What a request makes happen, with where it comes from.
pub struct Scoped<F> {
    origin: Option<Origin>,
    work: Pin<Box<F>>,
}

/// Says where `work` comes from.
pub fn scope<F: Future>(origin: Origin, work: F) -> Scoped<F> {
    Scoped { origin: Some(origin), work: Box::pin(work) }
}

/// Puts back what was there before, even if the work panics.
struct Restore<'a> {
    mine: &'a mut Option<Origin>,
}

impl Drop for Restore<'_> {
    fn drop(&mut self) {
        CURRENT.with_borrow_mut(|current| std::mem::swap(current, self.mine));
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Self { origin, work } = &mut *self;
        CURRENT.with_borrow_mut(|current| std::mem::swap(current, origin));
        let restore = Restore { mine: origin };
        let polled = work.as_mut().poll(context);
        drop(restore);
        polled
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use futures_util::future::{join, poll_fn};

    use super::*;

    fn run<T>(work: impl Future<Output = T>) -> T {
        let mut work = Box::pin(work);
        loop {
            if let Poll::Ready(done) = work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return done;
            }
        }
    }

    /// What is current before others had their turn, and after.
    async fn two_looks() -> [Option<String>; 2] {
        let look = || current().map(|origin| origin.request);
        let first = look();
        let mut waited = false;
        poll_fn(|_| if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }).await;
        [first, look()]
    }

    fn from(request: &str) -> Origin {
        Origin { request: request.to_owned(), address: None }
    }

    #[test]
    fn each_request_has_its_own() {
        let of = |request: &str| [Some(request.to_owned()), Some(request.to_owned())];
        assert_eq!(run(join(scope(from("a"), two_looks()), scope(from("b"), two_looks()))), (of("a"), of("b")));
        let nested = async { (scope(from("b"), two_looks()).await, two_looks().await) };
        assert_eq!(run(scope(from("a"), nested)), (of("b"), of("a")));
        assert_eq!((run(two_looks()), current()), ([None, None], None));
    }

    #[test]
    fn a_panic_leaves_nothing_behind() {
        let panics = || run(scope(from("a"), async { panic!("as it should") }));
        assert!(std::panic::catch_unwind(panics).is_err());
        assert_eq!(current(), None);
    }
}
