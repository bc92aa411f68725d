//! Read copies for `Store::get_copy` in Workers KV, where the binding `READ_COPY` exists. Core keeps its own in memory.
//!
//! A copy carries the instant *before* its original was read and is used for 60 s from then, wherever it has been
//! since: KV's own delays add nothing. Nothing rests on a copy being there, or on KV answering.

use send_wrapper::SendWrapper;
use serde::{Deserialize, Serialize};
use vestibule_core::store::{Key, Partition, Record};
use vestibule_protocol::time::{Seconds, Timestamp};
use wasm_bindgen::prelude::*;

use crate::message::OneRecord;
use crate::platform;

/// How long a copy is used.
const LIFE: Seconds = Seconds(60);
/// Partitions whose records are copied to KV: configuration, which is read often and written seldom.
const IN_KV: [&str; 4] = ["client:", "tenant:", "domain:", "host:"];

#[wasm_bindgen(raw_module = "./host.js")]
extern "C" {
    #[wasm_bindgen(catch, js_name = readCopy)]
    async fn read_copy(namespace: &JsValue, name: &str) -> Result<JsValue, JsValue>;
    /// Goes on after the reply is sent.
    #[wasm_bindgen(js_name = writeCopy)]
    fn write_copy(namespace: &JsValue, name: &str, text: &str);
    #[wasm_bindgen(catch, js_name = deleteCopy)]
    async fn delete_copy(namespace: &JsValue, name: &str) -> Result<JsValue, JsValue>;
}

/// The copies; none are kept without the binding.
pub(crate) struct ReadCopy {
    kv: Option<SendWrapper<JsValue>>,
}

#[derive(Serialize, Deserialize)]
struct Copy {
    /// When the original was asked for.
    asked_at: Timestamp,
    record: OneRecord,
}

impl ReadCopy {
    pub(crate) fn new(kv: Option<JsValue>) -> Self {
        Self { kv: kv.map(SendWrapper::new) }
    }

    /// A copy that may still be used.
    pub(crate) async fn get(&self, key: &Key) -> Option<Record> {
        let kv = self.kv_for(&key.partition)?;
        let text = SendWrapper::new(read_copy(kv, &kv_name(&key.partition, &key.id)?)).await.ok()?.as_string()?;
        let copy: Copy = serde_json::from_slice(text.as_bytes()).ok()?;
        usable(copy, platform::now())
    }

    /// Keeps a copy. `asked_at` was taken before the original was read.
    pub(crate) fn put(&self, key: &Key, record: &Record, asked_at: Timestamp) {
        if let Some(kv) = self.kv_for(&key.partition)
            && let Some(name) = kv_name(&key.partition, &key.id)
            && let Ok(text) = serde_json::to_string(&Copy { asked_at, record: OneRecord(record.clone()) })
        {
            write_copy(kv, &name, &text);
        }
    }

    /// Removes the copies of records that were just written.
    pub(crate) async fn forget(&self, partition: &Partition, ids: impl Iterator<Item = &str> + Send) {
        let Some(kv) = self.kv_for(partition) else { return };
        for name in ids.filter_map(|id| kv_name(partition, id)) {
            // A failure leaves an old copy, which ends by itself.
            let _ = SendWrapper::new(delete_copy(kv, &name)).await;
        }
    }

    fn kv_for(&self, partition: &Partition) -> Option<&JsValue> {
        let copied = IN_KV.iter().any(|start| partition.as_str().starts_with(start));
        self.kv.as_deref().filter(|_| copied)
    }
}

fn usable(copy: Copy, now: Timestamp) -> Option<Record> {
    let record = copy.record.0;
    let fresh = !(copy.asked_at + LIFE).has_passed(now);
    let live = record.expires_at.is_none_or(|end| !end.has_passed(now));
    (fresh && live).then_some(record)
}

/// Name of a copy in KV, whose names have at most 512 bytes. No id or partition of ours is that long; one that is has
/// no copy. The line break keeps the two parts apart.
fn kv_name(partition: &Partition, id: &str) -> Option<String> {
    let name = format!("{}\n{id}", partition.as_str());
    (name.len() <= 512).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vestibule_core::store::Version;

    fn copy(expires_at: Option<i64>) -> Copy {
        let record = Record {
            id: "client".to_owned(),
            value: "{}".to_owned(),
            version: Version::new("1"),
            expires_at: expires_at.map(Timestamp::from_seconds),
        };
        Copy { asked_at: Timestamp::from_seconds(1000), record: OneRecord(record) }
    }

    /// ED-3
    #[test]
    fn a_copy_ends_60_seconds_after_its_original_was_asked_for() {
        assert!(usable(copy(None), Timestamp::from_seconds(1059)).is_some());
        assert!(usable(copy(None), Timestamp::from_seconds(1060)).is_none());
    }

    #[test]
    fn a_copy_ends_with_its_record() {
        assert!(usable(copy(Some(1010)), Timestamp::from_seconds(1009)).is_some());
        assert!(usable(copy(Some(1010)), Timestamp::from_seconds(1010)).is_none());
    }
}
