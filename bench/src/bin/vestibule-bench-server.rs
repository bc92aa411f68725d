//! `vestibule-bench-server ADDRESS [TABLE FOLDER]`: the native binary's router, cryptography and HTTP client over the store
//! in memory. What a request costs here is what it costs without storage. With `TABLE`, the program `vestibule`, the store is
//! the binary's embedded table, in a process below this one.
//!
//! `POST /bench` moves the clock, runs the tick and does tasks; what is sent to the queue is the answer. The driver is the
//! queue: what a platform spends on its own is not the broker's. Below `/other` a second broker answers, over the same
//! store and with a memory of its own, as another process of a deployment has.

use std::collections::HashSet;
use std::net::TcpListener as Port;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use async_trait::async_trait;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use axum::serve::ListenerExt;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use vestibule_aws::crypto::AwsLc;
use vestibule_aws::http::OutboundHttp;
use vestibule_aws::log::{self, Lines};
use vestibule_aws::store::{self, DynamoStore};
use vestibule_aws::{Settings, SystemClock, SystemRandom, environment};
use vestibule_core::platform::{Clock, Platform, Queue, QueueError, Task};
use vestibule_core::store::Store;
use vestibule_core::store::memory::MemoryStore;
use vestibule_core::{Broker, Config};
use vestibule_protocol::time::{Seconds, Timestamp};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The system's time, and as many seconds more as the driver says.
#[derive(Default)]
struct MovedClock(AtomicI64);

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        SystemClock.now() + Seconds(self.0.load(Ordering::Relaxed))
    }
}

/// What waits for the driver, each task once.
#[derive(Default)]
struct Sent(Mutex<HashSet<Task>>);

#[async_trait]
impl Queue for Sent {
    async fn send(&self, tasks: Vec<Task>) -> Result<(), QueueError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(tasks);
        Ok(())
    }
}

/// What the driver moves.
struct Driven {
    broker: Arc<Broker>,
    clock: Arc<MovedClock>,
    sent: Arc<Sent>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().context("the address to listen on is missing")?;
    let table = arguments.next().zip(arguments.next());
    log::start(&Settings::from_vars(environment).log, Lines::Text).map_err(anyhow::Error::msg)?;
    let config = Config::from_vars(environment)?;
    let (clock, sent) = (Arc::<MovedClock>::default(), Arc::<Sent>::default());
    let store: Arc<dyn Store> = match &table {
        None => Arc::new(MemoryStore::new(clock.clone())),
        Some((program, folder)) => Arc::new(embedded(program, folder, clock.clone()).await?),
    };
    let platform = Platform {
        store,
        http: Arc::new(OutboundHttp::new(config.egress_loopback)?),
        crypto: Arc::new(AwsLc::default()),
        random: Arc::new(SystemRandom),
        clock: clock.clone(),
        queue: sent.clone(),
    };
    // As the native binary listens.
    let listener = TcpListener::bind(&address).await?.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let other = Arc::new(Broker::new(config.clone(), platform.clone()));
    let broker = Arc::new(Broker::new(config, platform));
    let driven = Arc::new(Driven { broker: Arc::clone(&broker), clock, sent });
    let door = Router::new().route("/bench", post(move |body: String| drive(driven, body)));
    let router = vestibule_web::router(broker).merge(door).nest("/other", vestibule_web::router(other));
    Ok(axum::serve(listener, router).await?)
}

/// Starts the table, which ends with the process group, and waits until it listens.
async fn embedded(program: &str, folder: &str, clock: Arc<MovedClock>) -> Result<DynamoStore> {
    let address = Port::bind("127.0.0.1:0")?.local_addr()?.to_string();
    let mut table = Command::new(program);
    let mut table: Child = table.args(["dynamodb", "--listen", &address, "--data-dir", folder]).spawn()?;
    while TcpStream::connect(&address).await.is_err() {
        anyhow::ensure!(table.try_wait()?.is_none(), "the table has ended");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let settings = Settings::from_vars(environment);
    let client = store::client(Some(&format!("http://{address}"))).await;
    Ok(DynamoStore::new(client, settings.table, clock, Arc::new(SystemRandom)))
}

/// Does what is asked: `ahead` in seconds, whether to `tick`, and `tasks`, side by side as a batch of a queue is done.
async fn drive(driven: Arc<Driven>, body: String) -> (StatusCode, String) {
    let asked: Value = serde_json::from_str(&body).unwrap_or_default();
    driven.clock.0.store(asked.get("ahead").and_then(Value::as_i64).unwrap_or_default(), Ordering::Relaxed);
    let mut failed = 0;
    if asked.get("tick") == Some(&true.into()) {
        failed += u32::from(driven.broker.tick().await.is_err());
    }
    let Ok(tasks) = serde_json::from_value::<Vec<Task>>(asked.get("tasks").cloned().unwrap_or_default()) else {
        return (StatusCode::BAD_REQUEST, "tasks are missing".to_owned());
    };
    for report in join_all(tasks.iter().map(|task| driven.broker.work(task))).await {
        failed += report.map_or(1, |report| report.failed);
    }
    let sent = std::mem::take(&mut *driven.sent.0.lock().unwrap_or_else(PoisonError::into_inner));
    (StatusCode::OK, json!({ "sent": sent, "failed": failed }).to_string())
}
