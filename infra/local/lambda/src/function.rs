//! A function: a queue of events and a pool of processes that run the unmodified binary.
//!
//! Concurrency is the number of instances, as on Lambda: state that one instance keeps in memory is not there in the
//! next, and two requests of one login usually meet different instances.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::{mpsc, oneshot};

use crate::runtime_api::{self, Instance, Invocation, Outcome, TIMEOUT};

/// A running function; dropped with the program, and its processes with it.
pub(crate) struct Function {
    sender: mpsc::Sender<Invocation>,
    count: AtomicU64,
}

impl Function {
    /// Starts `instances` processes of `program`, which inherit our environment and know this queue.
    pub(crate) async fn start(
        name: &'static str,
        program: &Path,
        instances: usize,
        queue_url: &str,
    ) -> Result<Arc<Self>> {
        let (sender, receiver) = mpsc::channel(1024);
        let queue = Arc::new(tokio::sync::Mutex::new(receiver));
        for _ in 0..instances {
            let instance = Instance::new(Arc::clone(&queue));
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("listening for an instance")?;
            let api = listener.local_addr()?.to_string();
            let routes = runtime_api::router(Arc::clone(&instance));
            tokio::spawn(async move { axum::serve(listener, routes).await });
            let mut command = Command::new(program);
            command.env("VESTIBULE_QUEUE_URL", queue_url).kill_on_drop(true);
            tokio::spawn(keep_running(name, command, api, instance));
        }
        Ok(Arc::new(Self { sender, count: AtomicU64::new(1) }))
    }

    /// A fresh request id, in the form that Lambda's have.
    pub(crate) fn request_id(&self) -> String {
        format!("00000000-0000-4000-8000-{:012x}", self.count.fetch_add(1, Ordering::Relaxed))
    }

    /// Runs the function once and waits for what it says.
    pub(crate) async fn invoke(&self, id: String, event: Bytes) -> Outcome {
        let (answer, outcome) = oneshot::channel();
        let queued = self.sender.send(Invocation { id, event, answer }).await;
        queued.map_err(|_| "no instance is left".to_owned())?;
        match tokio::time::timeout(TIMEOUT, outcome).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err("the instance is gone".to_owned()),
            Err(_) => Err("timed out".to_owned()),
        }
    }
}

/// Runs one process for ever: Lambda replaces an execution environment that died.
async fn keep_running(name: &'static str, mut program: Command, api: String, instance: Arc<Instance>) {
    loop {
        let child = program
            .env("AWS_LAMBDA_RUNTIME_API", &api)
            .env("AWS_LAMBDA_FUNCTION_NAME", name)
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", name)
            .env("AWS_LAMBDA_LOG_STREAM_NAME", &api)
            .spawn();
        match child {
            Ok(mut child) => match child.wait().await {
                Ok(status) => eprintln!("{name} ended: {status}; starting it again"),
                Err(error) => eprintln!("{name}: {error}"),
            },
            Err(error) => eprintln!("cannot start {name}: {error}"),
        }
        instance.abandon("the instance died");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
