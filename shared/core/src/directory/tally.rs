//! How many people and groups there are: counted in the commits that create and remove them, so that a list of a
//! hundred thousand need not be read to be counted. Spread over the first character of ids, so that those who create at
//! once rarely wait for each other; and in the order of ids, so that the tenth page is found without reading nine.

use std::collections::BTreeMap;

use crate::Broker;
use crate::error::Error;
use crate::store::record::{self, RecordKey};
use crate::store::{Write, key};

/// One more or one fewer; part of the commit that makes it so. Nothing is read, and nobody waits for somebody else.
pub(super) fn add(tenant: &str, kind: &str, id: &str, change: i32) -> Write {
    key::tally(tenant, kind, id).add(change)
}

/// Some few more, which one commit makes.
pub(super) fn add_all(tenant: &str, kind: &str, ids: &[&str]) -> Vec<Write> {
    let mut more: BTreeMap<String, (RecordKey<i64>, i32)> = BTreeMap::new();
    for id in ids {
        let record = key::tally(tenant, kind, id);
        more.entry(record.id().to_owned()).or_insert((record, 0)).1 += 1;
    }
    more.into_values().map(|(record, more)| record.add(more)).collect()
}

/// How many there are, by the first character of their ids, in the order of ids.
pub(crate) async fn counts(broker: &Broker, tenant: &str, kind: &str) -> Result<Vec<(String, usize)>, Error> {
    let prefix = key::tallies(kind);
    let mut counts = Vec::new();
    let mut after = None;
    loop {
        let page = broker.platform.store.list(&key::directory(tenant), &prefix, after.as_deref(), 100).await?;
        for found in &page.records {
            let first = found.id.strip_prefix(&prefix).unwrap_or_default().to_owned();
            counts.push((first, usize::try_from(record::parse::<i64>(found)?.value).unwrap_or(0)));
        }
        after = page.next;
        if after.is_none() {
            return Ok(counts);
        }
    }
}
