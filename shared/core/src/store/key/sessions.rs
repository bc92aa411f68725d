//! What of a shard of sessions is about all sessions there, or found by what providers call them.

use sha2::{Digest, Sha256};

use super::{SessionShard, hash_parts};
use crate::model::session::{Era, ProviderSession};
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

    /// What the ids of sessions start with that a connection's provider calls so.
    pub fn of_sid(connection: &str, sid: &str) -> String {
        format!("provider#{connection}#{}#", hash_parts(&["sid", sid]))
    }

    /// What the ids of the sessions of somebody start with whom a connection's provider calls so.
    pub fn of_subject(connection: &str, issuer: &str, subject: &str) -> String {
        format!("provider#{connection}#{}#", hash_parts(&["sub", issuer, subject]))
    }

    /// A session by what its provider calls it: `prefix` is one of the two above.
    pub fn of_provider(&self, prefix: &str, session: &str) -> RecordKey<ProviderSession> {
        RecordKey::new(self.partition(), format!("{prefix}{session}"))
    }

    /// The shard in which the messages of an exchange with a connection's provider meet.
    pub fn of_exchange(tenant: &str, connection: &str, name: &str, shards: u16) -> Self {
        Self::of_notice(tenant, connection, name, shards).0
    }

    /// That a connection's message of a kind and a name was used.
    pub fn spent(&self, connection: &str, kind: &str, name: &str) -> RecordKey<()> {
        RecordKey::new(self.partition(), format!("spent#{}", hash_parts(&[connection, kind, name])))
    }

    /// Where a connection's notices of a name are remembered.
    pub fn of_notice(tenant: &str, connection: &str, name: &str, shards: u16) -> (Self, RecordKey<()>) {
        let hash = hash_parts(&[connection, name]);
        let digest: [u8; 32] = Sha256::digest(&hash).into();
        let [high, low, ..] = digest;
        let shard = Self { tenant: tenant.to_owned(), number: u16::from_be_bytes([high, low]) % shards.max(1) };
        let record = RecordKey::new(shard.partition(), format!("notice#{hash}"));
        (shard, record)
    }
}
