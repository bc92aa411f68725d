//! What time it is, for the deadlines and time stamps that the emulated services put into their messages.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "the emulator is a host of its own: nothing injects its clock")]
pub(crate) fn epoch_milliseconds() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis())
}
