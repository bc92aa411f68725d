//! Traces and metrics by OTLP over HTTP, where `VESTIBULE_OTLP_ENDPOINT` names a collector. Without it nothing of this is
//! there: no layer, no thread, no clock that is asked.
//!
//! A span holds what is listed in [`observe`] and nothing else: neither a path nor a query, no header, no name of a person.
//! Traces that callers bring along are not joined: anybody could send any.

use std::sync::OnceLock;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::MatchedPath;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use http::{Method, Request};
use opentelemetry::metrics::{Counter, Histogram, MeterProvider};
use opentelemetry::trace::{Span, SpanKind, Status, Tracer, TracerProvider};
use opentelemetry::{KeyValue, Value};
use opentelemetry_otlp::{ExporterBuildError, MetricExporter, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{SdkMeterProvider, Temporality};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tokio::time::Instant;
use vestibule_core::Error;
use vestibule_core::broker::{TickReport, WorkReport};

use self::sender::Sender;

mod sender;

/// When what has gathered is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sending {
    /// Now and then, by threads of its own.
    InBackground,
    /// Before each answer: Lambda lets a process do nothing after it.
    WithEachAnswer,
}

/// Where measurements go.
struct Telemetry {
    sending: Sending,
    tracer: SdkTracer,
    tracers: SdkTracerProvider,
    meters: SdkMeterProvider,
    requests: Histogram<f64>,
    ticks: Counter<u64>,
    planned: Counter<u64>,
    tasks: Counter<u64>,
    effects: Counter<u64>,
    deliveries: Counter<u64>,
    examined: Counter<u64>,
}

static TELEMETRY: OnceLock<Telemetry> = OnceLock::new();

/// Starts measuring. `endpoint` is a collector's address, such as `http://127.0.0.1:4318`.
pub fn start(endpoint: &str, sending: Sending) -> Result<(), ExporterBuildError> {
    let sender = Sender::new()?;
    let address = |signal: &str| format!("{}/v1/{signal}", endpoint.trim_end_matches('/'));
    let spans = SpanExporter::builder().with_http().with_http_client(sender.clone()).with_endpoint(address("traces"));
    // Instances of a function come and go: each sends what is new.
    let temporality = if sending == Sending::WithEachAnswer { Temporality::Delta } else { Temporality::Cumulative };
    let metrics = MetricExporter::builder().with_http().with_http_client(sender).with_endpoint(address("metrics"));
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let resource = Resource::builder().with_service_name("vestibule").with_attribute(version).build();
    let tracers =
        SdkTracerProvider::builder().with_resource(resource.clone()).with_batch_exporter(spans.build()?).build();
    let exporter = metrics.with_temporality(temporality).build()?;
    let meters = SdkMeterProvider::builder().with_resource(resource).with_periodic_exporter(exporter).build();
    let meter = meters.meter("vestibule");
    let counter = |name: &'static str, what: &'static str| meter.u64_counter(name).with_description(what).build();
    let telemetry = Telemetry {
        sending,
        tracer: tracers.tracer("vestibule"),
        requests: meter
            .f64_histogram("http.server.request.duration")
            .with_unit("s")
            .with_boundaries(vec![0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0])
            .with_description("How long requests took")
            .build(),
        ticks: counter("vestibule.ticks", "Ticks"),
        planned: counter("vestibule.tick.tasks", "Tasks that ticks planned"),
        tasks: counter("vestibule.work.tasks", "Tasks that were worked"),
        effects: counter("vestibule.work.effects", "What was owed across partitions and is done, or failed"),
        deliveries: counter("vestibule.work.deliveries", "Messages to other people's servers that were tried"),
        examined: counter("vestibule.work.examined", "Sessions whose identity providers were asked again"),
        tracers,
        meters,
    };
    // Whoever started first keeps measuring.
    drop(TELEMETRY.set(telemetry));
    Ok(())
}

