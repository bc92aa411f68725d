//! How a latency is distributed, as a line of output.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use crate::measure::percentile;

/// The names of what refuses, in the order of a [`Refused`].
const VERIFIERS: [&str; 3] = ["introspect", "verify", "status list"];

/// How long after a signal each verifier first refused: introspection, forward authentication, the status list.
pub(crate) type Refused = [Duration; 3];

/// Prints a line for each verifier. `simulated` where the time was moved.
pub(crate) fn print(signal: &str, refused: &[Refused], simulated: bool) -> Result<()> {
    for (at, verifier) in VERIFIERS.iter().enumerate() {
        let mut latencies: Vec<Duration> = refused.iter().filter_map(|one| one.get(at).copied()).collect();
        latencies.sort_unstable();
        let seconds = |percent| percentile(&latencies, percent).map(|milliseconds| milliseconds / 1000.0);
        let unit = if simulated { "simulated s" } else { "s" };
        println!(
            "{}",
            json!({
                "workload": format!("{signal}: {verifier}"), "p50": seconds(50)?, "p90": seconds(90)?,
                "p99": seconds(99)?, "max": seconds(100)?, "unit": unit, "samples": latencies.len(),
            })
        );
    }
    Ok(())
}
