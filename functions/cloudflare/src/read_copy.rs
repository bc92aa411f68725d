//! Read copies for `Store::get_copy`: in this isolate's memory, and in Workers KV where the binding `READ_COPY` exists.
//!
//! A copy carries the instant *before* its original was read and is used for 60 s from then, wherever it has been
//! since: KV's own delays add nothing. Nothing rests on a copy being there, or on KV answering.

use std::cell::RefCell;
use std::collections::HashMap;

use send_wrapper::SendWrapper;
use serde::{Deserialize, Serialize};
use vestibule_core::store::{Key, Partition, Record};
use vestibule_protocol::time::Timestamp;
use wasm_bindgen::prelude::*;

use crate::message::OneRecord;
use crate::platform;

/// Seconds for which a copy is used.
const LIFE: i64 = 60;
/// Copies kept in memory. When they are as many, all go.
const MOST: usize = 512;
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

/// One isolate's copies.
pub(crate) struct ReadCopy {
    memory: SendWrapper<RefCell<HashMap<Key, Copy>>>,
    /// The binding, if there is one.
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
        Self { memory: SendWrapper::new(RefCell::default()), kv: kv.map(SendWrapper::new) }
    }

    /// A copy that may still be used.
    pub(crate) async fn get(&self, key: &Key) -> Option<Record> {
        let now = platform::now();
        if let Some(record) = self.memory.borrow().get(key).and_then(|copy| usable(copy, now)) {
            return Some(record);
        }
        let kv = self.kv_for(&key.partition)?;
        let text = SendWrapper::new(read_copy(kv, &kv_name(&key.partition, &key.id)?)).await.ok()?.as_string()?;
        let copy: Copy = serde_json::from_str(&text).ok()?;
        let record = usable(&copy, now)?;
        self.remember(key, copy);
        Some(record)
    }

    /// Keeps a copy. `asked_at` was taken before the original was read.
    pub(crate) fn put(&self, key: &Key, record: &Record, asked_at: Timestamp) {
        let copy = Copy { asked_at, record: OneRecord(record.clone()) };
        if let Some(kv) = self.kv_for(&key.partition)
            && let Some(name) = kv_name(&key.partition, &key.id)
            && let Ok(text) = serde_json::to_string(&copy)
        {
            write_copy(kv, &name, &text);
        }
        self.remember(key, copy);
    }

    /// Lets go of the copies of records that were just written. Other isolates keep theirs for their 60 s.
    pub(crate) async fn forget(&self, partition: &Partition, ids: impl Iterator<Item = &str> + Send) {
        for id in ids {
            self.memory.borrow_mut().remove(&Key { partition: partition.clone(), id: id.to_owned() });
            if let Some(kv) = self.kv_for(partition)
                && let Some(name) = kv_name(partition, id)
            {
                // A failure leaves an old copy, which ends by itself.
                let _ = SendWrapper::new(delete_copy(kv, &name)).await;
            }
        }
    }

    fn remember(&self, key: &Key, copy: Copy) {
        let mut memory = self.memory.borrow_mut();
        if memory.len() >= MOST {
            memory.clear();
        }
        memory.insert(key.clone(), copy);
    }

    fn kv_for(&self, partition: &Partition) -> Option<&JsValue> {
        let copied = IN_KV.iter().any(|start| partition.as_str().starts_with(start));
        self.kv.as_deref().filter(|_| copied)
    }
}

fn usable(copy: &Copy, now: Timestamp) -> Option<Record> {
    let record = &copy.record.0;
    let fresh = now.seconds() < copy.asked_at.seconds() + LIFE;
    let live = record.expires_at.is_none_or(|end| !end.has_passed(now));
    (fresh && live).then(|| record.clone())
}

/// Name of a copy in KV, whose names have at most 512 bytes. No id or partition of ours is that long; one that is has
/// no copy. The line break keeps the two parts apart.
fn kv_name(partition: &Partition, id: &str) -> Option<String> {
    let name = format!("{}\n{id}", partition.as_str());
    (name.len() <= 512).then_some(name)
}
