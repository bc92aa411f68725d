//! Developer commands.

use std::path::Path;

use anyhow::{Context, Result, bail};

mod wasm;

fn main() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask is not in a folder")?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["build", "worker"] => eprintln!("{}", wasm::build(root, false)?),
        ["build", "worker", "--conformance"] => eprintln!("{}", wasm::build(root, true)?),
        _ => bail!("usage: cargo xtask build worker [--conformance]"),
    }
    Ok(())
}
