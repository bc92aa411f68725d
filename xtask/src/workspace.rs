//! Where things are: the root, what cargo built, and the place for what a run leaves behind.

use std::path::{Path, PathBuf};

/// The workspace's root.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// A variable of the environment, when it is set and not empty.
#[expect(clippy::disallowed_methods, reason = "the one place where these commands look at their environment")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Cargo's target folder.
pub(crate) fn target() -> PathBuf {
    variable("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |folder| root().join(folder))
}

/// A binary of a development build.
pub(crate) fn binary(name: &str) -> PathBuf {
    target().join("debug").join(name)
}

/// A binary of a release build.
pub(crate) fn release_binary(name: &str) -> PathBuf {
    target().join("release").join(name)
}

/// Logs and data of the processes that were started last.
pub(crate) fn runs() -> PathBuf {
    target().join("runs")
}
