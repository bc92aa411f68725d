//! What the platform does for a deployment and nobody does for a broker under measurement: its schedule, its queue, and the
//! time. `POST /bench` is there in `vestibule-bench-server` and in `infra/cloudflare/bench.js` only.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use http::{Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use vestibule_aws::SystemClock;
use vestibule_core::platform::Clock;
use vestibule_protocol::time::{Seconds, Timestamp};

use crate::connection::Connection;
use crate::measure::now;

/// Invocations that take tasks at the same time.
const CONSUMERS: usize = 10;
/// Tasks that one of them takes, as `wrangler.toml` has it.
const BATCH: usize = 10;

/// The system's time, and as many seconds more as were told to pass.
#[derive(Default)]
pub(crate) struct MovedClock(AtomicI64);

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        SystemClock.now() + Seconds(self.0.load(Ordering::SeqCst))
    }
}

/// The way in.
pub(crate) struct Door {
    consumers: Vec<Connection>,
    waiting: VecDeque<Value>,
    /// The broker follows it from call to call.
    pub(crate) clock: Arc<MovedClock>,
}

impl Door {
    /// A queue that is empty.
    pub(crate) async fn open(broker: &str) -> Result<Self> {
        let mut consumers = Vec::with_capacity(CONSUMERS);
        for _ in 0..CONSUMERS {
            consumers.push(Connection::open(broker).await?);
        }
        Ok(Self { consumers, waiting: VecDeque::new(), clock: Arc::default() })
    }

    /// Lets time pass, for the broker too.
    pub(crate) async fn pass(&mut self, seconds: i64) -> Result<()> {
        self.clock.0.fetch_add(seconds, Ordering::SeqCst);
        self.plan(false).await
    }

    /// The tick of the present minute, and all that comes of it. How long each batch of tasks took.
    pub(crate) async fn tick(&mut self) -> Result<Vec<Duration>> {
        self.plan(true).await?;
        let ahead = self.clock.0.load(Ordering::SeqCst);
        let mut took = Vec::new();
        while !self.waiting.is_empty() {
            let mut batches = Vec::with_capacity(CONSUMERS);
            for http in &mut self.consumers {
                let tasks: Vec<Value> = self.waiting.drain(..BATCH.min(self.waiting.len())).collect();
                if !tasks.is_empty() {
                    let asked = json!({ "ahead": ahead, "tick": false, "tasks": tasks });
                    batches.push(async move {
                        let from = now();
                        ask(http, &asked).await.map(|sent| (from.elapsed(), sent))
                    });
                }
            }
            for (duration, sent) in try_join_all(batches).await? {
                took.push(duration);
                self.waiting.extend(sent);
            }
        }
        Ok(took)
    }

    /// A quarter of an hour with a tick in each minute.
    pub(crate) async fn quarter_of_an_hour(&mut self) -> Result<Vec<Duration>> {
        let mut took = Vec::new();
        for _ in 0..15 {
            // To where the next minute begins: what the driver takes is time too, and no slot may be passed over.
            let over = self.clock.now().seconds().rem_euclid(60);
            self.clock.0.fetch_add(60 - over, Ordering::SeqCst);
            took.extend(self.tick().await?);
        }
        Ok(took)
    }

    async fn plan(&mut self, tick: bool) -> Result<()> {
        let asked = json!({ "ahead": self.clock.0.load(Ordering::SeqCst), "tick": tick, "tasks": [] });
        let http = self.consumers.first_mut().context("there is no connection")?;
        let sent = ask(http, &asked).await?;
        self.waiting.extend(sent);
        Ok(())
    }
}

/// Has the broker do something: the tasks that it sends meanwhile.
async fn ask(http: &mut Connection, asked: &Value) -> Result<Vec<Value>> {
    let request = Request::post("/bench").body(Full::from(asked.to_string()))?;
    let reply = http.send(request).await?;
    ensure!(reply.status() == StatusCode::OK, "/bench: {}", reply.status());
    let mut answer: Value = serde_json::from_slice(reply.body())?;
    ensure!(answer.get("failed") == Some(&0.into()), "tasks failed: {answer}");
    match answer.get_mut("sent").map(Value::take) {
        Some(Value::Array(sent)) => Ok(sent),
        _ => anyhow::bail!("/bench did not say what was sent"),
    }
}
