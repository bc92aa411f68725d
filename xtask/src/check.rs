//! `cargo xtask check`: what has to hold before anything is tried. Needs no network once it has run.

mod dependencies;
mod licences;

use anyhow::Result;

use crate::build::FEATURES;
use crate::command::{cargo, run, step};
use crate::install;

/// Crates that are compiled for Workers.
const WASM: [&str; 8] =
    ["-p", "vestibule-protocol", "-p", "vestibule-core", "-p", "vestibule-web", "-p", "vestibule-cloudflare"];

/// Runs every check; the first failure ends it.
pub(crate) fn run_all() -> Result<()> {
    install::wasm_target()?;
    step("format", || run(&mut cargo(&["fmt", "--all", "--check"])))?;
    step("dependency rules", dependencies::check)?;
    step("licences and bans", licences::check)?;
    step("clippy", || {
        let mut clippy = cargo(&["clippy", "--locked", "--workspace", "--all-targets"]);
        run(clippy.args(FEATURES).args(["--", "-D", "warnings"]))
    })?;
    step("clippy on wasm32", || {
        let mut clippy = cargo(&["clippy", "--locked", "--target", "wasm32-unknown-unknown"]);
        run(clippy.args(WASM).args(["--", "-D", "warnings"]))
    })?;
    step("documentation", || {
        let mut doc = cargo(&["doc", "--locked", "--no-deps", "--workspace", "--document-private-items", "--quiet"]);
        // Written for whoever works here: private items have pages, so links to them lead somewhere.
        run(doc.env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private-intra-doc-links"))
    })
}
