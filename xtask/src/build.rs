//! What is built for which runtime.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::command::{cargo, lines, run, step};
use crate::workspace::root;
use crate::{install, wasm};

/// Turns on the suites that need a running broker, which a plain `cargo test` leaves out, and lets them move its clock.
pub(crate) const FEATURES: [&str; 2] = ["--features", "vestibule-tests/deployed,vestibule/test-clock"];

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

/// A compiled test program.
pub(crate) struct TestProgram {
    /// The package and the target in it.
    pub(crate) name: String,
    /// The executable.
    pub(crate) path: PathBuf,
    /// Its package's folder, where cargo would run it.
    pub(crate) folder: PathBuf,
}

/// Every native binary and every test program, for development. All at once: what is built package by package is
/// built with other features, and so twice.
pub(crate) fn native() -> Result<Vec<TestProgram>> {
    let mut programs = Vec::new();
    step("build the binaries and the tests", || {
        let mut build = cargo(&["build", "--locked", "--workspace", "--all-targets"]);
        build.args(FEATURES).arg("--message-format=json-render-diagnostics");
        let compiled = lines(&mut build, |line| programs.extend(test_program(line)))?;
        ensure!(compiled, "the workspace does not compile");
        Ok(())
    })?;
    programs.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(programs)
}

/// The test program that a line of cargo's messages announces.
fn test_program(line: &str) -> Option<TestProgram> {
    let message: Value = serde_json::from_str(line).ok()?;
    let test = message.pointer("/profile/test").and_then(Value::as_bool).unwrap_or_default();
    let path = PathBuf::from(message.get("executable")?.as_str().filter(|_| test)?);
    let folder = Path::new(message.get("manifest_path")?.as_str()?).parent()?.to_owned();
    let target = message.pointer("/target/name")?.as_str()?;
    let package = folder.strip_prefix(root()).unwrap_or(&folder).display().to_string();
    Some(TestProgram { name: format!("{package}: {target}"), path, folder })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_test_programs_are_found() {
        let line = |test: bool, executable: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","manifest_path":"{}/tests/Cargo.toml","target":{{"name":"store"}},
                "profile":{{"test":{test}}},"executable":{executable}}}"#,
                root().display()
            )
        };
        let found = test_program(&line(true, r#""/t/store-1""#)).expect("a test program");
        assert_eq!((found.name.as_str(), found.path), ("tests: store", PathBuf::from("/t/store-1")));
        assert!(test_program(&line(false, r#""/t/vestibule""#)).is_none());
        assert!(test_program(&line(true, "null")).is_none());
        assert!(test_program("not a message").is_none());
    }
}
