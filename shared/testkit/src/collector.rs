//! A collector of traces and metrics: takes what comes by OTLP over HTTP, and tells what it was.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use bytes::Bytes;
use http::StatusCode;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::metrics::v1::{metric::Data, number_data_point};
use prost::Message;
use tokio::net::TcpListener;

/// Names and values, as texts.
pub type Attributes = BTreeMap<String, String>;

/// Something measured: how it is called, of what it is, and how often or how much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// Its name.
    pub name: String,
    /// Of what.
    pub attributes: Attributes,
    /// The count of a histogram, or the value of a counter.
    pub number: u64,
}

/// A span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spanned {
    /// Its name.
    pub name: String,
    /// What it says.
    pub attributes: Attributes,
    /// Whether it failed.
    pub failed: bool,
    /// How many events and links it has.
    pub others: usize,
}

#[derive(Default)]
struct Seen {
    bodies: Vec<Bytes>,
    spans: Vec<Spanned>,
    metrics: Vec<Measured>,
    unreadable: usize,
}

/// A collector on a port of its own.
#[derive(Clone)]
pub struct Collector {
    /// Its address.
    pub endpoint: String,
    seen: Arc<Mutex<Seen>>,
}

impl Collector {
    /// Starts one, which runs as long as the runtime.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let collector = Self { endpoint, seen: Arc::default() };
        let routes = Router::new().route("/v1/traces", post(traces)).route("/v1/metrics", post(metrics));
        let routes = routes.with_state(collector.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(collector)
    }

    /// The spans that came so far.
    pub fn spans(&self) -> Vec<Spanned> {
        self.seen().spans.clone()
    }

    /// The measurements that came so far, each as often as it came.
    pub fn metrics(&self) -> Vec<Measured> {
        self.seen().metrics.clone()
    }

    /// Whether a text is anywhere in what came.
    pub fn knows(&self, text: &str) -> bool {
        self.seen().bodies.iter().any(|body| body.windows(text.len()).any(|part| part == text.as_bytes()))
    }

    /// How many messages were none.
    pub fn unreadable(&self) -> usize {
        self.seen().unreadable
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn traces(State(collector): State<Collector>, body: Bytes) -> StatusCode {
    let request = ExportTraceServiceRequest::decode(body.clone());
    let mut seen = collector.seen();
    seen.bodies.push(body);
    let Ok(request) = request else {
        seen.unreadable += 1;
        return StatusCode::BAD_REQUEST;
    };
    let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
    seen.spans.extend(scopes.flat_map(|scope| scope.spans).map(|span| Spanned {
        name: span.name,
        attributes: texts(span.attributes),
        failed: span.status.is_some_and(|status| status.code == 2),
        others: span.events.len() + span.links.len(),
    }));
    StatusCode::OK
}

async fn metrics(State(collector): State<Collector>, body: Bytes) -> StatusCode {
    let request = ExportMetricsServiceRequest::decode(body.clone());
    let mut seen = collector.seen();
    seen.bodies.push(body);
    let Ok(request) = request else {
        seen.unreadable += 1;
        return StatusCode::BAD_REQUEST;
    };
    let scopes = request.resource_metrics.into_iter().flat_map(|resource| resource.scope_metrics);
    for metric in scopes.flat_map(|scope| scope.metrics) {
        let points: Vec<(Vec<KeyValue>, u64)> = match metric.data {
            Some(Data::Histogram(histogram)) => {
                histogram.data_points.into_iter().map(|point| (point.attributes, point.count)).collect()
            }
            Some(Data::Sum(sum)) => sum
                .data_points
                .into_iter()
                .map(|point| match point.value {
                    Some(number_data_point::Value::AsInt(value)) => (point.attributes, value.unsigned_abs()),
                    _ => (point.attributes, 0),
                })
                .collect(),
            _ => Vec::new(),
        };
        let name = metric.name;
        seen.metrics.extend(points.into_iter().map(|(attributes, number)| Measured {
            name: name.clone(),
            attributes: texts(attributes),
            number,
        }));
    }
    StatusCode::OK
}

fn texts(attributes: Vec<KeyValue>) -> Attributes {
    let text = |value| match value {
        Value::StringValue(text) => text,
        Value::IntValue(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    let value = |pair: KeyValue| (pair.key, pair.value.and_then(|any| any.value).map(text).unwrap_or_default());
    attributes.into_iter().map(value).collect()
}
