//! Through the directory in the order of ids, a page at a time.

use super::Asked;
use super::found::{self, Found};
use crate::Broker;
use crate::directory::tally;
use crate::error::Error;
use crate::store::{Page, Record, key};

/// Records that are read at once where all are looked at.
const STEP: usize = 500;

/// A walk in progress.
pub(super) struct Walk<'w> {
    broker: &'w Broker,
    asked: &'w Asked<'w>,
    /// Where it goes on; `None` at the end.
    after: Option<String>,
    begun: bool,
}

impl<'w> Walk<'w> {
    /// A walk over those whose records come after this one, or over all.
    pub(super) fn after(broker: &'w Broker, asked: &'w Asked<'w>, after: Option<String>) -> Self {
        Self { broker, asked, after, begun: false }
    }

    /// The next records, at most `limit`, perhaps none; `None` at the end.
    async fn records(&mut self, limit: usize) -> Result<Option<Vec<Record>>, Error> {
        if self.begun && self.after.is_none() {
            return Ok(None);
        }
        self.begun = true;
        let prefix = found::prefix(self.asked.resource_type.kind());
        let directory = key::directory(self.asked.tenant);
        let page = self.broker.platform.store.list(&directory, prefix, self.after.as_deref(), limit).await?;
        let Page { records, next } = page;
        self.after = next;
        Ok(Some(records))
    }

    /// The next who are there, at most `limit`, perhaps none; `None` at the end.
    pub(super) async fn next(&mut self, limit: usize) -> Result<Option<Vec<Found>>, Error> {
        match self.records(limit).await? {
            Some(records) => found::read(self.broker, self.asked, &records).await.map(Some),
            None => Ok(None),
        }
    }

    /// The next who fulfil the filter, perhaps none; `None` at the end.
    pub(super) async fn fulfilling(&mut self) -> Result<Option<Vec<Found>>, Error> {
        match self.next(STEP).await? {
            Some(found) => found::fulfilling(self.broker, self.asked, found).await.map(Some),
            None => Ok(None),
        }
    }
}

/// The page of everybody that begins after `skip`, and how many there are. Nobody before it is read but a few who share
/// the first character of their ids.
pub(super) async fn everybody(
    broker: &Broker,
    asked: &Asked<'_>,
    mut skip: usize,
) -> Result<(usize, Vec<Record>), Error> {
    let prefix = found::prefix(asked.resource_type.kind());
    let mut total = 0;
    let mut begins = None;
    for (first, count) in tally::counts(broker, asked.tenant, prefix).await? {
        total += count;
        if begins.is_none() {
            if skip < count {
                // Every id that begins with the character is longer, and so comes after it.
                begins = Some(format!("{prefix}{first}"));
            } else {
                skip -= count;
            }
        }
    }
    let mut page = Vec::new();
    if asked.count > 0 && begins.is_some() {
        let mut walk = Walk::after(broker, asked, begins);
        while page.len() < asked.count {
            let Some(records) = walk.records((skip + asked.count - page.len()).min(1_000)).await? else { break };
            let passed = skip.min(records.len());
            skip -= passed;
            page.extend(records.into_iter().skip(passed));
        }
        page.truncate(asked.count);
    }
    Ok((total, page))
}

/// The page of those who fulfil the filter, and how many do. Everybody is read, and no more than the page is kept.
pub(super) async fn filtered(broker: &Broker, asked: &Asked<'_>, skip: usize) -> Result<(usize, Vec<Found>), Error> {
    let mut walk = Walk::after(broker, asked, None);
    let (mut total, mut page) = (0, Vec::new());
    while let Some(found) = walk.fulfilling().await? {
        for one in found {
            if total >= skip && page.len() < asked.count {
                page.push(one);
            }
            total += 1;
        }
    }
    Ok((total, page))
}
