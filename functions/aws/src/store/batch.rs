//! Many items in one call. DynamoDB may leave some for another: because the answer would be too long, or to slow us down.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use vestibule_core::store::{Partition, Record, StoreError};

use super::failure::{self, Failure};
use super::item::{self, ID, PARTITION};
use super::{DynamoStore, retry};

/// The items that are there, by id. Asks again for what is left while each answer brings something, and where one brings
/// nothing, waits as between transactions that stand in each other's way.
pub(super) async fn read(
    store: &DynamoStore,
    partition: &Partition,
    ids: &[String],
) -> Result<HashMap<String, Record>, StoreError> {
    let key = |id: &String| {
        HashMap::from([(PARTITION.to_owned(), item::text(partition.as_str())), (ID.to_owned(), item::text(id))])
    };
    let mut found = HashMap::with_capacity(ids.len());
    let mut left: Vec<_> = ids.iter().map(key).collect();
    while !left.is_empty() {
        let (items, rest) = retry::while_contended(store.random.as_ref(), || some(store, left.clone())).await?;
        for item in items {
            let record = item::record(item)?;
            found.insert(record.id.clone(), record);
        }
        left = rest;
    }
    Ok(found)
}

type Item = HashMap<String, AttributeValue>;

/// The items of one answer, and the keys that it left out. An answer without any item, that leaves all out, is none.
async fn some(store: &DynamoStore, keys: Vec<Item>) -> Result<(Vec<Item>, Vec<Item>), Failure> {
    let asked = keys.len();
    let unreadable = |error| Failure::Store(StoreError::Unavailable(format!("a request could not be built: {error}")));
    let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build().map_err(unreadable)?;
    let sent = store.client.batch_get_item().request_items(&store.table, keys).send().await;
    let reply = sent.map_err(|error| Failure::Store(failure::of_read(&error)))?;
    let items = reply.responses.and_then(|mut tables| tables.remove(&store.table)).unwrap_or_default();
    let left = reply.unprocessed_keys.and_then(|mut tables| tables.remove(&store.table));
    let left = left.map(|left| left.keys).unwrap_or_default();
    if items.is_empty() && left.len() == asked { Err(Failure::Contended) } else { Ok((items, left)) }
}
