//! What of a shard of sessions is about all sessions there.

use super::SessionShard;
use crate::model::session::Era;
use crate::model::usage::ShardUsage;
use crate::store::record::RecordKey;

impl SessionShard {
    /// What the ids of sessions start with.
    pub const SESSION: &str = "session#";

    /// What the ids of marks that requests leave start with.
    pub const USAGE_MARK: &str = "use#";

    /// That somebody, by a hash, made a request on a day (`YYYY-MM-DD`).
    pub fn usage_mark(&self, day: &str, person: &str, id: &str) -> RecordKey<()> {
        RecordKey::new(self.partition(), format!("{}{day}#{person}#{id}", Self::USAGE_MARK))
    }

    /// That somebody, by a hash, is counted on a day.
    pub fn usage_person(&self, day: &str, person: &str) -> RecordKey<()> {
        RecordKey::new(self.partition(), format!("usage-person#{day}#{person}"))
    }

    /// How much the people of this shard did on a day.
    pub fn usage(&self, day: &str) -> RecordKey<ShardUsage> {
        RecordKey::new(self.partition(), format!("usage#{day}"))
    }

    /// How often sessions were ended here in bulk.
    pub fn era(&self) -> RecordKey<Era> {
        RecordKey::new(self.partition(), "era")
    }
}
