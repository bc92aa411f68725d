//! `vestibule apply`: a deployment file, written to a broker through its admin API. `docs/CONFIGURE.md` describes the
//! file.
//!
//! 1. [`mod@file`] reads it, with its secrets from elsewhere.
//! 2. Each object is read from the broker, and the file is applied to a broker in memory: [`rehearsal`]. What is wrong
//!    is told here, all of it, and nothing has been written.
//! 3. What differs ([`difference`]) is written, under the condition that it still is as it was read.
//!
//! Applying the same file again changes nothing. What the broker has and the file does not is left alone.

mod api;
mod difference;
mod file;
mod place;
mod rehearsal;
mod secrets;
mod step;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use vestibule_aws::environment;

use crate::arguments::Apply;
use crate::{data, say};
use api::Remote;
use file::File;
use place::Problem;
use rehearsal::Rehearsal;
pub(crate) use secrets::Secrets;
use step::{Done, Step};

/// The status of a dry run that found differences: neither a failure (1) nor a wrong command line (2).
const DIFFERENT: u8 = 3;

/// `vestibule apply`.
pub(crate) async fn run(arguments: &Apply) -> Result<ExitCode> {
    let name = arguments.file.display();
    let text = std::fs::read_to_string(&arguments.file).with_context(|| format!("{name} cannot be read"))?;
    let secrets = Secrets::new(&environment, arguments.file.parent().unwrap_or(Path::new("")));
    let file = File::read(&text, &secrets).map_err(|problem| anyhow!("{name} is not TOML: {problem}"))?;
    let token = data::admin_token(&arguments.data)?;
    let different = whole(&arguments.url, &token, file, arguments.dry_run).await?;
    Ok(if different && arguments.dry_run { ExitCode::from(DIFFERENT) } else { ExitCode::SUCCESS })
}

/// Applies a deployment that is at hand.
pub(crate) async fn apply(broker: &str, token: &str, text: &str, secrets: &Secrets<'_>) -> Result<()> {
    let file = File::read(text, secrets).map_err(|problem| anyhow!(problem))?;
    whole(broker, token, file, false).await.map(drop)
}

/// Applies a file and reports each object. Whether anything differed.
async fn whole(broker: &str, token: &str, file: File, dry_run: bool) -> Result<bool> {
    let remote = Remote::new(broker, token)?;
    let steps = plan(&remote, file).await?;
    let mut done = Vec::new();
    for step in &steps {
        let outcome = if dry_run { step.look() } else { step.write(&remote).await? };
        step.report(&outcome, dry_run);
        done.push(outcome);
    }
    summary(&done, dry_run)?;
    Ok(done.iter().any(|one| matches!(one, Done::Created | Done::Changed)))
}

/// What there is to do for each object. Reads only; every problem is told as it is found, the file's own even where no
/// broker answers.
async fn plan(remote: &Remote, file: File) -> Result<Vec<Step>> {
    let mut problems = 0;
    let mut tell = |found: &[Problem]| {
        problems += found.len();
        for problem in found {
            eprintln!("{problem}");
        }
    };
    tell(&file.problems);
    let rehearsal = Rehearsal::new(&remote.issuer().await?)?;
    let mut steps = Vec::new();
    for object in file.objects {
        let found = remote.get(&object.path).await?;
        match rehearsal.put(&object, found.as_ref()).await? {
            Ok(view) => steps.push(Step::new(object, found, &view)),
            Err(wrong) => tell(&wrong),
        }
    }
    if problems > 0 {
        bail!("{} to mend; nothing was written", counted(problems, "problem"));
    }
    Ok(steps)
}

/// The last line; an error when something could not be written.
fn summary(done: &[Done], dry_run: bool) -> Result<()> {
    let count = |kind: fn(&Done) -> bool| done.iter().filter(|one| kind(one)).count();
    let created = count(|one| matches!(one, Done::Created));
    let changed = count(|one| matches!(one, Done::Changed));
    let failed = count(|one| matches!(one, Done::Failed(_)));
    let unchanged = done.len() - created - changed - failed;
    let would = if dry_run { "would be " } else { "" };
    say(&format!(
        "{created} {would}created, {changed} {would}changed, {unchanged} unchanged; what is not in the file is left alone"
    ));
    if failed > 0 {
        bail!("{failed} of {} could not be applied", counted(done.len(), "object"));
    }
    Ok(())
}

fn counted(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests;
