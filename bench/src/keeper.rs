//! What is measured of sessions while time passes, at a broker whose clock, schedule and queue are this program's: the
//! examination of sessions, and how soon whoever is out is refused.

mod door;
mod examine;
mod people;
mod revocation;
mod signal;
mod spread;
mod switched_off;
mod verifiers;

use anyhow::{Context, Result};
use vestibule_aws::environment;

use door::Door;

/// A broker and its administrator.
pub(crate) struct Deployment<'a> {
    /// Its origin.
    pub(crate) broker: &'a str,
    pub(crate) admin_token: &'a str,
    /// The head of its process tree.
    pub(crate) pid: u32,
}

/// Runs what is wanted. The latencies take minutes in which nothing is spent, so they are asked for by name.
pub(crate) async fn run(deployment: &Deployment<'_>, only: &str) -> Result<()> {
    let named = |name: &str| only.split(',').any(|only| only == name);
    let mut door = Door::open(deployment.broker).await?;
    if only.is_empty() || named(examine::NAME) {
        let sizes = environment("VESTIBULE_BENCH_SESSIONS").unwrap_or_else(|| "1000,10000".to_owned());
        let sizes = sizes.split(',').map(str::parse).collect::<Result<Vec<usize>, _>>();
        examine::run(deployment, &mut door, &sizes.context("VESTIBULE_BENCH_SESSIONS is no list of numbers")?).await?;
    }
    if named(revocation::NAME) {
        let samples = environment("VESTIBULE_BENCH_SAMPLES").map_or(Ok(60), |text| text.parse())?;
        revocation::run(deployment, &door.clock, samples).await?;
        switched_off::run(deployment, &mut door, samples).await?;
    }
    Ok(())
}
