//! One workload under way: workers that repeat it, a warm-up, a measured span, and what came of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::cpu;
use crate::scene::Scene;
use crate::workload::{Worker, Workload};

/// Operations under way at any time, each on a connection of its own.
pub(crate) const CONCURRENCY: usize = 32;

/// How a workload is measured.
pub(crate) struct Plan {
    /// Fills caches and grows pools first.
    pub(crate) warm_up: Duration,
    /// Long enough that clock ticks of 10 ms do not show.
    pub(crate) measured: Duration,
    /// The broker's process.
    pub(crate) pid: u32,
}

/// What came of it.
pub(crate) struct Figures {
    /// Processor time of the broker for one operation, user and system, in milliseconds.
    pub(crate) cpu_ms: f64,
    /// Median duration of an operation, in milliseconds.
    pub(crate) p50_ms: f64,
    /// Of a hundred operations one takes longer, in milliseconds.
    pub(crate) p99_ms: f64,
    /// Operations in a second.
    pub(crate) ops_s: f64,
}

const WARM_UP: u8 = 0;
const MEASURED: u8 = 1;
const OVER: u8 = 2;

/// Runs a workload.
pub(crate) async fn run(plan: &Plan, scene: &Arc<Scene>, workload: Workload) -> Result<Figures> {
    let phase = Arc::new(AtomicU8::new(WARM_UP));
    // All are prepared before the first begins: under load a login may wait past the broker's own time limits.
    let mut workers = Vec::new();
    for number in 0..workload.concurrency() {
        workers.push(Worker::prepare(scene, workload, number).await?);
    }
    let running: Vec<_> = workers.into_iter().map(|worker| tokio::spawn(repeat(worker, Arc::clone(&phase)))).collect();
    tokio::time::sleep(plan.warm_up).await;
    let (spent, from) = (cpu::of_tree(plan.pid)?, now());
    phase.store(MEASURED, Ordering::Relaxed);
    tokio::time::sleep(plan.measured).await;
    let (spent, took) = (cpu::of_tree(plan.pid)? - spent, from.elapsed());
    phase.store(OVER, Ordering::Relaxed);

    let mut durations = Vec::new();
    for worker in running {
        durations.extend(worker.await??);
    }
    durations.sort_unstable();
    #[expect(clippy::cast_precision_loss, reason = "millions of operations at most")]
    let operations = durations.len() as f64;
    Ok(Figures {
        cpu_ms: spent * 1000.0 / operations,
        p50_ms: percentile(&durations, 50)?,
        p99_ms: percentile(&durations, 99)?,
        ops_s: operations / took.as_secs_f64(),
    })
}

/// Repeats an operation until the end, and keeps the durations of those that ended in the measured span.
async fn repeat(mut worker: Worker, phase: Arc<AtomicU8>) -> Result<Vec<Duration>> {
    let mut durations = Vec::new();
    loop {
        let from = now();
        worker.operate().await?;
        match phase.load(Ordering::Relaxed) {
            WARM_UP => {}
            MEASURED => durations.push(from.elapsed()),
            _ => return Ok(durations),
        }
    }
}

/// So many of a hundred took at most so long, in milliseconds.
pub(crate) fn percentile(sorted: &[Duration], percent: usize) -> Result<f64> {
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    Ok(sorted.get(at).context("no operation came to its end")?.as_secs_f64() * 1000.0)
}

#[expect(clippy::disallowed_methods, reason = "durations are what this program is about")]
/// The present.
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_sorted_durations() {
        let durations: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        assert!((percentile(&durations, 50).unwrap() - 101.0).abs() < 1e-9);
        assert!((percentile(&durations, 99).unwrap() - 199.0).abs() < 1e-9);
        assert!(percentile(&[], 50).is_err());
    }
}
