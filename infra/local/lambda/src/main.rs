//! A local stand-in for AWS around the two Lambda functions: API Gateway in front of `vestibule-http`, and a control
//! address that runs `vestibule-sync` with the event that `EventBridge` would send.
//!
//! The functions run as they are deployed; only the services around them are ours.

mod clock;
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
use axum::routing::any;
use bytes::Bytes;
use clap::Parser;
use http::{Response, StatusCode};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

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
    /// The binary that `EventBridge` runs every minute.
    #[arg(long, requires = "control", requires = "event")]
    sync: Option<PathBuf>,
    /// The event that it is given, a file.
    #[arg(long)]
    event: Option<PathBuf>,
    /// Where `/tick` runs it.
    #[arg(long)]
    control: Option<SocketAddr>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let http = Function::start("vestibule-http", &arguments.http, arguments.instances).await?;
    if let (Some(sync), Some(event), Some(control)) = (&arguments.sync, &arguments.event, arguments.control) {
        let event = std::fs::read(event).with_context(|| format!("reading {}", event.display()))?;
        let sync = Function::start("vestibule-sync", sync, 1).await?;
        let routes = Router::new().route("/tick", any(tick)).with_state((sync, Bytes::from(event)));
        serve(control, routes).await?;
    }
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

async fn tick(State((function, event)): State<(Arc<Function>, Bytes)>) -> Response<Body> {
    match function.invoke(function.request_id(), event).await {
        Ok(answer) => Response::new(Body::from(answer)),
        Err(reason) => failed(&reason),
    }
}

fn failed(reason: &str) -> Response<Body> {
    eprintln!("the function failed: {reason}");
    gateway::failure(StatusCode::INTERNAL_SERVER_ERROR)
}
