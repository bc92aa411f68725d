//! Events of `tracing` as JSON lines on the console, which the platform collects. Written by hand: the usual
//! subscriber is larger than the rest of this crate.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use vestibule_web::Fields;

use crate::host;

thread_local! {
    static SPANS: RefCell<Spans> = RefCell::default();
}

#[derive(Default)]
struct Spans {
    open: HashMap<u64, (usize, Fields)>,
    /// Entered and not left: what an event stands in.
    entered: Vec<u64>,
}

/// Writes what is at `INFO` or above.
struct Console {
    next: AtomicU64,
}

/// Sends events to the console from now on. Once per isolate.
pub(crate) fn start() {
    // An error means that there is a subscriber already, which is as well.
    let _ = tracing::subscriber::set_global_default(Console { next: AtomicU64::new(1) });
}

impl Subscriber for Console {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO
    }

    fn max_level_hint(&self) -> Option<tracing::level_filters::LevelFilter> {
        Some(tracing::level_filters::LevelFilter::INFO)
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        with_spans(|spans| spans.open.insert(id, (1, fields)));
        Id::from_u64(id)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        with_spans(|spans| spans.open.get_mut(&span.into_u64()).map(|(_, fields)| values.record(fields)));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        with_spans(|spans| {
            for id in &spans.entered {
                if let Some((_, outer)) = spans.open.get(id) {
                    fields.0.extend(outer.0.clone());
                }
            }
        });
        event.record(&mut fields);
        let level = match *event.metadata().level() {
            Level::ERROR => "error",
            Level::WARN => "warn",
            _ => "info",
        };
        fields.0.insert("level".to_owned(), level.into());
        host::log(level, &Value::Object(fields.0).to_string());
    }

    fn enter(&self, span: &Id) {
        with_spans(|spans| spans.entered.push(span.into_u64()));
    }

    fn exit(&self, span: &Id) {
        with_spans(|spans| {
            if let Some(at) = spans.entered.iter().rposition(|id| *id == span.into_u64()) {
                spans.entered.remove(at);
            }
        });
    }

    fn clone_span(&self, span: &Id) -> Id {
        with_spans(|spans| spans.open.get_mut(&span.into_u64()).map(|(handles, _)| *handles += 1));
        span.clone()
    }

    fn try_close(&self, span: Id) -> bool {
        with_spans(|spans| {
            let Some((handles, _)) = spans.open.get_mut(&span.into_u64()) else { return false };
            *handles -= 1;
            let last = *handles == 0;
            if last {
                spans.open.remove(&span.into_u64());
            }
            last
        })
    }
}

fn with_spans<T>(act: impl FnOnce(&mut Spans) -> T) -> T {
    SPANS.with(|spans| act(&mut spans.borrow_mut()))
}
