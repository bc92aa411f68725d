//! A directory that keeps a pace: requests of every kind, so many a second for so long, on one tenant. No answer may be
//! an error; how long the slowest took is told.

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};
use tokio::time::MissedTickBehavior;

use crate::connection::Connection;
use crate::cpu;
use crate::directory::Directory;
use crate::measure::{Plan, now, percentile};
use crate::workload::Workload;

/// Its name among the workloads.
pub(crate) const NAME: &str = "SC-20";
/// Requests a second: what Entra ID wants of a server.
const PACE: u32 = 25;

/// Runs it.
pub(crate) async fn run(plan: &Plan, directory: &Directory, span: Duration) -> Result<Value> {
    let kinds = [Workload::CreateUser, Workload::FindUser, Workload::ListUsers, Workload::ChangeMember];
    let mut http = Connection::open(directory.broker()).await?;
    let mut every = tokio::time::interval(Duration::from_secs(1) / PACE);
    every.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (spent, from) = (cpu::of_tree(plan.pid)?, now());
    let mut durations = Vec::new();
    for turn in 0.. {
        every.tick().await;
        if from.elapsed() >= span {
            break;
        }
        let (kind, begun) = (kinds.get(turn % kinds.len()).copied().unwrap_or(Workload::FindUser), now());
        // Its turns of one kind follow each other, so that a member who was added is removed next.
        directory.operate(&mut http, kind, (0, 1_000_001 + turn / kinds.len())).await?;
        durations.push(begun.elapsed());
    }
    let (spent, took) = (cpu::of_tree(plan.pid)? - spent, from.elapsed().as_secs_f64());
    durations.sort_unstable();
    #[expect(clippy::cast_precision_loss, reason = "some thousand requests")]
    let requests = durations.len() as f64;
    Ok(json!({
        "workload": NAME, "cpu_ms": spent * 1000.0 / requests, "p50_ms": percentile(&durations, 50)?,
        "p99_ms": percentile(&durations, 99)?, "ops_s": requests / took,
    }))
}
