//! The Worker, built without downloads: cargo, then wasm-bindgen as a library (`xtask/bindgen`), then our own entry
//! modules beside the result. Nothing is bundled: the files are the modules that workerd loads.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// What a Worker build came to, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// The wasm module.
    pub(crate) raw: u64,
    /// The same through `gzip -9`, which is how Cloudflare counts; `None` where there is no `gzip`.
    pub(crate) gzip: Option<u64>,
}

/// Where a build with these features goes, below the root.
pub(crate) fn output(root: &Path, conformance: bool) -> PathBuf {
    root.join("build").join(if conformance { "worker-conformance" } else { "worker" })
}

/// Builds the Worker into [`output`]. `conformance` adds the store suite's route: never for a deployment.
pub(crate) fn build(root: &Path, conformance: bool) -> Result<Size> {
    let mut cargo = cargo(root);
    cargo.args(["build", "--profile", "worker", "--target", "wasm32-unknown-unknown", "-p", "vestibule-cloudflare"]);
    if conformance {
        cargo.args(["--features", "conformance"]);
    }
    run(&mut cargo)?;

    let output = output(root, conformance);
    fs::create_dir_all(&output).with_context(|| format!("cannot create {}", output.display()))?;
    let module = target(root).join("wasm32-unknown-unknown/worker/vestibule_cloudflare.wasm");
    run(cargo_run_bindgen(root).arg(&module).arg(&output))?;
    for file in ["worker.js", "host.js", "partition.js"] {
        let from = root.join("functions/cloudflare/js").join(file);
        fs::copy(&from, output.join(file)).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    measure(&output.join("index_bg.wasm"))
}

fn cargo(root: &Path) -> Command {
    // Set by cargo for what it runs, so that one toolchain builds all of it.
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

fn cargo_run_bindgen(root: &Path) -> Command {
    let mut command = cargo(root);
    command.args(["run", "--quiet", "-p", "vestibule-bindgen", "--"]);
    command
}

fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder))
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", command.get_program().display()))?;
    ensure!(status.success(), "{} ended with {status}", command.get_program().display());
    Ok(())
}

fn measure(module: &Path) -> Result<Size> {
    let bytes = fs::read(module).with_context(|| format!("no {}", module.display()))?;
    Ok(Size { raw: u64::try_from(bytes.len())?, gzip: gzip(bytes) })
}

fn gzip(bytes: Vec<u8>) -> Option<u64> {
    let mut child = Command::new("gzip").arg("-9c").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
    let mut stdin = child.stdin.take()?;
    // Written from a thread of its own: gzip answers before it has read everything.
    let writer = std::thread::spawn(move || stdin.write_all(&bytes));
    let output = child.wait_with_output().ok()?;
    writer.join().ok()?.ok()?;
    u64::try_from(output.stdout.len()).ok().filter(|_| output.status.success())
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "wasm: {} bytes", self.raw)?;
        self.gzip.map_or(Ok(()), |gzip| write!(f, ", {gzip} bytes gzip"))
    }
}
