//! Running a command to its end.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::process::Process;
use crate::workspace;

/// A command that starts in the workspace's root and reads nothing from us.
pub(crate) fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(workspace::root()).stdin(Stdio::null());
    command
}

/// `cargo` with these arguments.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    command("cargo", arguments)
}

/// Runs a command that talks to our own output; an error when it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = Process::spawn(command)?.wait()?;
    if !status.success() {
        bail!("`{}` failed: {status}", display(command));
    }
    Ok(())
}

/// Runs a command and hands over what it prints, line by line. True when it succeeded.
pub(crate) fn lines(command: &mut Command, mut each: impl FnMut(&str)) -> Result<bool> {
    let mut process = Process::spawn(command.stdout(Stdio::piped()))?;
    let output = process.stdout().context("the output is piped")?;
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        each(&String::from_utf8_lossy(&line));
    }
    Ok(process.wait()?.success())
}

/// What a command prints; an error with its complaint when it fails.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("starting `{}`", display(command)))?;
    if !output.status.success() {
        bail!("`{}` failed: {}", display(command), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Announces a step, takes it, and says how long it took.
pub(crate) fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("== {name}");
    let watch = Stopwatch::start();
    let outcome = work();
    let ending = if outcome.is_ok() { "done" } else { "FAILED" };
    println!("== {name}: {ending} in {:.1} s", watch.elapsed().as_secs_f32());
    outcome
}

/// Time that has passed.
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[expect(clippy::disallowed_methods, reason = "these commands run on a host of their own")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// Since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

fn display(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|argument| argument.to_string_lossy().into_owned()));
    words.join(" ")
}
