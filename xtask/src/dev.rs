//! `cargo xtask dev`: one runtime on this machine with the demo around it, until Ctrl-C. What is stored stays in
//! `.vestibule/` for the next time.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::command::{Stopwatch, command};
use crate::process::Process;
use crate::runtime::{self, ADMIN_TOKEN, Options, Runtime};
use crate::{build, http, workspace};

/// How often the platform would run the scheduled work.
const TICK: Duration = Duration::from_mins(1);

/// Builds and starts the runtime, then the demo's identity provider and application, which tell the broker about
/// themselves.
pub(crate) fn run(runtime: Runtime, port: u16) -> Result<ExitCode> {
    build::native()?;
    if runtime == Runtime::Worker {
        build::worker(false)?;
    }
    let options = Options { port: Some(port), keep: true, cron: true, ..Options::default() };
    let broker = runtime::start(runtime, &options)?;
    let program = workspace::binary("vestibule");
    let mut demo =
        command(&program.to_string_lossy(), &["demo", "--broker", &broker.url, "--data-dir", ".vestibule/demo"]);
    let mut demo = Process::spawn(demo.env("VESTIBULE_ADMIN_TOKEN", ADMIN_TOKEN))?;
    println!("the broker on {}: {}   (its logs: {})", runtime.name(), broker.url, workspace::runs().display());
    println!("administrator's token: {ADMIN_TOKEN}");
    println!("Ctrl-C stops everything");
    let mut watch = Stopwatch::start();
    loop {
        if let Some(status) = demo.ended()? {
            bail!("the demo ended: {status}");
        }
        if runtime == Runtime::Lambda && watch.elapsed() >= TICK {
            watch = Stopwatch::start();
            http::post(&broker.tick)?;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}
