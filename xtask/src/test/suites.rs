//! The suites: how each is started and counted.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::tally::Tally;
use super::{Scope, saml};
use crate::build::{self, FEATURES, TestProgram};
use crate::command::{cargo, command, lines, step};
use crate::install::Python;
use crate::runtime::{self, ADMIN_TOKEN, IdentityProvider, Options, Running, Runtime};
use crate::workspace::binary;
use crate::{http, install, moto};

/// What the black-box suites run against.
pub(super) struct Target<'a> {
    /// The runtime.
    pub(super) runtime: Runtime,
    /// The broker on it.
    pub(super) broker: &'a Running,
    /// The provider that it can sign in at.
    pub(super) idp: &'a IdentityProvider,
}

impl Target<'_> {
    pub(super) fn tell<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command
            .env("VESTIBULE_TEST_RUNTIME", self.runtime.name())
            .env("VESTIBULE_TEST_URL", &self.broker.url)
            .env("VESTIBULE_TEST_TICK", &self.broker.tick)
            .env("VESTIBULE_TEST_TASKS", &self.broker.tasks)
            .env("VESTIBULE_TEST_CLOCK", self.broker.clock.as_deref().unwrap_or(Path::new("")))
            .env("VESTIBULE_TEST_IDP", &self.idp.issuer)
            .env("VESTIBULE_TEST_IDP_CLIENT", IdentityProvider::CLIENT)
            .env("VESTIBULE_TEST_IDP_SECRET", IdentityProvider::SECRET)
            .env("VESTIBULE_TEST_IDP_SIGNING_CLIENT", IdentityProvider::SIGNING_CLIENT)
            .env("VESTIBULE_ADMIN_TOKEN", ADMIN_TOKEN)
    }
}

/// Unit, integration and documentation tests, the stores among them; against a second DynamoDB too when all is run.
pub(super) fn crates(tally: &mut Tally, programs: &[TestProgram], scope: Scope, filter: Option<&str>) -> Result<()> {
    let moto = if scope == Scope::Everything { Some(moto::start()?) } else { None };
    let elsewhere = |program: &&TestProgram| {
        let name = program.name.as_str();
        DEPLOYED.contains(&name) || saml::PROGRAMS.contains(&name)
    };
    for program in programs.iter().filter(|program| !elsewhere(program)) {
        let mut tests = test_program(program, filter);
        if let Some((_, endpoint)) = &moto {
            tests.env("MOTO_ENDPOINT", endpoint);
        }
        count(tally, &program.name, &mut tests)?;
    }
    let mut documentation = cargo(&["test", "--locked", "--workspace", "--doc", "--quiet"]);
    documentation.args(FEATURES).arg("--").args(filter);
    count(tally, "examples in the documentation", &mut documentation)
}

/// Suites that need a running broker: the same scenarios on every runtime, and those in which time passes. The latter
/// move the clock of everybody, so they come last and one by one.
const DEPLOYED: [&str; 2] = ["tests: deployed", "tests: later"];

/// The same scenarios on every runtime.
pub(super) fn deployed(
    tally: &mut Tally,
    programs: &[TestProgram],
    target: &Target<'_>,
    filter: Option<&str>,
) -> Result<()> {
    let [program, _] = suites(programs)?;
    let name = format!("the broker from outside, on {}", target.runtime.name());
    count(tally, &name, target.tell(&mut test_program(program, filter)))
}

/// The scenarios in which time passes.
pub(super) fn later(
    tally: &mut Tally,
    programs: &[TestProgram],
    target: &Target<'_>,
    filter: Option<&str>,
) -> Result<()> {
    let [_, program] = suites(programs)?;
    let name = format!("the broker from outside, while time passes, on {}", target.runtime.name());
    count(tally, &name, target.tell(&mut test_program(program, filter)).env("RUST_TEST_THREADS", "1"))
}

fn suites(programs: &[TestProgram]) -> Result<[&TestProgram; 2]> {
    let [one, other] = DEPLOYED.map(|name| programs.iter().find(|program| program.name == name));
    Ok([one.context("no suite for a deployed broker")?, other.context("no suite in which time passes")?])
}

pub(super) fn test_program(program: &TestProgram, filter: Option<&str>) -> Command {
    let mut tests = command(&program.path.to_string_lossy(), &[]);
    tests.args(filter).current_dir(&program.folder);
    tests
}

/// A certified client library as the application.
pub(super) fn application(tally: &mut Tally, target: &Target<'_>, filter: Option<&str>) -> Result<()> {
    let name = format!("openid-client as the application, on {}", target.runtime.name());
    count(tally, &name, target.tell(&mut node_tests("app.test.mjs", filter)))
}

/// The description of the admin API against the specification, and the broker against the description.
pub(super) fn description(tally: &mut Tally, target: &Target<'_>, filter: Option<&str>) -> Result<()> {
    let name = format!("the admin API as described, on {}", target.runtime.name());
    count(tally, &name, target.tell(&mut node_tests("openapi.test.mjs", filter)))
}

