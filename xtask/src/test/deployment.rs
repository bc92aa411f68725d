//! Whether the deployment files would be taken by the tools that deploy them.

use std::process::Command;

use anyhow::Result;

use super::tally::Tally;
use crate::command::{command, run, step};
use crate::install::Python;

/// Each file before its tool; one test each.
pub(super) fn files(tally: &mut Tally, filter: Option<&str>) -> Result<()> {
    let sam = Python::Deployment.program("sam")?;
    let sam = sam.to_string_lossy();
    let (mut wrangler, mut staging) = (wrangler(""), wrangler("staging"));
    let mut validate = command(&sam, &["validate", "--lint", "--template", "template.yaml"]);
    // The region decides nothing here, but the tool wants one.
    validate.env("SAM_CLI_TELEMETRY", "0").env("AWS_DEFAULT_REGION", "eu-central-1");
    for (name, tool) in [
        ("wrangler deploy --dry-run", &mut wrangler),
        ("wrangler deploy --dry-run --env staging", &mut staging),
        ("sam validate --lint", &mut validate),
    ] {
        if filter.is_some_and(|filter| !name.contains(filter)) {
            continue;
        }
        match step(name, || run(tool)) {
            Ok(()) => tally.passed += 1,
            Err(error) => {
                println!("test {name} ... {error:#}");
                tally.failed += 1;
            }
        }
    }
    Ok(())
}

/// What would be deployed to an environment; the empty one is the file's own.
fn wrangler(environment: &str) -> Command {
    let arguments = ["--no-install", "wrangler", "deploy", "--dry-run", "--outdir", "build/wrangler", "--env"];
    let mut wrangler = command("npx", &arguments);
    wrangler.arg(environment).env("WRANGLER_SEND_METRICS", "false").env("CI", "true");
    wrangler
}
