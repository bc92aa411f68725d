//! The brokers that are measured, built for release, each one process without a proxy before it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::{Folder, Process, free_port};
use crate::runtime::{settings, table_access};
use crate::workspace::{release_binary, root};

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The native router over the store in memory: storage left out.
    Memory,
    /// The native binary as shipped, with its embedded table.
    Native,
    /// The Worker on workerd, its Durable Objects on disk.
    Worker,
}

impl Kind {
    /// Its name among the figures.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Memory => "native",
            Self::Native => "native+sqlite",
            Self::Worker => "workerd",
        }
    }
}

/// A broker's process. Dropped in this order: the process, then its data.
pub(super) struct Broker {
    /// Its origin.
    pub(super) url: String,
    process: Process,
    _data: Folder,
}

impl Broker {
    /// Starts one with empty storage and waits until it answers.
    pub(super) fn start(kind: Kind) -> Result<Self> {
        Self::started(kind, start)
    }

    /// The same with a clock, a schedule and a queue that the driver moves.
    pub(super) fn start_driven(kind: Kind) -> Result<Self> {
        Self::started(kind, start_driven)
    }

    fn started(kind: Kind, start: fn(Kind, u16, &Folder) -> Result<Command>) -> Result<Self> {
        let port = free_port()?;
        let data = Folder::new(&format!("bench-{}", kind.name()))?;
        let mut process = Process::background(&mut start(kind, port, &data)?, &format!("bench-{}", kind.name()))?;
        process.wait_until_ready(&format!("http://127.0.0.1:{port}/healthz"))?;
        Ok(Self { url: format!("http://localhost:{port}"), process, _data: data })
    }

    /// The head of its process tree.
    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Prints the end of what it logged.
    pub(super) fn print_log(&self) {
        self.process.print_log();
    }
}

/// The command that starts a broker of this kind.
pub(super) fn start(kind: Kind, port: u16, data: &Folder) -> Result<Command> {
    let address = format!("127.0.0.1:{port}");
    let mut command = match kind {
        Kind::Memory => {
            let mut command = Command::new(release_binary("vestibule-bench-server"));
            command.arg(address);
            command
        }
        Kind::Native => {
            let mut command = Command::new(release_binary("vestibule"));
            command.args(["--no-demo", "--listen", &address, "--data-dir"]).arg(data.path());
            command
        }
        Kind::Worker => {
            let mut command = serve("infra/cloudflare/workerd.capnp".into(), port)?;
            command.arg(format!("--directory-path=state={}", data.path().display()));
            command
        }
    };
    settings(&mut command, port);
    Ok(command)
}

/// The command that starts one whose time the driver moves.
fn start_driven(kind: Kind, port: u16, data: &Folder) -> Result<Command> {
    let mut command = match kind {
        // It always can be.
        Kind::Memory => return start(kind, port, data),
        Kind::Native => {
            let mut command = Command::new(release_binary("vestibule-bench-server"));
            command.arg(format!("127.0.0.1:{port}")).arg(release_binary("vestibule")).arg(data.path());
            table_access(&mut command);
            command
        }
        Kind::Worker => {
            let mut command = serve("infra/cloudflare/bench.capnp".into(), port)?;
            command.arg(format!("--directory-path=state={}", data.path().display()));
            command
        }
    };
    settings(&mut command, port);
    Ok(command)
}

/// `workerd serve` with a configuration.
pub(super) fn serve(configuration: PathBuf, port: u16) -> Result<Command> {
    let mut command = Command::new(workerd()?);
    command.arg("serve").arg(configuration).arg(format!("--socket-addr=http=127.0.0.1:{port}")).current_dir(root());
    Ok(command)
}

/// The executable that npm installed for this machine; the package's own `bin` may be a script before it.
fn workerd() -> Result<PathBuf> {
    let folder = root().join("node_modules/@cloudflare");
    let packages = std::fs::read_dir(&folder).with_context(|| format!("no {}", folder.display()))?;
    let found =
        packages.filter_map(Result::ok).find(|entry| entry.file_name().to_string_lossy().starts_with("workerd-"));
    found.map(|entry| entry.path().join("bin/workerd")).context("workerd is not installed")
}
