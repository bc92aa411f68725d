//! A clock that tests move: `VESTIBULE_TEST_CLOCK` names a file that says by how many seconds it is ahead. Only in builds
//! with the feature `test-clock`, and those are development builds.

use std::sync::OnceLock;

use vestibule_protocol::time::Seconds;

use crate::settings::environment;

#[cfg(not(debug_assertions))]
compile_error!("the feature `test-clock` is for tests: a broker whose clock others move must not be deployed");

/// By how much the clock is ahead. Read at each call: several processes follow one file.
pub(crate) fn ahead() -> Seconds {
    static FILE: OnceLock<Option<String>> = OnceLock::new();
    let file = FILE.get_or_init(|| environment("VESTIBULE_TEST_CLOCK").filter(|file| !file.is_empty()));
    let text = file.as_ref().and_then(|file| std::fs::read_to_string(file).ok());
    Seconds(text.and_then(|text| text.trim().parse().ok()).unwrap_or_default())
}
