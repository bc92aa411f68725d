//! A broker on one of its runtimes, on this machine: fresh processes, free ports, empty storage.
//!
//! The broker's origin is `http://localhost:<port>`; everything else is addressed by 127.0.0.1, so that broker and
//! identity provider are different sites, as they are in production.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::command::command;
use crate::process::{Folder, Process, free_port};
use crate::workspace::{binary, root};
use crate::{moto, wasm};

/// The administrator's token of every broker that is started here. Not a secret: they listen on loopback only.
pub(crate) const ADMIN_TOKEN: &str = "local-administrator-of-a-throwaway-broker";

/// Seals the storage of the same brokers.
const SEALING_KEYS: &str = "local:b25seS1mb3ItbG9jYWwtcnVucy1ub3QtYS1zZWNyZXQ";

/// Where a broker can run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Runtime {
    /// The native binary with its embedded table.
    Native,
    /// workerd, through Miniflare.
    Worker,
    /// The Lambda functions behind an emulated API Gateway, over the embedded table as DynamoDB.
    Lambda,
}

impl Runtime {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Native, Self::Worker, Self::Lambda];

    /// The name that the suites know it by.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Worker => "workerd",
            Self::Lambda => "lambda",
        }
    }
}

/// What differs between runs.
#[derive(Default)]
pub(crate) struct Options {
    /// The broker's port; a free one when absent.
    pub(crate) port: Option<u16>,
    /// How many Lambda instances; four when absent.
    pub(crate) instances: Option<u8>,
    /// Storage that outlives the run, in `.vestibule/<runtime>`.
    pub(crate) keep: bool,
    /// The Worker's scheduled work runs every minute, not only when asked for.
    pub(crate) cron: bool,
    /// The Worker that can run the store conformance suite.
    pub(crate) conformance: bool,
    /// Whose clock it follows.
    pub(crate) time: Time,
}

/// Whose clock a broker follows.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Time {
    /// The system's.
    #[default]
    Real,
    /// One that tests move.
    Tests,
}

/// A broker that runs until this is dropped.
pub(crate) struct Running {
    /// Its origin.
    pub(crate) url: String,
    /// A POST here runs the scheduled work. The native binary has the address with a clock that tests move only.
    pub(crate) tick: String,
    /// A POST here puts its body into the queue, where there is a clock that tests move.
    pub(crate) tasks: String,
    /// Says by how many seconds the clock is ahead.
    pub(crate) clock: Option<PathBuf>,
    // Dropped in this order: a process before the one that it talks to, and the data last.
    processes: VecDeque<Process>,
    data: Data,
}

/// Where a broker keeps its records.
enum Data {
    Kept(PathBuf),
    Thrown(Folder),
}

impl Running {
    /// Prints the end of what the broker logged.
    pub(crate) fn print_logs(&self) {
        self.processes.iter().for_each(Process::print_log);
    }

    fn folder(&self) -> &Path {
        match &self.data {
            Data::Kept(path) => path,
            Data::Thrown(folder) => folder.path(),
        }
    }

    fn add(&mut self, command: &mut Command, name: &str, ready: &str) -> Result<()> {
        let mut process = Process::background(command.current_dir(root()), name)?;
        process.wait_until_ready(ready)?;
        self.processes.push_front(process);
        Ok(())
    }
}

/// Starts a broker that has been built, and waits until it answers.
pub(crate) fn start(runtime: Runtime, options: &Options) -> Result<Running> {
    let port = options.port.map_or_else(free_port, Ok)?;
    let data = if options.keep {
        let folder = root().join(".vestibule").join(runtime.name());
        std::fs::create_dir_all(&folder)?;
        Data::Kept(folder)
    } else {
        Data::Thrown(Folder::new(runtime.name())?)
    };
    let url = format!("http://localhost:{port}");
    let (tick, tasks) = (format!("{url}/test/tick"), format!("{url}/test/tasks"));
    let mut running = Running { url, tick, tasks, clock: None, processes: VecDeque::new(), data };
    if options.time == Time::Tests {
        let file = running.folder().join("clock");
        std::fs::write(&file, "0")?;
        running.clock = Some(file);
    }
    let started = match runtime {
        Runtime::Native => native(&mut running, port),
        Runtime::Worker => worker(&mut running, port, options),
        Runtime::Lambda => lambda(&mut running, port, options.instances.unwrap_or(4)),
    };
    started.with_context(|| format!("starting the broker on {}", runtime.name()))?;
    Ok(running)
}

fn native(running: &mut Running, port: u16) -> Result<()> {
    let mut broker = Command::new(binary("vestibule"));
    broker.args(["--no-demo", "--listen", &format!("127.0.0.1:{port}"), "--data-dir"]).arg(running.folder());
    if let Some(clock) = &running.clock {
        broker.env("VESTIBULE_TEST_CLOCK", clock);
    }
    running.add(settings(&mut broker, port), "native", &ready(port))
}

