//! What needs no load: sizes, the time to the first answer, and memory.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::broker::{self, Broker, Kind};
use super::budget;
use super::row::{Figure, Row};
use crate::command::Stopwatch;
use crate::process::{Folder, Process, free_port};
use crate::wasm::Size;

/// Starts of which the median counts.
const STARTS: usize = 7;

/// A Worker that is nothing but a Worker.
const EMPTY: &str = r#"using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "empty", worker = (
    compatibilityDate = "2026-04-01",
    modules = [(name = "worker.js", esModule = "export default { fetch() { return new Response('ok'); } };")],
  ))],
  sockets = [(name = "http", http = (), service = "empty")],
);
"#;

/// The sizes of the Worker's module.
pub(super) fn size(size: &Size) -> Vec<Row> {
    #[expect(clippy::cast_precision_loss, reason = "a module has some hundred kilobytes")]
    let kilobytes = |bytes: u64| bytes as f64 / 1000.0;
    let row = |workload: &str, value, budget| Row {
        runtime: Kind::Worker.name(),
        workload: workload.to_owned(),
        figure: Figure::Single { value, unit: "kB".to_owned(), budget },
    };
    let mut rows = vec![row("wasm", kilobytes(size.raw), None)];
    rows.extend(size.gzip.map(|bytes| row("wasm gzip", kilobytes(bytes), Some(budget::WASM_GZIP_KB))));
    rows
}

/// From the start of the process to the end of its first answer. Storage is there from an earlier start, as it is when
/// a deployment starts again. Of the Worker it is what exceeds an empty Worker's: the rest is the runtime's own.
pub(super) fn cold_start(kind: Kind) -> Result<Row> {
    let data = Folder::new("bench-cold")?;
    let mut times = Vec::new();
    let mut empty = Vec::new();
    let configuration = data.path().join("empty.capnp");
    std::fs::write(&configuration, EMPTY)?;
    for _ in 0..=STARTS {
        times.push(first_answer(|port| broker::start(kind, port, &data))?);
        if kind == Kind::Worker {
            empty.push(first_answer(|port| broker::serve(configuration.clone(), port))?);
        }
    }
    // The first start made the storage.
    times.remove(0);
    let (value, budget) = match kind {
        Kind::Worker => (median(times)? - median(empty)?, budget::COLD_WORKER_MS),
        Kind::Memory | Kind::Native => (median(times)?, budget::COLD_NATIVE_MS),
    };
    let workload = if kind == Kind::Worker { "cold start, beyond empty" } else { "cold start" };
    let figure = Figure::Single { value, unit: "ms".to_owned(), budget: Some(budget) };
    Ok(Row { runtime: kind.name(), workload: workload.to_owned(), figure })
}

fn first_answer(start: impl FnOnce(u16) -> Result<Command>) -> Result<f64> {
    let port = free_port()?;
    let mut command = start(port)?;
    let watch = Stopwatch::start();
    let mut process = Process::background(&mut command, "bench-cold")?;
    while !answers(port)? {
        ensure!(watch.elapsed() < Duration::from_secs(20) && process.ended()?.is_none(), "no first answer");
        std::thread::sleep(Duration::from_micros(200));
    }
    Ok(watch.elapsed().as_secs_f64() * 1000.0)
}

/// Asks for the metadata document, which takes a whole broker. False while nobody listens.
fn answers(port: u16) -> Result<bool> {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return Ok(false) };
    write!(stream, "GET /.well-known/openid-configuration HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    ensure!(answer.starts_with(b"HTTP/1.1 200 "), "the first answer is a refusal");
    Ok(true)
}

fn median(mut values: Vec<f64>) -> Result<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().context("nothing was measured")
}

/// Memory of a broker that has answered once.
pub(super) fn memory(kind: Kind, broker: &Broker) -> Result<Row> {
    // What starting leaves behind is given back.
    std::thread::sleep(Duration::from_secs(1));
    let budget = (kind != Kind::Worker).then_some(budget::MEMORY_NATIVE_MB);
    resident(kind, broker, ("idle memory", "VmRSS:"), budget)
}

/// Memory after the load, and the most that there ever was, with all the sessions and people that it made where the store
/// is memory.
pub(super) fn memory_after_load(kind: Kind, broker: &Broker) -> Result<[Row; 2]> {
    Ok([
        resident(kind, broker, ("memory after the load", "VmRSS:"), None)?,
        resident(kind, broker, ("most memory", "VmHWM:"), None)?,
    ])
}

fn resident(kind: Kind, broker: &Broker, (workload, field): (&str, &str), budget: Option<f64>) -> Result<Row> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", broker.pid())).context("no /proc: Linux only")?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)).with_context(|| format!("no {field}"))?;
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
    let figure = Figure::Single { value: kibibytes * 1.024 / 1000.0, unit: "MB".to_owned(), budget };
    Ok(Row { runtime: kind.name(), workload: workload.to_owned(), figure })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_start_does_not_move_the_median() {
        assert!((median(vec![900.0, 20.0, 30.0]).expect("a value") - 30.0).abs() < 1e-9);
        assert!(median(Vec::new()).is_err());
    }
}
