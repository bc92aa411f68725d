//! `vestibule-bench BROKER PID [--keeper]`: puts load on a running broker and prints, a JSON line a workload, what its
//! process tree spent. A process of its own, so that what the driver and the identity provider in it spend is not counted.
//! With `--keeper` it is the broker's schedule, queue and clock too; see [`keeper`].
//!
//! The administrator's token comes from `VESTIBULE_ADMIN_TOKEN`. `VESTIBULE_BENCH_ONLY` names the workloads to run,
//! `VESTIBULE_BENCH_SECONDS` how long each is measured: for profiles. `VESTIBULE_BENCH_PEOPLE` is how many people the
//! directory has, `VESTIBULE_BENCH_SUSTAIN` how many seconds it keeps its pace, `VESTIBULE_BENCH_SESSIONS` with how many
//! sessions W9 is measured, `VESTIBULE_BENCH_SAMPLES` how many people REV signs out by each signal.
#![expect(clippy::print_stdout, reason = "a command line tool talks through its output")]

mod application;
mod connection;
mod cpu;
mod directory;
mod keeper;
mod measure;
mod memory;
mod saml;
mod scene;
mod sustain;
mod workload;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::json;
use vestibule_aws::{SystemClock, environment};

use directory::Directory;
use keeper::Deployment;
use measure::{CONCURRENCY, Figures, Plan};
use scene::{Scene, Setting};
use workload::Workload;

// One thread: the other core is the broker's.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (broker, pid, of_keeper) = match *arguments {
        [broker, pid] => (broker, pid, false),
        [broker, pid, "--keeper"] => (broker, pid, true),
        _ => bail!("usage: vestibule-bench BROKER PID [--keeper]"),
    };
    let pid = pid.parse().context("PID is not a number")?;
    let token = environment("VESTIBULE_ADMIN_TOKEN").context("VESTIBULE_ADMIN_TOKEN is not set")?;
    let only = environment("VESTIBULE_BENCH_ONLY").unwrap_or_default();
    let deployment = Deployment { broker, admin_token: &token, pid };
    if of_keeper { keeper::run(&deployment, &only).await } else { loads(&deployment, &only).await }
}

/// All but what is measured of sessions while time passes.
async fn loads(deployment: &Deployment<'_>, only: &str) -> Result<()> {
    let seconds = environment("VESTIBULE_BENCH_SECONDS").map_or(Ok(4), |text| text.parse())?;
    let plan = Plan { warm_up: Duration::from_secs(1), measured: Duration::from_secs(seconds), pid: deployment.pid };
    let sustain = environment("VESTIBULE_BENCH_SUSTAIN").map_or(Ok(60), |text| text.parse())?;
    let wanted = |name: &str| only.is_empty() || only.split(',').any(|only| only == name);
    if saml::NAMES.into_iter().any(wanted) {
        saml::run(deployment, wanted, usize::try_from(seconds)?).await?;
    }
    let with_directory = wanted(sustain::NAME) || Workload::ALL.iter().any(|one| one.is_scim() && wanted(one.name()));
    if !with_directory && !Workload::ALL.iter().any(|one| wanted(one.name())) {
        return Ok(());
    }
    let mut scene = Scene::set(deployment.broker, deployment.admin_token, setting()).await?;
    if with_directory {
        let people = environment("VESTIBULE_BENCH_PEOPLE").map_or(Ok(directory::PEOPLE), |text| text.parse())?;
        scene.directory = Some(Directory::set(deployment.broker, deployment.admin_token, people).await?);
    }
    let scene = Arc::new(scene);
    for workload in Workload::ALL.into_iter().filter(|workload| wanted(workload.name())) {
        let before = memory::resident(plan.pid)?;
        memory::forget_peak(plan.pid)?;
        let figures = measure::run(&plan, &scene, workload).await;
        let Figures { cpu_ms, p50_ms, p99_ms, ops_s } =
            figures.with_context(|| format!("workload {}", workload.name()))?;
        let name = workload.name();
        println!("{}", json!({"workload": name, "cpu_ms": cpu_ms, "p50_ms": p50_ms, "p99_ms": p99_ms, "ops_s": ops_s}));
        // What reads everybody must not hold everybody.
        if workload == Workload::WalkUsers {
            for (what, megabytes) in [("memory before", before), ("most memory", memory::peak(plan.pid)?)] {
                println!("{}", json!({"workload": format!("{name}, {what}"), "value": megabytes, "unit": "MB"}));
            }
        }
    }
    if wanted(sustain::NAME)
        && let Some(directory) = &scene.directory
    {
        println!("{}", sustain::run(&plan, directory, Duration::from_secs(sustain)).await?);
    }
    Ok(())
}

/// A tenant with a person for each worker.
fn setting() -> Setting {
    Setting {
        name: "bench",
        tenant: json!({ "name": "A tenant" }),
        connection: json!({}),
        people: CONCURRENCY,
        clock: Arc::new(SystemClock),
    }
}
