//! `cargo xtask fuzz`: the targets of `fuzz/` under libFuzzer, each for some seconds, from their seeds.
//!
//! Coverage counters are a pass of LLVM's that the stable compiler runs when it is told to; the sanitizers of a nightly
//! one would add little to code without `unsafe`. Everything is built apart, in `target/fuzz`.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::command::{Stopwatch, capture, cargo, command, run as run_command, step};
use crate::workspace::{self, root};

/// The targets; each is a function of the crate and a folder of seeds.
const TARGETS: [&str; 8] =
    ["authorization", "cookies", "handles", "mapping_paths", "saml", "scim_filter", "scim_patch", "tokens"];

/// What instruments the code for libFuzzer: a counter at every edge, and what comparisons compare.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// Which targets, and for how long.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Choice<'a> {
    seconds: u32,
    target: Option<&'a str>,
}

impl<'a> Choice<'a> {
    /// Reads `[--seconds N] [TARGET]`; `None` when it is something else.
    pub(crate) fn parse(arguments: &[&'a str]) -> Option<Self> {
        let (seconds, rest) = match arguments {
            ["--seconds", seconds, rest @ ..] => (seconds.parse().ok()?, rest),
            rest => (10, rest),
        };
        match rest {
            [] => Some(Self { seconds, target: None }),
            [target] if TARGETS.contains(target) => Some(Self { seconds, target: Some(target) }),
            _ => None,
        }
    }
}

/// Builds the targets and runs each. What breaks a promise is printed with the file that does it, and fails.
pub(crate) fn run(choice: &Choice<'_>) -> Result<ExitCode> {
    let programs = step("build the fuzz targets", build)?;
    let watch = Stopwatch::start();
    let mut failed = 0;
    let chosen = TARGETS.into_iter().filter(|target| choice.target.is_none_or(|one| one == *target));
    let chosen: Vec<&str> = chosen.collect();
    for target in &chosen {
        let program = programs.join(format!("fuzz-{target}"));
        let outcome = step(&format!("fuzz {target}"), || fuzz(&program.to_string_lossy(), target, choice.seconds));
        if let Err(error) = outcome {
            println!("fuzz {target}: {error:#}");
            failed += 1;
        }
    }
    println!("fuzzing took {:.0} s", watch.elapsed().as_secs_f32());
    println!("{} targets held, {failed} broke", chosen.len() - failed);
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The folder with the programs.
fn build() -> Result<PathBuf> {
    let version = capture(&mut command("rustc", &["-vV"]))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names its host")?;
    let folder = workspace::target().join("fuzz");
    // With a target named, what runs while building has no counters.
    let mut build = cargo(&["build", "--locked", "--profile", "fuzz", "--target", host]);
    build.args(["-p", "vestibule-fuzz", "--features", "libfuzzer", "--bins", "--target-dir"]).arg(&folder);
    run_command(build.env("RUSTFLAGS", COVERAGE))?;
    Ok(folder.join(host).join("fuzz"))
}

fn fuzz(program: &str, target: &str, seconds: u32) -> Result<()> {
    let found = workspace::target().join("fuzz/found").join(target);
    fs::create_dir_all(&found)?;
    // What is found goes to the first folder and is taken up again; the seeds are read only.
    let mut fuzzer = command(program, &[]);
    fuzzer.arg(&found).arg(root().join("fuzz/seeds").join(target));
    fuzzer.arg(format!("-max_total_time={seconds}")).arg(format!("-artifact_prefix={}/broken-", found.display()));
    fuzzer.args(["-max_len=4096", "-timeout=5", "-rss_limit_mb=1024", "-verbosity=0", "-print_final_stats=1"]);
    run_command(&mut fuzzer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_a_time_and_a_target() {
        let choice = |arguments: &[&'static str]| Choice::parse(arguments);
        assert_eq!(choice(&[]), Some(Choice { seconds: 10, target: None }));
        assert_eq!(choice(&["--seconds", "60", "tokens"]), Some(Choice { seconds: 60, target: Some("tokens") }));
        for wrong in [&["nothing"][..], &["--seconds"], &["--seconds", "x"], &["tokens", "cookies"]] {
            assert_eq!(choice(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn every_target_has_a_program_and_seeds() {
        for target in TARGETS {
            assert!(root().join("fuzz/src/bin").join(format!("{target}.rs")).is_file(), "{target}");
            assert!(root().join("fuzz/seeds").join(target).is_dir(), "{target}");
        }
    }
}
