//! The store over one DynamoDB table.
//!
//! | Attribute | Type | Holds |
//! |---|---|---|
//! | `pk` | S, partition key | the partition's name |
//! | `sk` | S, sort key | the record's id |
//! | `value` | S | its JSON text; N for a number that is added to |
//! | `version` | S | 128 random bits in hex, new with each write, so none ever comes back |
//! | `ttl` | N, absent when the record stays | when it ends, in seconds since 1970; the table deletes it some time later |
//!
//! Strings sort by their UTF-8 bytes in DynamoDB, as the contract asks.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use vestibule_core::platform::{Clock, Random};
use vestibule_core::store::{
    Key, Page, Partition, Record, Store, StoreError, Version, Write, check_id, check_reads, check_writes,
};

mod batch;
mod client;
mod condition;
mod failure;
mod item;
mod retry;
mod table;

pub use client::client;
pub(crate) use client::{retries, timeouts};
pub use table::{TableError, create_table};

use failure::Failure;
use item::{ID, PARTITION, TTL};

/// Records in a DynamoDB table.
pub struct DynamoStore {
    client: Client,
    table: String,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl DynamoStore {
    /// The store in `table`, which has to exist. Records expire by `clock`; versions come from `random`.
    pub fn new(client: Client, table: String, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self { client, table, clock, random }
    }

    /// 128 random bits in hex.
    fn unique(&self) -> String {
        let mut bytes = [0; 16];
        self.random.fill(&mut bytes);
        format!("{:032x}", u128::from_be_bytes(bytes))
    }
}

#[async_trait]
impl Store for DynamoStore {
    async fn get(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        check_id(&key.id)?;
        let sent = self
            .client
            .get_item()
            .table_name(&self.table)
            .key(PARTITION, item::text(key.partition.as_str()))
            .key(ID, item::text(&key.id))
            .consistent_read(true)
            .send()
            .await;
        let record = sent.map_err(|error| failure::of_read(&error))?.item.map(item::record).transpose()?;
        Ok(record.filter(|record| item::is_live(record, self.clock.now())))
    }

    async fn get_many(&self, partition: &Partition, ids: &[String]) -> Result<Vec<Option<Record>>, StoreError> {
        check_reads(ids)?;
        check_id(partition.as_str())?;
        let mut found = batch::read(self, partition, ids).await?;
        let now = self.clock.now();
        Ok(ids.iter().map(|id| found.remove(id).filter(|record| item::is_live(record, now))).collect())
    }

    // One unconditional delete that returns what it removed: of two, DynamoDB gives the record to one. An expired
    // record is removed too, and not returned.
    //
    // The SDK sends it again when the answer was lost. If the first had arrived, the second finds nothing: then the
    // record is gone and nobody got it, which for something that may be used once is the safe side.
    async fn take(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        check_id(&key.id)?;
        let sent = retry::while_contended(self.random.as_ref(), || async {
            let request = self
                .client
                .delete_item()
                .table_name(&self.table)
                .key(PARTITION, item::text(key.partition.as_str()))
                .key(ID, item::text(&key.id))
                .return_values(ReturnValue::AllOld);
            request.send().await.map_err(|error| failure::of_write(&error))
        });
        let record = sent.await?.attributes.map(item::record).transpose()?;
        Ok(record.filter(|record| item::is_live(record, self.clock.now())))
    }

    // Every commit is a transaction, even of one write, though that costs two write units in place of one. Only a
    // transaction carries a token by which DynamoDB knows a request that is sent again (for 10 minutes). A plain put
    // whose answer was lost could not be repeated: if it had arrived and someone had built on it since, the
    // repetition would undo their write, or report a conflict for what was written.
    async fn commit(&self, partition: &Partition, writes: Vec<Write>) -> Result<Vec<Version>, StoreError> {
        check_writes(&writes)?;
        check_id(partition.as_str())?;
        retry::while_contended(self.random.as_ref(), || async {
            // Made anew for each attempt: a transaction that was cancelled wrote nothing, so the next is another one.
            let (items, versions) = item::transaction(self, partition, &writes).map_err(Failure::Store)?;
            if items.is_empty() {
                return Ok(versions);
            }
            let request = self.client.transact_write_items().set_transact_items(Some(items));
            let sent = request.client_request_token(self.unique()).send().await;
            sent.map(|_| versions).map_err(|error| failure::of_transaction(&error))
        })
        .await
    }

    async fn list(
        &self,
        partition: &Partition,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        // DynamoDB refuses to start outside the range: before it is the same as at its start, past it is its end.
        let after = after.filter(|after| *after >= prefix);
        if after.is_some_and(|after| !after.starts_with(prefix)) {
            return Ok(Page::default());
        }
        let mut query = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .limit(i32::try_from(limit.clamp(1, 1_000)).unwrap_or(1_000))
            .expression_attribute_values(":partition", item::text(partition.as_str()))
            .filter_expression(condition::LIVE)
            .expression_attribute_names("#ttl", TTL)
            .expression_attribute_values(":now", item::seconds(self.clock.now()));
        // An empty text is no valid operand for a key.
        query = if prefix.is_empty() {
            query.key_condition_expression("pk = :partition")
        } else {
            query
                .key_condition_expression("pk = :partition AND begins_with(sk, :prefix)")
                .expression_attribute_values(":prefix", item::text(prefix))
        };
        if let Some(after) = after.filter(|after| !after.is_empty()) {
            query = query
                .exclusive_start_key(PARTITION, item::text(partition.as_str()))
                .exclusive_start_key(ID, item::text(after));
        }
        let found = query.send().await.map_err(|error| failure::of_read(&error))?;
        let records = found.items.unwrap_or_default().into_iter().map(item::record).collect::<Result<_, _>>()?;
        let next = found.last_evaluated_key.and_then(|mut key| match key.remove(ID) {
            Some(AttributeValue::S(id)) => Some(id),
            _ => None,
        });
        Ok(Page { records, next })
    }
}
