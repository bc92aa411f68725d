//! `cargo xtask test`: the crates' own tests, then the black-box suites on each runtime, then the sum of all counts
//! as the last line.

mod deployment;
mod saml;
mod suites;
mod tally;

use std::process::ExitCode;

use anyhow::Result;

use crate::build::{self, TestProgram};
use crate::command::{Stopwatch, step};
use crate::install;
use crate::runtime::{self, IdentityProvider, Options, Runtime, Time};
use suites::Target;
use tally::Tally;

/// Which tests.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All of them.
    Everything,
    /// What takes a minute: no wasm, no Python, no browser.
    Native,
}

/// Runs the tests whose name contains `filter`, prints `N passed, N failed`, and fails when one failed.
pub(crate) fn run(scope: Scope, filter: Option<&str>) -> Result<ExitCode> {
    let watch = Stopwatch::start();
    let mut tally = Tally::default();
    install::node_packages()?;
    let programs = build::native()?;
    attempt(&mut tally, "the crates' own tests", |tally| suites::crates(tally, &programs, scope, filter));
    for runtime in Runtime::ALL {
        if scope == Scope::Everything || runtime == Runtime::Native {
            attempt(&mut tally, runtime.name(), |tally| on(tally, runtime, &programs, scope, filter));
        }
    }
    if scope == Scope::Everything {
        attempt(&mut tally, "SAML", |tally| saml::rules(tally, &programs, filter));
        attempt(&mut tally, "the Worker's store", |tally| suites::worker_store(tally, filter));
        attempt(&mut tally, "the deployment files", |tally| deployment::files(tally, filter));
    }
    println!("all suites took {:.0} s", watch.elapsed().as_secs_f32());
    for suite in &tally.broken {
        println!("broken: {suite}");
    }
    println!("{} passed, {} failed", tally.passed, tally.failed);
    Ok(if tally.failed == 0 && tally.passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The black-box suites on one runtime.
fn on(tally: &mut Tally, runtime: Runtime, programs: &[TestProgram], scope: Scope, filter: Option<&str>) -> Result<()> {
    if runtime == Runtime::Worker {
        build::worker(false)?;
    }
    with_broker(tally, runtime, |tally, target| {
        let with_saml = scope == Scope::Everything && saml::is_for(runtime);
        // What it takes may be missing, which is told when the others have run.
        let beside = with_saml.then(|| saml::Beside::start(target, filter));
        suites::deployed(tally, programs, target, filter)?;
        suites::application(tally, target, filter)?;
        suites::description(tally, target, filter)?;
        // The broker is the same everywhere; once is enough for what stands around it.
        if runtime == Runtime::Native {
            suites::examples(tally, target, scope, filter)?;
        }
        if scope == Scope::Native {
            return Ok(());
        }
        suites::scim(tally, target, filter)?;
        suites::browser(tally, target, filter)?;
        if let Some(beside) = beside {
            saml::live(tally, programs, target, filter)?;
            beside?.finish(tally)?;
        }
        Ok(())
    })?;
    // A broker of its own: its ticks go to every tenant, and those of the other suites are thousands.
    with_broker(tally, runtime, |tally, target| suites::later(tally, programs, target, filter))
}

/// Suites against one broker, which is theirs. When one fails, what the broker said is shown.
fn with_broker(
    tally: &mut Tally,
    runtime: Runtime,
    suites: impl FnOnce(&mut Tally, &Target<'_>) -> Result<()>,
) -> Result<()> {
    let broker = step(&format!("start the broker on {}", runtime.name()), || {
        runtime::start(runtime, &Options { time: Time::Tests, ..Options::default() })
    })?;
    let idp = IdentityProvider::start(&broker.url, broker.clock.as_deref())?;
    let failed = tally.failed;
    let outcome = suites(tally, &Target { runtime, broker: &broker, idp: &idp });
    if outcome.is_err() || tally.failed > failed {
        broker.print_logs();
        idp.print_log();
    }
    outcome
}

/// One part of the run; when it cannot be carried out, that counts as one failure and the others go on.
fn attempt(tally: &mut Tally, name: &str, part: impl FnOnce(&mut Tally) -> Result<()>) {
    if let Err(error) = part(tally) {
        println!("== {name}: {error:#}");
        tally.broke(name);
    }
}
