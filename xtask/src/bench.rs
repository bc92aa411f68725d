//! `cargo xtask bench`: what an operation costs, beside its budget. Prints figures and fails on none of them: they are
//! those of one machine at one time.
//!
//! The load comes from `vestibule-bench`; this starts the brokers, measures what needs no load, and shows it all.

mod broker;
mod budget;
mod idle;
mod row;

use std::process::{ExitCode, Stdio};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::command::{cargo, command, lines, run as run_command};
use crate::runtime::ADMIN_TOKEN;
use crate::workspace::{release_binary, root};
use crate::{install, wasm};
use broker::{Broker, Kind};
use row::{Figure, Row};

/// Which runtimes, and how the figures are shown.
#[derive(Default)]
pub(crate) struct Choice {
    json: bool,
    runtime: Option<String>,
}

impl Choice {
    /// Reads `[--json] [native|workerd]`; `None` when it is something else.
    pub(crate) fn parse(arguments: &[&str]) -> Option<Self> {
        let mut choice = Self::default();
        for argument in arguments {
            match *argument {
                "--json" if !choice.json => choice.json = true,
                "native" | "workerd" if choice.runtime.is_none() => choice.runtime = Some((*argument).to_owned()),
                _ => return None,
            }
        }
        Some(choice)
    }

    fn includes(&self, runtime: &str) -> bool {
        self.runtime.as_deref().is_none_or(|chosen| chosen == runtime)
    }
}

/// Builds for release, measures, prints.
pub(crate) fn run(choice: &Choice) -> Result<ExitCode> {
    let mut build = cargo(&["build", "--locked", "--release", "-p", "vestibule", "-p", "vestibule-bench"]);
    run_command(&mut build)?;
    let mut rows = Vec::new();
    let outcome = measure_all(choice, &mut rows);
    if choice.json {
        for row in &rows {
            println!("{}", row.json());
        }
    } else {
        row::print_table(&rows);
    }
    outcome.map(|()| ExitCode::SUCCESS)
}

/// What was measured before something failed stays in `rows`, and is shown.
fn measure_all(choice: &Choice, rows: &mut Vec<Row>) -> Result<()> {
    if choice.includes("native") {
        rows.extend(measure(Kind::Memory)?);
        rows.extend(measure(Kind::Native)?);
    }
    if choice.includes("workerd") {
        install::wasm_target()?;
        install::node_packages()?;
        let size = wasm::build(root(), false)?;
        rows.extend(idle::size(&size));
        rows.extend(measure(Kind::Worker)?);
    }
    Ok(())
}

fn measure(kind: Kind) -> Result<Vec<Row>> {
    eprintln!("measuring {}", kind.name());
    let mut rows = vec![idle::cold_start(kind)?];
    let broker = Broker::start(kind)?;
    rows.push(idle::memory(kind, &broker)?);
    rows.extend(load(kind, &broker, &[])?);
    rows.extend(idle::memory_after_load(kind, &broker)?);
    drop(broker);
    rows.extend(load(kind, &Broker::start_driven(kind)?, &["--keeper"])?);
    Ok(rows)
}

/// Runs the driver against a broker.
fn load(kind: Kind, broker: &Broker, arguments: &[&str]) -> Result<Vec<Row>> {
    let driver = release_binary("vestibule-bench");
    let mut driver = command(&driver.to_string_lossy(), &[&broker.url, &broker.pid().to_string()]);
    driver.args(arguments).env("VESTIBULE_ADMIN_TOKEN", ADMIN_TOKEN).stderr(Stdio::inherit());
    let mut rows = Vec::new();
    let mut unread = None;
    let done = lines(&mut driver, |line| match read(kind, line) {
        Ok(row) => rows.push(row),
        Err(error) => unread = Some(error),
    })?;
    if !done {
        broker.print_log();
        anyhow::bail!("the load on {} was not carried", kind.name());
    }
    unread.map_or(Ok(rows), Err)
}

/// A line of the driver.
fn read(kind: Kind, line: &str) -> Result<Row> {
    let line: Value = serde_json::from_str(line).with_context(|| format!("the driver said: {line}"))?;
    let number = |name: &str| line.get(name).and_then(Value::as_f64).with_context(|| format!("{name} is missing"));
    let text = |name: &str| line.get(name).and_then(Value::as_str).with_context(|| format!("{name} is missing"));
    let workload = text("workload")?;
    let figure = if line.get("value").is_some() {
        Figure::Single {
            value: number("value")?,
            unit: text("unit")?.to_owned(),
            budget: budget::part_ms(kind, workload),
        }
    } else if line.get("max").is_some() {
        Figure::Spread {
            p50: number("p50")?,
            p90: number("p90")?,
            p99: number("p99")?,
            max: number("max")?,
            unit: text("unit")?.to_owned(),
            samples: number("samples")?,
        }
    } else {
        Figure::Load {
            cpu_ms: number("cpu_ms")?,
            p50_ms: number("p50_ms")?,
            p99_ms: number("p99_ms")?,
            ops_s: number("ops_s")?,
            budget_cpu_ms: budget::cpu_ms(kind, workload),
        }
    };
    Ok(Row { runtime: kind.name(), workload: workload.to_owned(), figure })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_come_in_any_order_and_once() {
        let choice = Choice::parse(&["workerd", "--json"]).expect("a choice");
        assert!(choice.json && choice.includes("workerd") && !choice.includes("native"));
        assert!(Choice::parse(&[]).is_some_and(|all| all.includes("native") && all.includes("workerd")));
        assert!(Choice::parse(&["lambda"]).is_none());
        assert!(Choice::parse(&["native", "workerd"]).is_none());
    }
}
