//! `vestibule-bench BROKER PID`: puts load on a running broker and prints, a JSON line a workload, what its process tree
//! spent. A process of its own, so that what the driver and the identity provider in it spend is not counted.
//!
//! The administrator's token comes from `VESTIBULE_ADMIN_TOKEN`. `VESTIBULE_BENCH_ONLY` names the workloads to run,
//! `VESTIBULE_BENCH_SECONDS` how long each is measured: for profiles. `VESTIBULE_BENCH_PEOPLE` is how many people the
//! directory has, `VESTIBULE_BENCH_SUSTAIN` how many seconds it keeps its pace.
#![expect(clippy::print_stdout, reason = "a command line tool talks through its output")]

mod connection;
mod cpu;
mod directory;
mod measure;
mod scene;
mod sustain;
mod workload;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::json;
use vestibule_aws::environment;

use measure::{Figures, Plan};
use scene::Scene;
use workload::Workload;

// One thread: the other core is the broker's.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [broker, pid] = arguments.as_slice() else { bail!("usage: vestibule-bench BROKER PID") };
    let pid = pid.parse().context("PID is not a number")?;
    let token = environment("VESTIBULE_ADMIN_TOKEN").context("VESTIBULE_ADMIN_TOKEN is not set")?;
    let only = environment("VESTIBULE_BENCH_ONLY").unwrap_or_default();
    let seconds = environment("VESTIBULE_BENCH_SECONDS").map_or(Ok(4), |text| text.parse())?;
    let plan = Plan { warm_up: Duration::from_secs(1), measured: Duration::from_secs(seconds), pid };

    let sustain = environment("VESTIBULE_BENCH_SUSTAIN").map_or(Ok(60), |text| text.parse())?;
    let wanted = |name: &str| only.is_empty() || only.split(',').any(|only| only == name);
    let with_directory = wanted(sustain::NAME) || Workload::ALL.iter().any(|one| one.is_scim() && wanted(one.name()));
    let people = environment("VESTIBULE_BENCH_PEOPLE").map_or(Ok(directory::PEOPLE), |text| text.parse())?;
    let scene = Arc::new(Scene::set(broker, &token, with_directory.then_some(people)).await?);
    for workload in Workload::ALL {
        if wanted(workload.name()) {
            let figures = measure::run(&plan, &scene, workload).await;
            let Figures { cpu_ms, p50_ms, p99_ms, ops_s } =
                figures.with_context(|| format!("workload {}", workload.name()))?;
            let name = workload.name();
            println!(
                "{}",
                json!({"workload": name, "cpu_ms": cpu_ms, "p50_ms": p50_ms, "p99_ms": p99_ms, "ops_s": ops_s})
            );
        }
    }
    if wanted(sustain::NAME)
        && let Some(directory) = &scene.directory
    {
        println!("{}", sustain::run(&plan, directory, Duration::from_secs(sustain)).await?);
    }
    Ok(())
}
