//! W9: what the examination of a session costs, with so many of them. All are due each quarter of an hour; the first one
//! after the sign-ins is not measured. What the ticks themselves cost is in it.

use std::sync::Arc;

use anyhow::{Result, ensure};
use serde_json::json;

use super::Deployment;
use super::door::Door;
use super::people::{sign_in, watched};
use crate::cpu;
use crate::measure::{now, percentile};
use crate::scene::{Scene, Setting};

/// Its name among the workloads.
pub(crate) const NAME: &str = "W9";
/// At least so many examinations are measured: ticks of the processor's clock are 10 ms.
const MEASURED: usize = 10_000;
/// Where a provider is asked about a session. Its documents are for all sessions, and asked for once an hour.
const ABOUT_SESSIONS: [&str; 3] = ["/token", "/userinfo", "/introspect"];

/// Runs it with each number of sessions, in ascending order.
pub(crate) async fn run(deployment: &Deployment<'_>, door: &mut Door, sizes: &[usize]) -> Result<()> {
    let setting = Setting {
        name: "watched",
        tenant: json!({ "name": "A tenant whose people are watched" }),
        connection: watched(&json!({ "per_minute": 60_000 })),
        people: sizes.iter().copied().max().unwrap_or_default(),
        clock: door.clock.clone(),
    };
    let scene = Arc::new(Scene::set(deployment.broker, deployment.admin_token, setting).await?);
    let mut there = 0;
    for size in sizes {
        let begun = now();
        sign_in(&scene, there..*size).await?;
        eprintln!("signed {} people in, in {:.0} s", size.saturating_sub(there), begun.elapsed().as_secs_f64());
        there = there.max(*size);
        measure(deployment.pid, door, &scene, there).await?;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "some ten thousand sessions")]
async fn measure(pid: u32, door: &mut Door, scene: &Scene, sessions: usize) -> Result<()> {
    door.quarter_of_an_hour().await?;
    let quarters = MEASURED.div_ceil(sessions);
    let calls = || ABOUT_SESSIONS.iter().map(|path| scene.idp.requests(path)).sum::<usize>();
    let (called, spent, from) = (calls(), cpu::of_tree(pid)?, now());
    let mut took = Vec::new();
    for _ in 0..quarters {
        took.extend(door.quarter_of_an_hour().await?);
    }
    let (spent, elapsed) = (cpu::of_tree(pid)? - spent, from.elapsed().as_secs_f64());
    let (called, examined) = (calls() - called, sessions * quarters);
    took.sort_unstable();
    let name = format!("{NAME} {sessions}");
    println!(
        "{}",
        json!({
            "workload": name, "cpu_ms": spent * 1000.0 / examined as f64, "p50_ms": percentile(&took, 50)?,
            "p99_ms": percentile(&took, 99)?, "ops_s": examined as f64 / elapsed,
        })
    );
    let workload = format!("{name}, calls a session");
    println!("{}", json!({ "workload": workload, "value": called as f64 / examined as f64, "unit": "calls" }));
    ensure!(called == examined, "{examined} examinations asked the provider {called} times, and not once each");
    Ok(())
}
