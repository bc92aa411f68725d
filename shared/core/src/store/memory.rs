//! The reference back-end: a map behind a lock. It says what the others must do; data ends with the process.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use vestibule_protocol::time::Timestamp;

use super::{
    Expect, Key, Page, Partition, Record, Store, StoreError, Version, Write, check_id, check_reads, check_writes,
};
use crate::platform::Clock;

/// Keeps everything in memory.
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Ordered by partition, then id: a list is a range.
    records: BTreeMap<(Partition, String), Record>,
    /// Counts every write ever made, so that no version comes twice.
    writes: u64,
}

impl MemoryStore {
    /// An empty store whose records expire by `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default() }
    }

    fn with_state<T>(&self, act: impl FnOnce(&mut State, Timestamp) -> T) -> T {
        let now = self.clock.now();
        // A panic under the lock leaves whole records: each change is one map operation.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        act(&mut state, now)
    }
}

impl State {
    fn live(&self, slot: &(Partition, String), now: Timestamp) -> Option<&Record> {
        self.records.get(slot).filter(|record| is_live(record, now))
    }

    fn next_version(&mut self) -> Version {
        self.writes += 1;
        Version::new(self.writes.to_string())
    }

    fn holds(&self, slot: &(Partition, String), expect: &Expect, now: Timestamp) -> bool {
        let live = self.live(slot, now);
        match expect {
            Expect::Any => true,
            Expect::Absent => live.is_none(),
            Expect::Present => live.is_some(),
            Expect::Version(version) => live.is_some_and(|record| record.version == *version),
        }
    }
}

fn is_live(record: &Record, now: Timestamp) -> bool {
    record.expires_at.is_none_or(|end| !end.has_passed(now))
}

#[async_trait]
impl Store for MemoryStore {
    async fn get(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        check_id(&key.id)?;
        let slot = (key.partition.clone(), key.id.clone());
        Ok(self.with_state(|state, now| state.live(&slot, now).cloned()))
    }

    async fn get_many(&self, partition: &Partition, ids: &[String]) -> Result<Vec<Option<Record>>, StoreError> {
        check_reads(ids)?;
        Ok(self.with_state(|state, now| {
            ids.iter().map(|id| state.live(&(partition.clone(), id.clone()), now).cloned()).collect()
        }))
    }

    async fn take(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        check_id(&key.id)?;
        let slot = (key.partition.clone(), key.id.clone());
        Ok(self.with_state(|state, now| state.records.remove(&slot).filter(|record| is_live(record, now))))
    }

    async fn commit(&self, partition: &Partition, writes: Vec<Write>) -> Result<Vec<Version>, StoreError> {
        check_writes(&writes)?;
        self.with_state(|state, now| {
            let slot = |id: &str| (partition.clone(), id.to_owned());
            if !writes.iter().all(|write| state.holds(&slot(write.id()), write.expect(), now)) {
                return Err(StoreError::Conflict);
            }
            let mut versions = Vec::new();
            for write in writes {
                match write {
                    Write::Put { id, value, expires_at, .. } => {
                        let version = state.next_version();
                        versions.push(version.clone());
                        state.records.insert(slot(&id), Record { id, value, version, expires_at });
                    }
                    Write::Delete { id, .. } => drop(state.records.remove(&slot(&id))),
                    Write::Add { id, by } => {
                        let before = state.live(&slot(&id), now).and_then(|record| record.value.parse().ok());
                        let value = before.unwrap_or(0_i64).saturating_add(by.into()).to_string();
                        let version = state.next_version();
                        state.records.insert(slot(&id), Record { id, value, version, expires_at: None });
                    }
                    Write::Check { .. } => {}
                }
            }
            Ok(versions)
        })
    }

    async fn list(
        &self,
        partition: &Partition,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let from = match after {
            Some(after) if after >= prefix => Bound::Excluded((partition.clone(), after.to_owned())),
            _ => Bound::Included((partition.clone(), prefix.to_owned())),
        };
        Ok(self.with_state(|state, now| {
            let mut found = state
                .records
                .range((from, Bound::Unbounded))
                .take_while(|((found_in, id), _)| found_in == partition && id.starts_with(prefix))
                .filter(|(_, record)| is_live(record, now))
                .map(|(_, record)| record.clone());
            let records: Vec<Record> = found.by_ref().take(limit).collect();
            let next = found.next().and_then(|_| records.last().map(|record| record.id.clone()));
            Page { records, next }
        }))
    }
}