/// `PyPI`'s `scim2-tester` against the SCIM server.
pub(super) fn scim(tally: &mut Tally, target: &Target<'_>, filter: Option<&str>) -> Result<()> {
    let name = format!("scim2-tester, on {}", target.runtime.name());
    let mut tests = node_tests("scim.test.mjs", filter);
    tests.env("VESTIBULE_SCIM2", Python::Tests.program("scim2")?);
    count(tally, &name, target.tell(&mut tests))
}

/// The examples of `docs/INTEGRATE.md`: from their own files, as the document says. Those behind proxies only when all is
/// run.
pub(super) fn examples(tally: &mut Tally, target: &Target<'_>, scope: Scope, filter: Option<&str>) -> Result<()> {
    count(tally, "the verifier in JavaScript", &mut node_tests("verify.test.mjs", filter))?;
    let mut tests = node_tests("integrate.test.mjs", filter);
    tests.env("VESTIBULE_BINARY", binary("vestibule")).env("VESTIBULE_EXAMPLE_AXUM", binary("vestibule-example-axum"));
    tests.env("VESTIBULE_EXAMPLE_API", binary("vestibule-example-api"));
    count(tally, "the examples of how to integrate", target.tell(&mut tests))?;
    if scope == Scope::Native {
        return Ok(());
    }
    let mut tests = node_tests("nginx.test.mjs", filter);
    tests.env("VESTIBULE_BINARY", binary("vestibule")).env("VESTIBULE_NGINX", install::nginx()?);
    tests.env("VESTIBULE_CHROMIUM", install::chromium()?);
    count(tally, "the example behind nginx, in a browser", target.tell(&mut tests))?;
    let mut tests = node_tests("proxies.test.mjs", filter);
    tests.env("VESTIBULE_BINARY", binary("vestibule")).env("VESTIBULE_PROXIES", Python::Proxies.programs()?);
    count(tally, "the examples behind Caddy, Traefik and Envoy", target.tell(&mut tests))
}

/// The demo, the checkpoint, invitations, a test login and signing out in a browser.
pub(super) fn browser(tally: &mut Tally, target: &Target<'_>, filter: Option<&str>) -> Result<()> {
    let chromium = install::chromium()?;
    for (name, file) in [
        ("a browser", "browser.test.mjs"),
        ("the checkpoint in a browser", "checkpoint.test.mjs"),
        ("invitations in a browser", "invitation.test.mjs"),
        ("a test login in a browser", "test-login.test.mjs"),
        ("signing out in a browser", "sign-out.test.mjs"),
    ] {
        let mut tests = node_tests(file, filter);
        tests.env("VESTIBULE_CHROMIUM", &chromium).env("VESTIBULE_BINARY", binary("vestibule"));
        count(tally, &format!("{name}, on {}", target.runtime.name()), target.tell(&mut tests))?;
    }
    Ok(())
}

/// The conformance suites inside workerd, where the Durable Objects and WebCrypto are.
pub(super) fn worker_store(tally: &mut Tally, filter: Option<&str>) -> Result<()> {
    build::worker(true)?;
    let worker = runtime::start(Runtime::Worker, &Options { conformance: true, ..Options::default() })?;
    step("the conformance suites of store and signatures, in workerd", || {
        let response = http::post(&format!("{}/conformance", worker.url))?;
        let outcomes: Value = serde_json::from_str(&response.body)
            .with_context(|| format!("status {}: {}", response.status, response.body))?;
        let outcomes = outcomes.as_array().context("a list of outcomes")?;
        for outcome in outcomes {
            let name = outcome.get("name").and_then(Value::as_str).context("an outcome has a name")?;
            if filter.is_some_and(|filter| !name.contains(filter)) {
                continue;
            }
            let error = outcome.get("failure").and_then(Value::as_str);
            println!("test {name} ... {}", error.unwrap_or("ok"));
            match error {
                None => tally.passed += 1,
                Some(_) => tally.failed += 1,
            }
        }
        if outcomes.is_empty() {
            bail!("it ran no test");
        }
        Ok(())
    })
}

pub(super) fn node_tests(file: &str, filter: Option<&str>) -> Command {
    let mut node = command("node", &["--test", "--test-reporter=spec", "--test-concurrency=1"]);
    if let Some(filter) = filter {
        node.arg(format!("--test-name-pattern={filter}"));
    }
    node.arg(format!("tests/js/{file}"));
    node
}

/// Runs a suite and adds up what it says. One that fails without naming a failed test did not compile, or died.
pub(super) fn count(tally: &mut Tally, name: &str, tests: &mut Command) -> Result<()> {
    step(name, || {
        let failed = tally.failed;
        let succeeded = lines(tests, |line| {
            println!("{line}");
            tally.read(line);
        })?;
        if !succeeded && tally.failed == failed {
            tally.broke(name);
        }
        Ok(())
    })
}
