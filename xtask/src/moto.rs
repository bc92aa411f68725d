//! `PyPI`'s moto: an independent DynamoDB for the store's tests, and the SQS of the Lambda functions on this machine.

use anyhow::Result;

use crate::command::command;
use crate::install::Python;
use crate::process::{Process, free_port};

/// A moto server and its address. Everything in it is gone when it is dropped.
pub(crate) fn start() -> Result<(Process, String)> {
    let program = Python::Tests.program("moto_server")?;
    let port = free_port()?;
    let mut server = command(&program.to_string_lossy(), &["-H", "127.0.0.1", "-p", &port.to_string()]);
    let mut process = Process::background(&mut server, "moto")?;
    let endpoint = format!("http://127.0.0.1:{port}");
    process.wait_until_ready(&format!("{endpoint}/moto-api/"))?;
    Ok((process, endpoint))
}
