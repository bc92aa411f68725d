//! What is built for which runtime.

use anyhow::Result;

use crate::command::{cargo, run, step};
use crate::workspace::root;
use crate::{install, wasm};

/// The Worker's module, in `build/worker`. With `conformance`, one for tests in `build/worker-conformance` that can
/// run the store conformance suite inside of workerd.
pub(crate) fn worker(conformance: bool) -> Result<()> {
    install::wasm_target()?;
    install::node_packages()?;
    let name = if conformance { "build the Worker for conformance" } else { "build the Worker" };
    let size = step(name, || wasm::build(root(), conformance))?;
    println!("{size}");
    Ok(())
}

/// The two Lambda functions, for release.
pub(crate) fn lambda() -> Result<()> {
    step("build the Lambda functions", || run(&mut cargo(&["build", "--locked", "--release", "-p", "vestibule-aws"])))
}

/// Everything that runs natively, for development.
pub(crate) fn native() -> Result<()> {
    step("build the native binaries", || {
        let mut build = cargo(&["build", "--locked", "-p", "vestibule", "-p", "vestibule-aws"]);
        run(build.args(["-p", "vestibule-lambda-emulator"]))
    })
}
