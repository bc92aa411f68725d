//! Which way dependencies point: the shared crates know no platform, and the Worker brings in none of another host's.

use std::fs;
use std::path::Path;

use anyhow::{Result, bail};

use crate::command::{capture, cargo};
use crate::workspace::root;

/// The crates that compile everywhere, and their folders below `shared/`.
const SHARED: [(&str, &str); 3] =
    [("vestibule-protocol", "protocol"), ("vestibule-core", "core"), ("vestibule-web", "web")];

/// What belongs to one platform. A trailing `*` stands for any end.
const PLATFORMS: [&str; 8] =
    ["worker", "aws-*", "lambda_*", "reqwest", "tokio", "hyper", "dynoxide-rs", "vestibule-aws"];

/// What a Worker has no use for.
const NOT_ON_WORKERS: [&str; 6] = ["aws-*", "lambda_*", "reqwest", "tokio", "hyper", "dynoxide-rs"];

/// Checks every rule and names every breach.
pub(super) fn check() -> Result<()> {
    let mut breaches = Vec::new();
    for (package, folder) in SHARED {
        for target in [None, Some("wasm32-unknown-unknown")] {
            breaches.extend(refused(package, target, &PLATFORMS)?);
        }
        platform_conditions(&root().join("shared").join(folder).join("src"), &mut breaches)?;
    }
    breaches.extend(refused("vestibule-cloudflare", Some("wasm32-unknown-unknown"), &NOT_ON_WORKERS)?);
    if !breaches.is_empty() {
        bail!("these break the architecture:\n  {}", breaches.join("\n  "));
    }
    Ok(())
}

fn refused(package: &str, target: Option<&str>, rules: &[&str]) -> Result<Vec<String>> {
    let mut tree =
        cargo(&["tree", "--locked", "--edges", "normal", "--prefix", "none", "--format", "{p}", "-p", package]);
    if let Some(target) = target {
        tree.args(["--target", target]);
    }
    let tree = capture(&mut tree)?;
    let mut names: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    names.sort_unstable();
    names.dedup();
    let on = target.map_or_else(String::new, |target| format!(" on {target}"));
    let broken = names.into_iter().filter(|name| rules.iter().any(|rule| matches(rule, name)));
    Ok(broken.map(|name| format!("{package} depends on {name}{on}")).collect())
}

fn matches(rule: &str, name: &str) -> bool {
    rule.strip_suffix('*').map_or(rule == name, |start| name.starts_with(start))
}

/// A shared source that compiles differently per platform.
fn platform_conditions(folder: &Path, breaches: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            platform_conditions(&path, breaches)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path)?;
            let asks = |line: &str| line.contains("cfg") && line.contains("target_");
            let lines = text.lines().enumerate().filter(|(_, line)| asks(line));
            breaches.extend(lines.map(|(number, line)| format!("{}:{}: {}", path.display(), number + 1, line.trim())));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_end() {
        assert!(matches("aws-*", "aws-config"));
        assert!(matches("worker", "worker"));
        assert!(!matches("worker", "worker-sys"));
        assert!(!matches("aws-*", "laws"));
    }
}