fn worker(running: &mut Running, port: u16, options: &Options) -> Result<()> {
    let mut miniflare = command("node", &["infra/cloudflare/miniflare.mjs", "--port", &port.to_string(), "--build"]);
    miniflare.arg(wasm::output(root(), options.conformance)).arg("--state").arg(running.folder());
    if !options.cron {
        miniflare.arg("--no-cron");
    }
    if let Some(clock) = &running.clock {
        miniflare.arg("--test-clock").arg(clock);
    }
    running.tick = format!("http://127.0.0.1:{port}/cdn-cgi/handler/scheduled");
    running.add(settings(&mut miniflare, port), "workerd", &ready(port))
}

fn lambda(running: &mut Running, port: u16, instances: u8) -> Result<()> {
    let (table, control) = (free_port()?, free_port()?);
    let (moto, sqs) = moto::start()?;
    running.processes.push_front(moto);
    let mut dynamodb = Command::new(binary("vestibule"));
    dynamodb.args(["dynamodb", "--listen", &format!("127.0.0.1:{table}"), "--data-dir"]).arg(running.folder());
    running.add(&mut dynamodb, "lambda-dynamodb", &format!("http://127.0.0.1:{table}/"))?;
    let mut gateway = Command::new(binary("vestibule-lambda-emulator"));
    gateway
        .args(["--listen", &format!("127.0.0.1:{port}"), "--instances", &instances.to_string(), "--http"])
        .arg(binary("vestibule-http"))
        .arg("--sync")
        .arg(binary("vestibule-sync"))
        .args(["--event", "infra/local/lambda/events/scheduled.json", "--control", &format!("127.0.0.1:{control}")])
        .args(["--sqs", &sqs])
        .env("VESTIBULE_DYNAMODB_ENDPOINT", format!("http://127.0.0.1:{table}"));
    table_access(&mut gateway);
    if let Some(clock) = &running.clock {
        gateway.env("VESTIBULE_TEST_CLOCK", clock);
    }
    (running.tick, running.tasks) =
        (format!("http://127.0.0.1:{control}/tick"), format!("http://127.0.0.1:{control}/send"));
    running.add(settings(&mut gateway, port), "lambda", &ready(port))
}

/// What the AWS SDK wants to know before it asks a table on this machine.
pub(crate) fn table_access(command: &mut Command) {
    command.env("AWS_REGION", "us-east-1").env("AWS_ACCESS_KEY_ID", "local").env("AWS_SECRET_ACCESS_KEY", "local");
}

/// Where a broker says that it is there.
fn ready(port: u16) -> String {
    format!("http://127.0.0.1:{port}/healthz")
}

/// The configuration of a broker on this port, as environment.
pub(crate) fn settings(command: &mut Command, port: u16) -> &mut Command {
    command
        .env("VESTIBULE_ISSUER", format!("http://localhost:{port}"))
        .env("VESTIBULE_ADMIN_TOKEN", ADMIN_TOKEN)
        .env("VESTIBULE_SEALING_KEYS", SEALING_KEYS)
        .env("VESTIBULE_EGRESS_LOOPBACK", "true")
}

/// The identity provider that the suites sign in at, `tests/js/op.mjs`.
pub(crate) struct IdentityProvider {
    /// Its issuer.
    pub(crate) issuer: String,
    process: Process,
}

impl IdentityProvider {
    /// The broker's client id there, for client authentication with HTTP Basic.
    pub(crate) const CLIENT: &str = "broker";
    /// The secret of that client.
    pub(crate) const SECRET: &str = "the-broker-at-the-identity-provider";

    /// A client that proves itself, and signs its requests, with the broker's published key.
    pub(crate) const SIGNING_CLIENT: &str = "broker-signing";

    /// Starts one that knows this broker, and follows this clock.
    pub(crate) fn start(broker: &str, clock: Option<&Path>) -> Result<Self> {
        let port = free_port()?;
        let client = |id: &str, method: &str| {
            serde_json::json!({
                "client_id": id,
                "client_secret": Self::SECRET,
                "token_endpoint_auth_method": method,
                "redirect_uris": [format!("{broker}/oauth2/callback")],
                "post_logout_redirect_uris": [format!("{broker}/oauth2/signed-out")],
                "grant_types": ["authorization_code", "refresh_token"],
            })
        };
        let mut signing = client(Self::SIGNING_CLIENT, "private_key_jwt");
        if let Some(members) = signing.as_object_mut() {
            members.insert("jwks_uri".to_owned(), format!("{broker}/oauth2/jwks").into());
            members.insert("require_signed_request_object".to_owned(), true.into());
        }
        let clients = serde_json::json!([
            client(Self::CLIENT, "client_secret_basic"),
            client("broker-post", "client_secret_post"),
            signing,
        ]);
        let mut node = command("node", &["tests/js/op.mjs"]);
        node.env("PORT", port.to_string()).env("CLIENTS", clients.to_string());
        if let Some(clock) = clock {
            node.env("VESTIBULE_TEST_CLOCK", clock);
        }
        let mut process = Process::background(&mut node, "identity-provider")?;
        let issuer = format!("http://127.0.0.1:{port}");
        process.wait_until_ready(&format!("{issuer}/.well-known/openid-configuration"))?;
        Ok(Self { issuer, process })
    }

    /// Prints the end of what it logged.
    pub(crate) fn print_log(&self) {
        self.process.print_log();
    }
}
