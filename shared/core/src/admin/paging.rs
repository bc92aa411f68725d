//! Lists, a page at a time, in the byte order of names; and the index of what lies in partitions of its own.
//!
//! An entry of the index is written before its object and removed after it. Whoever removes an object reads the entry
//! first and removes it as it was read: somebody who makes the object anew in between has written the entry again, and
//! it stays. What a crash leaves is an entry without an object, which a list passes over.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::try_join_all;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Broker;
use crate::error::{AdminError, Error};
use crate::store::record::{self, RecordKey, Stored};
use crate::store::{Expect, Partition, Record, StoreError};

/// Which part of a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paging {
    limit: usize,
    after: Option<String>,
}

/// Part of a list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PageOf{T}")]
pub struct Page<T> {
    /// At most as many as asked for, even none, while there is a next page.
    pub items: Vec<T>,
    /// Pass as `cursor` to go on; null at the end.
    pub next: Option<String>,
}

impl Paging {
    /// Reads the parameters: `limit`, 1 to 100 and 50 when left out, and `cursor`, from the page before.
    pub fn new(limit: Option<&str>, cursor: Option<&str>) -> Result<Self, AdminError> {
        let invalid = |field, problem| AdminError::Invalid { field, problem };
        let limit = limit.map_or(Some(50), |limit| limit.parse().ok().filter(|limit| (1..=100).contains(limit)));
        let limit = limit.ok_or(invalid("limit", "must be a number from 1 to 100"))?;
        let read = |cursor| String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok();
        let after = match cursor {
            None => None,
            Some(cursor) => {
                let after = read(cursor).filter(|after| (1..=512).contains(&after.len()));
                Some(after.ok_or(invalid("cursor", "must be the next of the page before"))?)
            }
        };
        Ok(Self { limit, after })
    }

    /// The most items of a page.
    pub(super) const fn limit(&self) -> usize {
        self.limit
    }

    /// What a cursor of [`cursor`] says.
    pub(super) fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// The records of this page, without their prefix, and the cursor of the next.
    async fn read(&self, broker: &Broker, partition: &Partition, prefix: &str) -> Result<Page<Record>, Error> {
        let after = self.after.as_ref().map(|after| format!("{prefix}{after}"));
        let page = broker.platform.store.list(partition, prefix, after.as_deref(), self.limit).await?;
        let name = |id: String| id.strip_prefix(prefix).map(str::to_owned).unwrap_or_default();
        let next = page.next.map(|id| cursor(&name(id)));
        let items = page.records.into_iter().map(|record| Record { id: name(record.id), ..record }).collect();
        Ok(Page { items, next })
    }
}

/// A cursor that says where a list of its own kind goes on.
pub(super) fn cursor(after: &str) -> String {
    URL_SAFE_NO_PAD.encode(after)
}

/// A page of records that share a partition.
pub(super) async fn list<T: Serialize + DeserializeOwned, V>(
    broker: &Broker,
    partition: Partition,
    prefix: &str,
    paging: &Paging,
    view: impl Fn(&str, T) -> V,
) -> Result<Page<V>, Error> {
    let Page { items, next } = paging.read(broker, &partition, prefix).await?;
    let show = |record: Record| Ok(view(&record.id, record::parse(&record)?.value));
    Ok(Page { items: items.into_iter().map(show).collect::<Result<_, Error>>()?, next })
}

/// A page of names in an index. `find` looks an object up; one that is not there is left out.
pub(super) async fn list_indexed<V, F: Future<Output = Result<Option<V>, Error>>>(
    broker: &Broker,
    partition: Partition,
    prefix: &str,
    paging: &Paging,
    find: impl Fn(String) -> F,
) -> Result<Page<V>, Error> {
    let Page { items, next } = paging.read(broker, &partition, prefix).await?;
    let found = try_join_all(items.into_iter().map(|entry| find(entry.id))).await?;
    Ok(Page { items: found.into_iter().flatten().collect(), next })
}

/// Enters what is about to be made.
pub(super) async fn enter(broker: &Broker, entry: &RecordKey<()>) -> Result<(), Error> {
    let write = entry.put(&(), Expect::Any)?;
    broker.platform.store.commit(entry.partition(), vec![write]).await?;
    Ok(())
}

/// Removes the entry of what is gone, if nobody wrote it since it was `seen`.
pub(super) async fn leave(broker: &Broker, entry: &RecordKey<()>, seen: Option<Stored<()>>) -> Result<(), Error> {
    let Some(seen) = seen else { return Ok(()) };
    let delete = entry.delete(Expect::Version(seen.version));
    match broker.platform.store.commit(entry.partition(), vec![delete]).await {
        Ok(_) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_page_is_refused() {
        assert_eq!(Paging::new(None, None), Ok(Paging { limit: 50, after: None }));
        let cursor = URL_SAFE_NO_PAD.encode("acme");
        assert_eq!(Paging::new(Some("1"), Some(&cursor)), Ok(Paging { limit: 1, after: Some("acme".to_owned()) }));
        for wrong in ["0", "101", "-1", "ten", "1.5", ""] {
            assert!(Paging::new(Some(wrong), None).is_err(), "{wrong}");
        }
        for wrong in ["", "*", "a", "_w", &URL_SAFE_NO_PAD.encode("x".repeat(513))] {
            assert!(Paging::new(None, Some(wrong)).is_err(), "{wrong}");
        }
    }
}
