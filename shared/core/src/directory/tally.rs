//! How many people and groups there are: counted in the commits that create and remove them, so that a list of a
//! hundred thousand need not be read to be counted. Spread over the first character of ids, so that those who create at
//! once rarely wait for each other; and in the order of ids, so that the tenth page is found without reading nine.

use std::collections::BTreeMap;

use crate::Broker;
use crate::error::Error;
use crate::store::record::{self, RecordKey, Stored};
use crate::store::{Expect, StoreError, Write, key};

/// One more or one fewer; part of the commit that makes it so.
pub(super) async fn add(broker: &Broker, tenant: &str, kind: &str, id: &str, change: i32) -> Result<Write, Error> {
    let record = key::tally(tenant, kind, id);
    let found = record.get(&*broker.platform.store).await?;
    Ok(counted(&record, found, |count| count.saturating_add_signed(change))?)
}

/// Some few more, which one commit makes.
pub(super) async fn add_all(broker: &Broker, tenant: &str, kind: &str, ids: &[&str]) -> Result<Vec<Write>, Error> {
    let mut more: BTreeMap<String, (RecordKey<u32>, u32)> = BTreeMap::new();
    for id in ids {
        let record = key::tally(tenant, kind, id);
        more.entry(record.id().to_owned()).or_insert((record, 0)).1 += 1;
    }
    let records: Vec<String> = more.keys().cloned().collect();
    if records.is_empty() {
        return Ok(Vec::new());
    }
    let found = broker.platform.store.get_many(&key::directory(tenant), &records).await?;
    let mut writes = Vec::with_capacity(records.len());
    for ((record, more), found) in more.into_values().zip(found) {
        writes.push(counted(&record, found.as_ref().map(record::parse).transpose()?, |count| {
            count.saturating_add(more)
        })?);
    }
    Ok(writes)
}

/// A tally with another count, if nobody else counts meanwhile.
fn counted(
    record: &RecordKey<u32>,
    found: Option<Stored<u32>>,
    change: impl FnOnce(u32) -> u32,
) -> Result<Write, StoreError> {
    let (count, expect) = found.map_or((0, Expect::Absent), |found| (found.value, Expect::Version(found.version)));
    record.put(&change(count), expect)
}

/// How many there are, by the first character of their ids, in the order of ids.
pub(crate) async fn counts(broker: &Broker, tenant: &str, kind: &str) -> Result<Vec<(String, u32)>, Error> {
    let prefix = key::tallies(kind);
    let mut counts = Vec::new();
    let mut after = None;
    loop {
        let page = broker.platform.store.list(&key::directory(tenant), &prefix, after.as_deref(), 100).await?;
        for found in &page.records {
            let first = found.id.strip_prefix(&prefix).unwrap_or_default().to_owned();
            counts.push((first, record::parse::<u32>(found)?.value));
        }
        after = page.next;
        if after.is_none() {
            return Ok(counts);
        }
    }
}
