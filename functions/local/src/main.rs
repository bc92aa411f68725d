//! The `vestibule` binary: the broker on one machine, and the command line around it.

use std::process::ExitCode;

use clap::Parser;
use vestibule_aws::environment;
use vestibule_aws::log::{self, Lines};

mod apply;
mod arguments;
mod data;
mod demo;
mod listen;
mod queue;
mod serve;
mod table;
#[cfg(feature = "test-clock")]
mod test_routes;

use arguments::{Arguments, Command};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.command.unwrap_or(Command::Serve(arguments.serve)) {
        Command::Serve(arguments) => serve::run(arguments).await.map(|()| ExitCode::SUCCESS),
        Command::Apply(arguments) => apply::run(&arguments).await,
        Command::Dynamodb(arguments) => table::run(&arguments).await.map(|()| ExitCode::SUCCESS),
        Command::Demo(arguments) => demo::run(&arguments).await.map(|()| ExitCode::SUCCESS),
    };
    match done {
        Ok(status) => status,
        Err(error) => {
            eprintln!("vestibule: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Starts logging by `VESTIBULE_LOG` and `VESTIBULE_LOG_FORMAT`. Unless the former says otherwise, the embedded DynamoDB
/// reports only what is wrong with itself: a condition that does not hold is an ordinary answer.
fn start_log() -> anyhow::Result<()> {
    let set = |name: &str| environment(name).filter(|value| !value.trim().is_empty());
    let filter = set("VESTIBULE_LOG").unwrap_or_else(|| "info,dynoxide=error".to_owned());
    let lines = match set("VESTIBULE_LOG_FORMAT").as_deref() {
        None | Some("text") => Lines::Text,
        Some("json") => Lines::Json,
        Some(_) => anyhow::bail!("VESTIBULE_LOG_FORMAT must be text or json"),
    };
    log::start(&filter, lines).map_err(|problem| anyhow::anyhow!(problem))
}

/// Writes a line for the person who started this. A closed pipe is no reason to stop.
fn say(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{line}");
}
