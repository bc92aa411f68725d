//! A local stand-in for AWS around the two Lambda functions: API Gateway in front of `vestibule-http`, and, around
//! `vestibule-sync`, the event source mapping of a queue and a control address that runs it with the event that
//! `EventBridge` would send.
//!
//! The functions run as they are deployed; only the services around them are ours. SQS itself is another process's.

mod clock;
mod event_source;
mod function;
mod gateway;
mod runtime_api;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::routing::{any, post};
use bytes::Bytes;
use clap::Parser;
use http::{Response, StatusCode};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::event_source::{BATCHES, EventSource};
use crate::function::Function;

/// Lambda refuses larger events.
const LARGEST_BODY: usize = 6 * 1024 * 1024;

/// Runs the Lambda functions on this machine.
#[derive(Parser)]
struct Arguments {
    /// Where HTTP requests are taken.
    #[arg(long, default_value = "127.0.0.1:8787")]
    listen: SocketAddr,
    /// The binary that answers them.
    #[arg(long)]
    http: PathBuf,
    /// How many processes of it run at once, each with one request at a time.
    #[arg(long, default_value_t = 4)]
    instances: usize,
    /// The binary that `EventBridge` runs every minute, and SQS with every batch.
    #[arg(long)]
    sync: PathBuf,
    /// The event that `EventBridge` gives it, a file.
    #[arg(long)]
    event: PathBuf,
    /// Where `/tick` runs it, and `/send` puts a message into the queue.
    #[arg(long)]
    control: SocketAddr,
    /// An emulator of SQS, such as `http://127.0.0.1:4566`.
    #[arg(long)]
    sqs: String,
}

/// Processes of `vestibule-sync`: ticks and batches may meet.
const SYNC_INSTANCES: usize = BATCHES + 2;

/// What the control address needs.
struct Control {
    sync: Arc<Function>,
    event: Bytes,
    tasks: EventSource,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let tasks = EventSource::create(&arguments.sqs).await?;
    let http = Function::start("vestibule-http", &arguments.http, arguments.instances, tasks.url()).await?;
    let sync = Function::start("vestibule-sync", &arguments.sync, SYNC_INSTANCES, tasks.url()).await?;
    tokio::spawn(tasks.clone().invoke(Arc::clone(&sync)));
    let event = std::fs::read(&arguments.event).with_context(|| format!("reading {}", arguments.event.display()))?;
    let control = Arc::new(Control { sync, event: Bytes::from(event), tasks });
    let routes = Router::new().route("/tick", any(tick)).route("/send", post(send)).with_state(control);
    serve(arguments.control, routes).await?;
    serve(arguments.listen, Router::new().fallback(request).with_state(http)).await?;
    eprintln!("API Gateway on http://{}, {} instances", arguments.listen, arguments.instances);
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

async fn serve(address: SocketAddr, routes: Router) -> Result<()> {
    let listener = TcpListener::bind(address).await.with_context(|| format!("listening on {address}"))?;
    let routes = routes.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(())
}

async fn request(State(function): State<Arc<Function>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    if !gateway::is_for_a_name(&parts) {
        return gateway::failure(StatusCode::BAD_REQUEST);
    }
    let Ok(body) = axum::body::to_bytes(body, LARGEST_BODY).await else {
        return gateway::failure(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let id = function.request_id();
    let event = gateway::event(&parts, &body, &id, clock::epoch_milliseconds());
    match function.invoke(id, event.to_string().into()).await {
        Ok(answer) => gateway::response(&answer).unwrap_or_else(|error| failed(&format!("{error:#}"))),
        Err(reason) => failed(&reason),
    }
}

/// Answers when the tick's tasks are done: whoever lets minutes pass wants each to have its work.
async fn tick(State(control): State<Arc<Control>>) -> Response<Body> {
    let ticked = control.sync.invoke(control.sync.request_id(), control.event.clone()).await;
    control.tasks.drained().await;
    match ticked {
        Ok(answer) => Response::new(Body::from(answer)),
        Err(reason) => failed(&reason),
    }
}

async fn send(State(control): State<Arc<Control>>, body: String) -> Response<Body> {
    match control.tasks.send(&body).await {
        Ok(()) => Response::new(Body::empty()),
        Err(error) => failed(&format!("{error:#}")),
    }
}

fn failed(reason: &str) -> Response<Body> {
    eprintln!("the function failed: {reason}");
    gateway::failure(StatusCode::INTERNAL_SERVER_ERROR)
}
