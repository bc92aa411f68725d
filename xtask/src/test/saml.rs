//! SAML against others' implementations: signxml and lxml in Python, Debian's `SimpleSAMLphp`, a browser.

use anyhow::{Context, Result};

use super::suites::{Target, count, node_tests, test_program};
use super::tally::Tally;
use crate::build::TestProgram;
use crate::command::step;
use crate::install::{self, Python};
use crate::process::Process;
use crate::runtime::Runtime;

/// What takes Python's packages: the rules alone, and before a running broker.
pub(super) const PROGRAMS: [&str; 2] = ["tests: saml", "tests: vectors"];

/// The rules against a second implementation.
pub(super) fn rules(tally: &mut Tally, programs: &[TestProgram], filter: Option<&str>) -> Result<()> {
    let [program, _] = suites(programs)?;
    let mut tests = test_program(program, filter);
    count(
        tally,
        "SAML as another implementation speaks it",
        tests.env("VESTIBULE_TEST_PYTHON", Python::Tests.program("python")?),
    )
}

/// Good and forged responses, and a real identity provider, before a running broker.
pub(super) fn live(
    tally: &mut Tally,
    programs: &[TestProgram],
    target: &Target<'_>,
    filter: Option<&str>,
) -> Result<()> {
    let [_, program] = suites(programs)?;
    let mut tests = test_program(program, filter);
    tests.env("VESTIBULE_TEST_PYTHON", Python::Tests.program("python")?);
    let runtime = target.runtime.name();
    count(tally, &format!("good and forged responses, on {runtime}"), target.tell(&mut tests))?;
    for (name, file) in [("SimpleSAMLphp", "saml.test.mjs"), ("logout with SimpleSAMLphp", "saml-logout.test.mjs")] {
        let mut tests = node_tests(file, filter);
        tests.env("VESTIBULE_SIMPLESAMLPHP", install::simplesamlphp()?);
        count(tally, &format!("{name}, on {runtime}"), target.tell(&mut tests))?;
    }
    Ok(())
}

fn suites(programs: &[TestProgram]) -> Result<[&TestProgram; 2]> {
    let [one, other] = PROGRAMS.map(|name| programs.iter().find(|program| program.name == name));
    Ok([one.context("no suite of SAML's rules")?, other.context("no suite of responses")?])
}

/// A suite that goes on beside others: it waits for minutes.
pub(super) struct Beside {
    name: String,
    process: Process,
}

impl Beside {
    /// Starts the login in a browser whose person takes three minutes at the identity provider.
    pub(super) fn start(target: &Target<'_>, filter: Option<&str>) -> Result<Self> {
        let name = format!("a SAML login that takes its time in a browser, on {}", target.runtime.name());
        let mut tests = node_tests("saml-browser.test.mjs", filter);
        tests.env("VESTIBULE_CHROMIUM", install::chromium()?);
        tests.env("VESTIBULE_SIMPLESAMLPHP", install::simplesamlphp()?);
        let process = Process::background(target.tell(&mut tests), "saml-browser")?;
        println!("== {name}: goes on beside the others");
        Ok(Self { name, process })
    }

    /// Waits for its end, and adds up what it said.
    pub(super) fn finish(mut self, tally: &mut Tally) -> Result<()> {
        step(&self.name.clone(), || {
            let (failed, status) = (tally.failed, self.process.wait()?);
            for line in self.process.said().lines() {
                println!("{line}");
                tally.read(line);
            }
            if !status.success() && tally.failed == failed {
                tally.broke(&self.name);
            }
            Ok(())
        })
    }
}

/// Whether these suites are run there. The Lambda functions have the router, the verifier and the cryptography of the
/// native binary.
pub(super) fn is_for(runtime: Runtime) -> bool {
    runtime != Runtime::Lambda
}
