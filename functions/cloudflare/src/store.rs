//! The store: one Durable Object for a partition, reached by a remote call with one message each way.

use std::borrow::Cow;

use async_trait::async_trait;
use js_sys::JsString;
use send_wrapper::SendWrapper;
use vestibule_core::store::{
    Followed, Key, Page, Partition, Record, Store, StoreError, Version, Write, check_id, check_reads, check_writes,
};
use wasm_bindgen::{JsCast, JsValue};

use crate::host;
use crate::message::{Answer, Change, OneWrite, Read};
use crate::read_copy::ReadCopy;

/// From how many letters on an answer is taken over as bytes.
const LONG: u32 = 8 * 1024;

/// Keeps every partition in an object of its own.
pub(crate) struct ObjectStore {
    /// The binding `PARTITION`.
    namespace: SendWrapper<JsValue>,
    copies: ReadCopy,
}

impl ObjectStore {
    pub(crate) fn new(namespace: JsValue, copies: ReadCopy) -> Self {
        Self { namespace: SendWrapper::new(namespace), copies }
    }

    async fn read(&self, partition: &Partition, question: Read<'_>) -> Result<Answer, StoreError> {
        let message = text(&question)?;
        let reply = host::read_partition(&self.namespace, partition.as_str(), &message);
        // A question can be asked again, whatever became of the first.
        let reply = SendWrapper::new(reply).await.map_err(|error| {
            if host::flag(&error, "retryable") { StoreError::Busy(host::message(&error)) } else { failure(&error) }
        })?;
        parse(&reply)
    }

    async fn change(&self, partition: &Partition, change: Change<'_>) -> Result<Answer, StoreError> {
        let message = text(&change)?;
        let reply = host::write_partition(&self.namespace, partition.as_str(), &message);
        parse(&SendWrapper::new(reply).await.map_err(|error| failure(&error))?)
    }
}

fn text(message: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(message).map_err(|_| StoreError::Invalid("a message cannot be written as JSON"))
}

fn parse(reply: &JsValue) -> Result<Answer, StoreError> {
    let is_long = |text: &&JsString| text.length() > LONG;
    let text = match reply.dyn_ref::<JsString>().filter(is_long) {
        Some(text) => String::from_utf8(host::bytes(text)).ok(),
        None => reply.as_string(),
    };
    let unreadable = || StoreError::Unavailable("a partition's answer cannot be read".to_owned());
    text.and_then(|text| Answer::parse(&text)).ok_or_else(unreadable)
}

/// An overloaded object has refused the call; after any other failure it is not known whether it happened.
fn failure(error: &JsValue) -> StoreError {
    if host::flag(error, "overloaded") {
        StoreError::Busy(host::message(error))
    } else {
        StoreError::Unavailable(host::message(error))
    }
}

fn unexpected<T>() -> Result<T, StoreError> {
    Err(StoreError::Unavailable("a partition gave an answer to another question".to_owned()))
}

#[async_trait]
impl Store for ObjectStore {
    async fn get(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        check_id(key.partition.as_str())?;
        check_id(&key.id)?;
        match self.read(&key.partition, Read::Get { id: Cow::Borrowed(&key.id) }).await? {
            Answer::Record(record) => Ok(record.map(|record| record.0)),
            Answer::Records(_) | Answer::Page { .. } | Answer::Done(_) | Answer::Conflict => unexpected(),
        }
    }

    async fn get_copy(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        if let Some(record) = self.copies.get(key).await {
            return Ok(Some(record));
        }
        let asked_at = crate::platform::now();
        let record = self.get(key).await?;
        if let Some(record) = &record {
            self.copies.put(key, record, asked_at);
        }
        Ok(record)
    }

    async fn get_many(&self, partition: &Partition, ids: &[String]) -> Result<Vec<Option<Record>>, StoreError> {
        check_id(partition.as_str())?;
        check_reads(ids)?;
        match self.read(partition, Read::Many { ids: Cow::Borrowed(ids) }).await? {
            Answer::Records(records) => Ok(records.into_iter().map(|record| record.map(|record| record.0)).collect()),
            Answer::Record(_) | Answer::Page { .. } | Answer::Done(_) | Answer::Conflict => unexpected(),
        }
    }

    async fn follow(&self, key: &Key, member: &str, prefix: &str) -> Result<Option<Followed>, StoreError> {
        check_id(key.partition.as_str())?;
        check_id(&key.id)?;
        let (id, member, prefix) = (Cow::Borrowed(&*key.id), Cow::Borrowed(member), Cow::Borrowed(prefix));
        match self.read(&key.partition, Read::Follow { id, member, prefix }).await? {
            Answer::Records(records) => {
                let mut records = records.into_iter().map(|record| record.map(|record| record.0));
                Ok(records.next().flatten().map(|index| (index, records.next().flatten())))
            }
            Answer::Record(_) | Answer::Page { .. } | Answer::Done(_) | Answer::Conflict => unexpected(),
        }
    }

    async fn take(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        check_id(key.partition.as_str())?;
        check_id(&key.id)?;
        let answer = self.change(&key.partition, Change::Take { id: Cow::Borrowed(&key.id) }).await?;
        self.copies.forget(&key.partition, std::iter::once(key.id.as_str())).await;
        match answer {
            Answer::Record(record) => Ok(record.map(|record| record.0)),
            Answer::Records(_) | Answer::Page { .. } | Answer::Done(_) | Answer::Conflict => unexpected(),
        }
    }

    async fn commit(&self, partition: &Partition, writes: Vec<Write>) -> Result<Vec<Version>, StoreError> {
        check_id(partition.as_str())?;
        check_writes(&writes)?;
        let touched: Vec<String> = writes.iter().map(|write| write.id().to_owned()).collect();
        let answer = self.change(partition, Change::Commit(writes.into_iter().map(OneWrite).collect())).await?;
        match answer {
            Answer::Done(versions) => {
                self.copies.forget(partition, touched.iter().map(String::as_str)).await;
                Ok(versions)
            }
            Answer::Conflict => Err(StoreError::Conflict),
            Answer::Record(_) | Answer::Records(_) | Answer::Page { .. } => unexpected(),
        }
    }

    async fn list(
        &self,
        partition: &Partition,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        check_id(partition.as_str())?;
        let question = Read::List { prefix: Cow::Borrowed(prefix), after: after.map(Cow::Borrowed), limit };
        match self.read(partition, question).await? {
            Answer::Page { records, next } => {
                Ok(Page { records: records.into_iter().map(|record| record.0).collect(), next })
            }
            Answer::Record(_) | Answer::Records(_) | Answer::Done(_) | Answer::Conflict => unexpected(),
        }
    }
}
