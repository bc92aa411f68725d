//! `cargo xtask <command>`: what a developer and CI run. One file per command; the processes that tests and the
//! development servers need are in [`runtime`] and [`process`], what has to be installed is in [`install`].
#![expect(clippy::print_stdout, reason = "a command line tool talks through its output")]

mod bench;
mod build;
mod check;
mod command;
mod dev;
mod fuzz;
mod http;
mod install;
mod moto;
mod process;
mod runtime;
mod test;
mod wasm;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;

use crate::runtime::Runtime;

const USAGE: &str = "\
cargo xtask <command>

  check                        formatting, lints, documentation, dependency rules, licences
  test [--native] [FILTER]     every test on every runtime; --native: without wasm, Python and browser
  dev worker|lambda [--port N] that runtime on this machine, with the demo's identity provider and application
  bench [--json] [native|workerd]
                               what an operation costs on these runtimes, beside its budget (Linux)
  fuzz [--seconds N] [TARGET]  what strangers send, made up by libFuzzer: authorization, cookies, handles, tokens
  build worker                 the Worker's module, in build/worker
  build lambda                 the two Lambda functions, for release
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match process::stop_all_on_signals().and_then(|()| dispatch(&arguments)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[&str]) -> Result<ExitCode> {
    match arguments {
        ["check"] => check::run_all().map(|()| ExitCode::SUCCESS),
        ["test", rest @ ..] => match rest {
            ["--native"] => test::run(test::Scope::Native, None),
            ["--native", filter] | [filter, "--native"] => test::run(test::Scope::Native, Some(filter)),
            [] => test::run(test::Scope::Everything, None),
            [filter] if !filter.starts_with('-') => test::run(test::Scope::Everything, Some(filter)),
            _ => Ok(usage()),
        },
        ["dev", "worker"] => dev::run(Runtime::Worker, 8787),
        ["dev", "lambda"] => dev::run(Runtime::Lambda, 8787),
        ["dev", "worker", "--port", port] => dev::run(Runtime::Worker, port.parse()?),
        ["dev", "lambda", "--port", port] => dev::run(Runtime::Lambda, port.parse()?),
        ["bench", rest @ ..] => bench::Choice::parse(rest).map_or_else(|| Ok(usage()), |choice| bench::run(&choice)),
        ["fuzz", rest @ ..] => fuzz::Choice::parse(rest).map_or_else(|| Ok(usage()), |choice| fuzz::run(&choice)),
        // The Worker has one build: an unoptimised one would not fit the platform.
        ["build", "worker"] | ["build", "worker", "--release"] => build::worker(false).map(|()| ExitCode::SUCCESS),
        ["build", "lambda"] => build::lambda().map(|()| ExitCode::SUCCESS),
        _ => Ok(usage()),
    }
}

fn usage() -> ExitCode {
    print!("{USAGE}");
    ExitCode::from(2)
}
