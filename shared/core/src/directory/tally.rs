//! How many people and groups there are: counted in the commits that create and remove them, so that a list of a
//! hundred thousand need not be read to be counted. Spread over the first character of ids, so that those who create at
//! once rarely wait for each other; and in the order of ids, so that the tenth page is found without reading nine.

use crate::Broker;
use crate::error::Error;
use crate::store::{Expect, Write, key, record};

/// One more or one fewer; part of the commit that makes it so.
pub(super) async fn add(broker: &Broker, tenant: &str, kind: &str, id: &str, change: i32) -> Result<Write, Error> {
    let record = key::tally(tenant, kind, id);
    let found = record.get(&*broker.platform.store).await?;
    let (count, expect) = found.map_or((0, Expect::Absent), |found| (found.value, Expect::Version(found.version)));
    Ok(record.put(&count.saturating_add_signed(change), expect)?)
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
