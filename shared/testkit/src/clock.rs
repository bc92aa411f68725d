//! A clock that stands still until it is told to move.

use std::sync::atomic::{AtomicI64, Ordering};

use vestibule_core::platform::Clock;
use vestibule_protocol::time::{Seconds, Timestamp};

/// Time as the test says it is.
#[derive(Debug)]
pub struct TestClock(AtomicI64);

impl TestClock {
    /// A clock that shows `now`.
    pub const fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.seconds()))
    }

    /// Jumps to `now`, forwards or backwards.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.seconds(), Ordering::SeqCst);
    }

    /// Lets time pass.
    pub fn advance(&self, by: Seconds) {
        self.0.fetch_add(by.0, Ordering::SeqCst);
    }
}

impl Default for TestClock {
    /// Some day in 2025, so that a test which mixes in real time is noticed.
    fn default() -> Self {
        Self::at(Timestamp::from_seconds(1_750_000_000))
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_moves_only_when_told() {
        let clock = TestClock::at(Timestamp::from_seconds(100));
        assert_eq!(clock.now().seconds(), 100);
        clock.advance(Seconds(20));
        assert_eq!(clock.now().seconds(), 120);
        clock.set(Timestamp::from_seconds(5));
        assert_eq!(clock.now().seconds(), 5);
    }
}
