//! Processes that we start, and their end: each is the head of a process group, and the group is stopped when its
//! [`Process`] is dropped or when we are interrupted. Nothing that we did not start is touched.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::command::{Stopwatch, command};
use crate::{http, workspace};

/// How long a process gets to end by itself.
const GRACE: Duration = Duration::from_secs(5);

static GROUPS: Mutex<Vec<u32>> = Mutex::new(Vec::new());

fn groups() -> MutexGuard<'static, Vec<u32>> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Stops every running process and ends the program on Ctrl-C, SIGTERM and SIGHUP.
pub(crate) fn stop_all_on_signals() -> Result<()> {
    ctrlc::set_handler(|| {
        // The lock stays ours: what is about to start must not start any more.
        let groups = groups();
        for group in groups.iter() {
            signal("TERM", *group);
        }
        std::thread::sleep(Duration::from_millis(500));
        for group in groups.iter() {
            signal("KILL", *group);
        }
        std::process::exit(130);
    })?;
    Ok(())
}

/// A running process, stopped when it is dropped.
pub(crate) struct Process {
    child: Child,
    log: Option<PathBuf>,
}

impl Process {
    /// Starts a command with whatever its output is set to.
    pub(crate) fn spawn(command: &mut Command) -> Result<Self> {
        let mut groups = groups();
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command.process_group(0).spawn().with_context(|| format!("starting {name}"))?;
        groups.push(child.id());
        Ok(Self { child, log: None })
    }

    /// Starts a command in the background, its output in a log file of that name.
    pub(crate) fn background(command: &mut Command, name: &str) -> Result<Self> {
        std::fs::create_dir_all(workspace::runs())?;
        let path = workspace::runs().join(format!("{name}.log"));
        let log = File::create(&path)?;
        let mut process = Self::spawn(command.stdout(log.try_clone()?).stderr(log))?;
        process.log = Some(path);
        Ok(process)
    }

    /// Waits until a GET of this address is answered with 200; an error with the log's tail when that takes too long.
    pub(crate) fn wait_until_ready(&mut self, url: &str) -> Result<()> {
        let watch = Stopwatch::start();
        while watch.elapsed() < Duration::from_mins(1) {
            if http::get(url).is_ok_and(|response| response.status == 200) {
                return Ok(());
            }
            if let Some(status) = self.ended()? {
                self.print_log();
                bail!("it ended before it was ready: {status}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        self.print_log();
        bail!("{url} does not answer")
    }

    /// The process's number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The piped output, once.
    pub(crate) fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// How it ended, once it has.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> Result<ExitStatus> {
        Ok(self.child.wait()?)
    }

    /// What its log says so far.
    pub(crate) fn said(&self) -> String {
        let text = self.log.as_ref().and_then(|path| std::fs::read(path).ok()).unwrap_or_default();
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Prints the last lines of its log.
    pub(crate) fn print_log(&self) {
        let Some(path) = &self.log else { return };
        let text = self.said();
        let lines: Vec<&str> = text.lines().collect();
        println!("-- the last lines of {}", path.display());
        for line in lines.iter().skip(lines.len().saturating_sub(40)) {
            println!("   {line}");
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let group = self.child.id();
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            signal("TERM", group);
            let watch = Stopwatch::start();
            while watch.elapsed() < GRACE && matches!(self.child.try_wait(), Ok(None)) {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        // What the process itself started and left behind.
        signal("KILL", group);
        drop(self.child.wait());
        groups().retain(|other| *other != group);
    }
}

/// An empty folder, removed when it is dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// A fresh one.
    pub(crate) fn new(name: &str) -> Result<Self> {
        let path = workspace::runs().join(format!("{name}-{}", std::process::id()));
        drop(std::fs::remove_dir_all(&path));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// A port of this machine that nothing listens on.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn signal(name: &str, group: u32) {
    let mut kill = command("kill", &[&format!("-{name}"), "--", &format!("-{group}")]);
    drop(kill.stdout(Stdio::null()).stderr(Stdio::null()).status());
}
