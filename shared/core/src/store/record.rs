//! Records with their types: a key knows what lies under it, so no flow handles JSON.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;
use vestibule_protocol::time::Timestamp;

use super::{Expect, Key, Partition, Record, Store, StoreError, Version, Write};

/// Where a `T` lies.
#[derive(Debug)]
pub struct RecordKey<T> {
    key: Key,
    value: PhantomData<fn() -> T>,
}

/// A `T` as stored, with what is needed to change it.
#[derive(Debug, Clone)]
pub struct Stored<T> {
    /// The value.
    pub value: T,
    /// Its state.
    pub version: Version,
}

impl RecordKey<i64> {
    /// So many more. See [`Write::Add`].
    pub fn add(&self, by: i32) -> Write {
        Write::Add { id: self.key.id.clone(), by }
    }
}

impl<T: Serialize + DeserializeOwned> RecordKey<T> {
    /// A key; only `store::key` makes them.
    pub(in crate::store) fn new(partition: Partition, id: impl Into<String>) -> Self {
        Self { key: Key { partition, id: id.into() }, value: PhantomData }
    }

    /// The partition.
    pub const fn partition(&self) -> &Partition {
        &self.key.partition
    }

    /// The record's name in the partition.
    pub fn id(&self) -> &str {
        &self.key.id
    }

    /// Where it lies.
    pub const fn key(&self) -> &Key {
        &self.key
    }

    /// The record as it is now.
    pub async fn get(&self, store: &dyn Store) -> Result<Option<Stored<T>>, StoreError> {
        store.get(&self.key).await?.map(|record| parse(&record)).transpose()
    }

    /// The record as it was at most 60 s ago. See [`Store::get_copy`].
    pub async fn get_copy(&self, store: &dyn Store) -> Result<Option<Stored<T>>, StoreError> {
        store.get_copy(&self.key).await?.map(|record| parse(&record)).transpose()
    }

    /// The record as it is now, and the one that its `member` names, whose id begins with `prefix`. See [`Store::follow`].
    pub async fn follow<U: DeserializeOwned>(
        &self,
        store: &dyn Store,
        member: &str,
        prefix: &str,
    ) -> Result<Option<(Stored<T>, Option<Stored<U>>)>, StoreError> {
        let Some((index, named)) = store.follow(&self.key, member, prefix).await? else { return Ok(None) };
        Ok(Some((parse(&index)?, named.as_ref().map(parse).transpose()?)))
    }

    /// Removes the record and returns it; of two callers, exactly one gets it.
    pub async fn take(&self, store: &dyn Store) -> Result<Option<T>, StoreError> {
        store.take(&self.key).await?.map(|record| parse(&record).map(|stored| stored.value)).transpose()
    }

    /// A write of `value`, whole, that stays until deleted.
    pub fn put(&self, value: &T, expect: Expect) -> Result<Write, StoreError> {
        self.put_for(value, None, expect)
    }

    /// A write of `value`, whole, that ends by itself at `expires_at`.
    pub fn put_until(&self, value: &T, expires_at: Timestamp, expect: Expect) -> Result<Write, StoreError> {
        self.put_for(value, Some(expires_at), expect)
    }

    /// A write of `value`, whole, that ends by itself if there is an end.
    pub fn put_for(&self, value: &T, expires_at: Option<Timestamp>, expect: Expect) -> Result<Write, StoreError> {
        written(&self.key.id, serde_json::to_string(value), expires_at, expect)
    }

    /// A removal.
    pub fn delete(&self, expect: Expect) -> Write {
        Write::Delete { id: self.key.id.clone(), expect }
    }

    /// A condition.
    pub fn check(&self, expect: Expect) -> Write {
        Write::Check { id: self.key.id.clone(), expect }
    }
}

fn written(
    id: &str,
    value: serde_json::Result<String>,
    expires_at: Option<Timestamp>,
    expect: Expect,
) -> Result<Write, StoreError> {
    let value = value.map_err(|_| StoreError::Invalid("a value must be JSON"))?;
    Ok(Write::Put { id: id.to_owned(), value, expires_at, expect })
}

/// Reads a record's value. What we wrote and cannot read is a fault of ours.
pub fn parse<T: DeserializeOwned>(record: &Record) -> Result<Stored<T>, StoreError> {
    let value = serde_json::from_slice(record.value.as_bytes()).map_err(|error| unreadable(record, &error))?;
    Ok(Stored { value, version: record.version.clone() })
}

#[cold]
fn unreadable(record: &Record, error: &serde_json::Error) -> StoreError {
    StoreError::Unavailable(format!("record {} is not readable: {error}", record.id))
}
