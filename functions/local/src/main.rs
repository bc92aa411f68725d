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

/// Starts logging by `VESTIBULE_LOG`. Unless that says otherwise, the embedded DynamoDB reports only what is wrong with
/// itself: a condition that does not hold is an ordinary answer.
fn start_log() -> anyhow::Result<()> {
    let filter = environment("VESTIBULE_LOG").filter(|filter| !filter.trim().is_empty());
    let filter = filter.unwrap_or_else(|| "info,dynoxide=error".to_owned());
    log::start(&filter, Lines::Text).map_err(|problem| anyhow::anyhow!(problem))
}

/// Writes a line for the person who started this. A closed pipe is no reason to stop.
fn say(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{line}");
}
