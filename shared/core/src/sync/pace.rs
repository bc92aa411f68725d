//! How many sessions of a connection this process examines in a minute. It protects a provider from us, and is no promise
//! across processes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use vestibule_protocol::time::Timestamp;

/// How many connections are remembered before all are forgotten: a bound on memory.
const MAX: usize = 4096;

/// The present minute of each connection, and how many were examined in it.
#[derive(Default)]
pub(crate) struct Paces(Mutex<HashMap<String, (i64, u32)>>);

impl Paces {
    /// Counts one more, if it may be.
    pub(super) fn take(&self, connection: &str, per_minute: u32, now: Timestamp) -> bool {
        let minute = now.seconds().div_euclid(60);
        let mut paces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if paces.len() >= MAX && !paces.contains_key(connection) {
            paces.clear();
        }
        let pace = paces.entry(connection.to_owned()).or_insert((minute, 0));
        if pace.0 != minute {
            *pace = (minute, 0);
        }
        let granted = pace.1 < per_minute;
        pace.1 += u32::from(granted);
        granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_in_a_minute_for_each() {
        let paces = Paces::default();
        let taken =
            |name: &str, second: i64| (0..100).filter(|_| paces.take(name, 7, Timestamp::from_seconds(second))).count();
        assert_eq!((taken("a", 0), taken("a", 59), taken("b", 59), taken("a", 60)), (7, 0, 7, 7));
    }
}
