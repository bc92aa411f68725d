//! Records as items of the table, and writes as parts of a transaction.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem, Update};
use vestibule_core::store::{Partition, Record, StoreError, Version, Write};
use vestibule_protocol::time::Timestamp;

use super::{DynamoStore, condition};

/// The partition key.
pub(super) const PARTITION: &str = "pk";
/// The sort key.
pub(super) const ID: &str = "sk";
/// The end, in seconds. The table's Time to Live looks at it.
pub(super) const TTL: &str = "ttl";
const VALUE: &str = "value";
const VERSION: &str = "version";
/// What adds to a number. What an item without one begins with, DynamoDB does not assume.
const ADD: &str = "SET #value = if_not_exists(#value, :zero) + :by, version = :version";

pub(super) fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

pub(super) fn seconds(at: Timestamp) -> AttributeValue {
    AttributeValue::N(at.seconds().to_string())
}

pub(super) fn is_live(record: &Record, now: Timestamp) -> bool {
    record.expires_at.is_none_or(|end| !end.has_passed(now))
}

/// Reads an item. One that we did not write is an error, not an absence.
pub(super) fn record(mut item: HashMap<String, AttributeValue>) -> Result<Record, StoreError> {
    let mut take = |name: &str| match item.remove(name) {
        // A number is its own JSON text.
        Some(AttributeValue::S(text) | AttributeValue::N(text)) => Ok(text),
        _ => Err(StoreError::Unavailable(format!("an item has no text {name}"))),
    };
    let (id, value, version) = (take(ID)?, take(VALUE)?, Version::new(take(VERSION)?));
    let expires_at = match item.remove(TTL) {
        None => None,
        Some(AttributeValue::N(number)) => Some(number.parse().map(Timestamp::from_seconds).map_err(|_| no_end())?),
        Some(_) => return Err(no_end()),
    };
    Ok(Record { id, value, version, expires_at })
}

fn no_end() -> StoreError {
    StoreError::Unavailable("an item's ttl is no whole number".to_owned())
}

/// The parts of a transaction, and the versions of what is put. A check that expects nothing has no part in it.
pub(super) fn transaction(
    store: &DynamoStore,
    partition: &Partition,
    writes: &[Write],
) -> Result<(Vec<TransactWriteItem>, Vec<Version>), StoreError> {
    let now = store.clock.now();
    let (mut parts, mut versions) = (Vec::with_capacity(writes.len()), Vec::new());
    for write in writes {
        let version = Version::new(store.unique());
        let part = part(store, partition, write, (&version, now))
            .map_err(|error| StoreError::Unavailable(format!("a request could not be built: {error}")))?;
        parts.extend(part);
        if matches!(write, Write::Put { .. }) {
            versions.push(version);
        }
    }
    Ok((parts, versions))
}

fn part(
    store: &DynamoStore,
    partition: &Partition,
    write: &Write,
    (version, now): (&Version, Timestamp),
) -> Result<Option<TransactWriteItem>, BuildError> {
    let part = TransactWriteItem::builder();
    let key = |id: &str| HashMap::from([(PARTITION.to_owned(), text(partition.as_str())), (ID.to_owned(), text(id))]);
    let version = text(version.as_str());
    let part = match write {
        Write::Put { id, value, expires_at, expect } => {
            let mut item = key(id);
            item.insert(VALUE.to_owned(), text(value));
            item.insert(VERSION.to_owned(), version);
            if let Some(end) = expires_at {
                item.insert(TTL.to_owned(), seconds(*end));
            }
            let mut put = Put::builder().table_name(&store.table).set_item(Some(item));
            if let Some(condition) = condition::of(expect, now) {
                put = put
                    .condition_expression(condition.expression)
                    .set_expression_attribute_names(Some(condition.names))
                    .set_expression_attribute_values(Some(condition.values));
            }
            part.put(put.build()?)
        }
        Write::Delete { id, expect } => {
            let mut delete = Delete::builder().table_name(&store.table).set_key(Some(key(id)));
            if let Some(condition) = condition::of(expect, now) {
                delete = delete
                    .condition_expression(condition.expression)
                    .set_expression_attribute_names(Some(condition.names))
                    .set_expression_attribute_values(Some(condition.values));
            }
            part.delete(delete.build()?)
        }
        Write::Add { id, by } => {
            let number = |number: i32| AttributeValue::N(number.to_string());
            let values = [(":zero", number(0)), (":by", number(*by)), (":version", version)];
            let update = Update::builder()
                .table_name(&store.table)
                .set_key(Some(key(id)))
                .update_expression(ADD)
                .expression_attribute_names("#value", VALUE)
                .set_expression_attribute_values(Some(values.map(|(name, value)| (name.to_owned(), value)).into()));
            part.update(update.build()?)
        }
        Write::Check { id, expect } => {
            let Some(condition) = condition::of(expect, now) else { return Ok(None) };
            let check = ConditionCheck::builder()
                .table_name(&store.table)
                .set_key(Some(key(id)))
                .condition_expression(condition.expression)
                .set_expression_attribute_names(Some(condition.names))
                .set_expression_attribute_values(Some(condition.values));
            part.condition_check(check.build()?)
        }
    };
    Ok(Some(part.build()))
}