/// The router, measured if anything is.
pub fn measured(router: Router) -> Router {
    if TELEMETRY.get().is_some() { router.layer(from_fn(observe)) } else { router }
}

/// One span and one measurement for a request: its method, the route as it is written in the router, the status, and
/// the request's id.
async fn observe(request: Request<Body>, next: Next) -> Response {
    let Some(telemetry) = TELEMETRY.get() else { return next.run(request).await };
    let method = Value::from(method(request.method()));
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let name = route.as_ref().map_or_else(|| method.to_string(), |route| format!("{method} {route}"));
    let begun = Instant::now();
    let mut span = telemetry.tracer.span_builder(name).with_kind(SpanKind::Server).start(&telemetry.tracer);
    let reply = next.run(request).await;
    let mut attributes = vec![
        KeyValue::new("http.request.method", method),
        KeyValue::new("http.response.status_code", i64::from(reply.status().as_u16())),
    ];
    attributes.extend(route.map(|route| KeyValue::new("http.route", route)));
    telemetry.requests.record(begun.elapsed().as_secs_f64(), &attributes);
    let id = reply.headers().get("x-request-id").and_then(|id| id.to_str().ok());
    attributes.extend(id.map(|id| KeyValue::new("vestibule.request_id", id.to_owned())));
    span.set_attributes(attributes);
    if reply.status().is_server_error() {
        span.set_status(Status::error(""));
    }
    span.end();
    if telemetry.sending == Sending::WithEachAnswer {
        flush().await;
    }
    reply
}

/// The method, if it is one: what else a request says is its sender's own text.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "_OTHER",
    }
}

/// Counts a tick and what it planned.
pub fn ticked(outcome: Result<&TickReport, &Error>) {
    let Some(telemetry) = TELEMETRY.get() else { return };
    count(&telemetry.ticks, &[(name(&outcome), 1)]);
    if let Ok(report) = outcome {
        count(&telemetry.planned, &[("sent", report.partitions - report.failed), ("failed", report.failed)]);
    }
}

/// Counts a task and what it did.
pub fn worked(outcome: Result<&WorkReport, &Error>) {
    let Some(telemetry) = TELEMETRY.get() else { return };
    count(&telemetry.tasks, &[(name(&outcome), 1)]);
    if let Ok(report) = outcome {
        count(&telemetry.effects, &[("done", report.effects), ("failed", report.failed)]);
        count(&telemetry.deliveries, &[("tried", report.deliveries)]);
        count(&telemetry.examined, &[("done", report.examined)]);
    }
}

const fn name<T>(outcome: &Result<&T, &Error>) -> &'static str {
    if outcome.is_ok() { "done" } else { "failed" }
}

fn count(counter: &Counter<u64>, outcomes: &[(&'static str, u32)]) {
    for (outcome, number) in outcomes.iter().filter(|(_, number)| *number > 0) {
        counter.add(u64::from(*number), &[KeyValue::new("outcome", *outcome)]);
    }
}

/// Sends what has gathered. A collector that does not answer costs three seconds at most.
pub async fn flush() {
    let Some(telemetry) = TELEMETRY.get() else { return };
    // On a thread of its own: it waits for requests that this thread sends.
    let flushing = tokio::task::spawn_blocking(|| {
        let spans = telemetry.tracers.force_flush();
        spans.and(telemetry.meters.force_flush())
    });
    match tokio::time::timeout(Duration::from_secs(3), flushing).await {
        Ok(Ok(Ok(()))) => {}
        Ok(Ok(Err(error))) => tracing::warn!(error = %error, "telemetry.not_sent"),
        Ok(Err(_)) | Err(_) => tracing::warn!("telemetry.not_sent"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_of_ones_own_is_not_repeated() {
        assert_eq!(method(&Method::PATCH), "PATCH");
        assert_eq!(method(&Method::from_bytes(b"SECRET").expect("a token")), "_OTHER");
    }
}
