//! Read copies in the process's own memory: parsed once, at most 60 s old, bounded in number.
//!
//! What is read through here may be stale by that much (and by another 60 s where the platform keeps copies of its
//! own). Nothing depends on an entry being there: a fresh process answers the same.

use std::any::Any;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use vestibule_protocol::time::{Seconds, Timestamp};

/// How long a copy is used.
pub(crate) const COPY_LIFE: Seconds = Seconds(60);
/// How old what is read through a copy may be: the platform may keep copies for another [`COPY_LIFE`].
pub(crate) const STALENESS: Seconds = Seconds(2 * COPY_LIFE.0);
/// How many copies are kept before all are dropped: a bound on memory, not a working-set size.
const MAX_COPIES: usize = 4096;

/// Copies of `T`, by name.
pub(crate) struct Copies<T> {
    entries: Entries,
    value: PhantomData<fn() -> T>,
}

/// Copies of anything: one table's code for all types, which is 3 kB of the Worker for each otherwise.
#[derive(Default)]
struct Entries(Mutex<HashMap<String, Entry>>);

struct Entry {
    value: Arc<dyn Any + Send + Sync>,
    until: Timestamp,
}

impl<T> Default for Copies<T> {
    fn default() -> Self {
        Self { entries: Entries::default(), value: PhantomData }
    }
}

impl<T: Send + Sync + 'static> Copies<T> {
    /// The copy, if it is there and young enough.
    pub(crate) fn get(&self, name: &str, now: Timestamp) -> Option<Arc<T>> {
        self.entries.get(name, now)?.downcast().ok()
    }

    /// Keeps a copy for [`COPY_LIFE`].
    pub(crate) fn keep(&self, name: String, value: T, now: Timestamp) -> Arc<T> {
        let value = Arc::new(value);
        self.entries.keep(name, Entry { value: Arc::clone(&value) as _, until: now + COPY_LIFE });
        value
    }

    /// Drops a copy that this process knows to be old.
    pub(crate) fn forget(&self, name: &str) {
        self.entries.lock().remove(name);
    }
}

impl Entries {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, name: &str, now: Timestamp) -> Option<Arc<dyn Any + Send + Sync>> {
        self.lock().get(name).filter(|entry| !entry.until.has_passed(now)).map(|entry| Arc::clone(&entry.value))
    }

    fn keep(&self, name: String, entry: Entry) {
        let mut entries = self.lock();
        if entries.len() >= MAX_COPIES {
            entries.clear();
        }
        entries.insert(name, entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_used_for_a_minute_and_can_be_dropped() {
        let copies = Copies::default();
        let at = Timestamp::from_seconds;
        copies.keep("a".to_owned(), 1, at(100));
        assert_eq!(copies.get("a", at(159)).as_deref(), Some(&1));
        assert_eq!(copies.get("a", at(160)), None);
        copies.keep("a".to_owned(), 2, at(160));
        copies.forget("a");
        assert_eq!(copies.get("a", at(160)), None);
    }

    #[test]
    fn the_number_of_copies_is_bounded() {
        let copies = Copies::default();
        for number in 0..=MAX_COPIES * 2 {
            copies.keep(number.to_string(), number, Timestamp::from_seconds(0));
        }
        assert!(copies.entries.lock().len() <= MAX_COPIES);
    }
}
