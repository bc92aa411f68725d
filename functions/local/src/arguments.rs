//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Vestibule: single sign-on for an application's customers, on one machine.
///
/// Without a command it serves, with a demo beside it. Settings come from the environment (`VESTIBULE_ISSUER`,
/// `VESTIBULE_SEALING_KEYS`, `VESTIBULE_ADMIN_TOKEN`, `VESTIBULE_EGRESS_LOOPBACK`, `VESTIBULE_TABLE`,
/// `VESTIBULE_DYNAMODB_ENDPOINT`, `VESTIBULE_LOG`, `VESTIBULE_LOG_FORMAT`, `VESTIBULE_OTLP_ENDPOINT`); what is missing is made once and kept in the data directory.
#[derive(Debug, Parser)]
#[command(name = "vestibule", version, args_conflicts_with_subcommands = true, verbatim_doc_comment)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) serve: Serve,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs the broker, and a demo beside it
    Serve(Serve),
    /// Writes the tenants, connections and clients of a deployment file to a broker, and says what changed
    ///
    /// The whole file is checked before anything is written. What is not in it is left alone. Status 0: applied, or a dry
    /// run without differences; 1: failed; 3: a dry run found differences.
    Apply(Apply),
    /// Runs the embedded DynamoDB alone, with the table, for another process to use
    Dynamodb(Dynamodb),
    /// Runs the demo beside a broker that is already running
    Demo(Demo),
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where the broker listens
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8787")]
    pub(crate) listen: SocketAddr,
    #[command(flatten)]
    pub(crate) data: Data,
    /// No demo: no identity provider, no application, no demo tenant
    #[arg(long)]
    pub(crate) no_demo: bool,
    #[command(flatten)]
    pub(crate) demo: DemoPorts,
    /// Uses this DynamoDB in place of the embedded one, and makes the table there if it is missing
    #[arg(long, value_name = "URL")]
    pub(crate) dynamodb_endpoint: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// The deployment file, TOML (docs/CONFIGURE.md)
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The broker
    #[arg(long, value_name = "URL", default_value = "http://localhost:8787")]
    pub(crate) url: String,
    /// Changes nothing; says what would change, and ends with status 3 if anything would
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) data: Data,
}

#[derive(Debug, Args)]
pub(crate) struct Dynamodb {
    /// Where it listens
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8000")]
    pub(crate) listen: SocketAddr,
    #[command(flatten)]
    pub(crate) data: Data,
    /// Keeps nothing on disk
    #[arg(long, conflicts_with = "data_dir")]
    pub(crate) memory: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// The broker
    #[arg(long, value_name = "URL", default_value = "http://localhost:8787")]
    pub(crate) broker: String,
    #[command(flatten)]
    pub(crate) ports: DemoPorts,
    #[command(flatten)]
    pub(crate) data: Data,
}

#[derive(Debug, Args)]
pub(crate) struct DemoPorts {
    /// Where the demo's identity provider listens
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8788")]
    pub(crate) idp_listen: SocketAddr,
    /// Where the demo's application listens
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8789")]
    pub(crate) app_listen: SocketAddr,
}

#[derive(Debug, Args)]
pub(crate) struct Data {
    /// Where the table and the secrets made on the first start are kept
    #[arg(long, value_name = "DIR", default_value = ".vestibule")]
    pub(crate) data_dir: PathBuf,
}
