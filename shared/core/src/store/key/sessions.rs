//! What of a shard of sessions is about all sessions there.

use super::SessionShard;
use crate::model::session::Era;
use crate::store::record::RecordKey;

impl SessionShard {
    /// What the ids of sessions start with.
    pub const SESSION: &str = "session#";

    /// How often sessions were ended here in bulk.
    pub fn era(&self) -> RecordKey<Era> {
        RecordKey::new(self.partition(), "era")
    }
}
