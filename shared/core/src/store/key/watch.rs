//! What is kept of the identity providers of sessions.

use super::{SessionShard, tenant_partition};
use crate::model::is_id;
use crate::model::sync::SyncState;
use crate::model::watch::Watch;
use crate::store::Partition;
use crate::store::record::RecordKey;

/// What the ids of watched sessions start with.
pub const WATCH: &str = "watch#";

/// How the examinations of a connection's sessions go.
pub fn sync_state(tenant: &str, connection: &str) -> RecordKey<SyncState> {
    RecordKey::new(tenant_partition(tenant), format!("sync#{connection}"))
}

impl SessionShard {
    /// The shard that a partition is; `None` for a partition of another kind.
    pub fn of_partition(partition: &Partition) -> Option<Self> {
        let (tenant, number) = partition.as_str().strip_prefix("sessions:")?.split_once(':')?;
        is_id(tenant).then_some(())?;
        Some(Self { tenant: tenant.to_owned(), number: number.parse().ok()? })
    }

    /// What is kept of a session's identity provider.
    pub fn watch(&self, user: &str, session: &str) -> RecordKey<Watch> {
        RecordKey::new(self.partition(), format!("{WATCH}{user}#{session}"))
    }

    /// All shards of a tenant.
    pub fn all(tenant: &str, shards: u16) -> impl Iterator<Item = Self> {
        (0..shards.max(1)).map(|number| Self { tenant: tenant.to_owned(), number })
    }

    /// Whose session the record of this id watches: the person and the session.
    pub fn watched(id: &str) -> Option<(&str, &str)> {
        id.strip_prefix(WATCH)?.split_once('#')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_known_by_its_partition() {
        let shard = SessionShard::of_user("acme", "somebody", 8);
        assert_eq!(SessionShard::of_partition(&shard.partition()), Some(shard));
        for other in ["directory:acme", "sessions:acme", "sessions:acme:x", "sessions::1", "sessions:A:1"] {
            assert_eq!(SessionShard::of_partition(&Partition::new(other)), None, "{other}");
        }
    }
}
