//! Every record that there is: its partition and its id. `docs/STORAGE.md` says the same as a table.
//!
//! Ids that come from outside are hashed; ids of ours never hold `#` or `:`.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use vestibule_protocol::time::Timestamp;

use super::Partition;
use super::record::RecordKey;
use crate::model::admin_token::AdminToken;
use crate::model::audit::AuditEvent;
use crate::model::client::{Client, RelayRoute};
use crate::model::connection::Connection;
use crate::model::effect::Effect;
use crate::model::mapping::Mapping;
use crate::model::pending::PendingSignIn;
use crate::model::pushed::PushedRequest;
use crate::model::routing::Route;
use crate::model::scim::ScimSchemas;
use crate::model::scim_access::{ScimClient, ScimToken};
use crate::model::session::{Code, Gate, Grant, Session};
use crate::model::signing::KeyRing;
use crate::model::tenant::Tenant;

mod delivery;
mod directory;
mod sessions;
mod status;
mod upstream;
mod watch;

pub use self::delivery::*;
pub use self::directory::*;
pub use self::status::REVOKED;
pub use self::upstream::*;
pub use self::watch::{WATCH, sync_state};

/// Minutes between two looks at one partition.
pub const SLOTS: u32 = 15;

/// An application.
pub fn client(client: &str) -> RecordKey<Client> {
    RecordKey::new(Partition::new(format!("client:{client}")), "client")
}

/// A directory that gets tokens for SCIM by client credentials.
pub fn scim_client(client: &str) -> RecordKey<ScimClient> {
    RecordKey::new(Partition::new(format!("client:{client}")), "scim-client")
}

/// Over how many partitions a client's one-time records are spread.
const CLIENT_SHARDS: u16 = 8;

fn client_shard(kind: &str, client: &str, hash: &str) -> Partition {
    let digest: [u8; 32] = Sha256::digest(hash).into();
    let [high, low, ..] = digest;
    Partition::new(format!("{kind}:{client}:{}", u16::from_be_bytes([high, low]) % CLIENT_SHARDS))
}

/// That a client's signed statement was used. The name is the client's own.
pub fn used_assertion(client: &str, name: &str) -> RecordKey<()> {
    let hash = hash_parts(&[name]);
    RecordKey::new(client_shard("replay", client, &hash), format!("assertion#{hash}"))
}

/// A request that a client sent ahead, by the hash of its name.
pub fn pushed_request(client: &str, hash: &str) -> RecordKey<PushedRequest> {
    RecordKey::new(client_shard("pushed", client, hash), format!("request#{hash}"))
}

/// Which application the relay serves at a control plane's origin (scheme, host, port).
pub fn relay_route(origin: &str) -> RecordKey<RelayRoute> {
    RecordKey::new(Partition::new(format!("host:{origin}")), "relay")
}

/// The partition of administrators' tokens.
pub fn admin_tokens() -> Partition {
    Partition::new("tokens")
}

/// What the ids of administrators' tokens start with.
pub const ADMIN_TOKEN: &str = "token#";

/// An administrator's token.
pub fn admin_token(id: &str) -> RecordKey<AdminToken> {
    RecordKey::new(admin_tokens(), format!("{ADMIN_TOKEN}{id}"))
}

/// The partition that lists what lies in partitions of its own. Only administrators' lists read it.
pub fn index() -> Partition {
    Partition::new("index")
}

/// What the ids of tenants in the index start with.
pub const INDEX_TENANT: &str = "tenant#";

/// That there is a tenant, or was.
pub fn index_tenant(tenant: &str) -> RecordKey<()> {
    RecordKey::new(index(), format!("{INDEX_TENANT}{tenant}"))
}

/// What the ids of applications in the index start with.
pub const INDEX_CLIENT: &str = "client#";

/// That there is an application, or was.
pub fn index_client(client: &str) -> RecordKey<()> {
    RecordKey::new(index(), format!("{INDEX_CLIENT}{client}"))
}

/// What the ids of a tenant's hosts start with.
pub const INDEX_HOST: &str = "host#";

/// That a host leads to a tenant, or did.
pub fn index_host(tenant: &str, host: &str) -> RecordKey<()> {
    RecordKey::new(tenant_partition(tenant), format!("{INDEX_HOST}{host}"))
}

/// The partition of a tenant's configuration.
pub fn tenant_partition(tenant: &str) -> Partition {
    Partition::new(format!("tenant:{tenant}"))
}

/// Whose configuration a partition holds; `None` for a partition of another kind.
pub fn tenant_of(partition: &Partition) -> Option<&str> {
    partition.as_str().strip_prefix("tenant:")
}

/// A customer organisation.
pub fn tenant(tenant: &str) -> RecordKey<Tenant> {
    RecordKey::new(tenant_partition(tenant), "tenant")
}

/// A tenant's mapping.
pub fn mapping(tenant: &str) -> RecordKey<Mapping> {
    RecordKey::new(tenant_partition(tenant), "mapping")
}

/// What the ids of a tenant's SCIM tokens start with.
pub const SCIM_TOKEN: &str = "scim-token#";

/// A token with which a directory speaks SCIM.
pub fn scim_token(tenant: &str, id: &str) -> RecordKey<ScimToken> {
    RecordKey::new(tenant_partition(tenant), format!("{SCIM_TOKEN}{id}"))
}

/// What the ids of a tenant's OAuth clients for SCIM start with.
pub const INDEX_SCIM_CLIENT: &str = "scim-client#";

/// That a tenant has an OAuth client for SCIM, or had.
pub fn index_scim_client(tenant: &str, client: &str) -> RecordKey<()> {
    RecordKey::new(tenant_partition(tenant), format!("{INDEX_SCIM_CLIENT}{client}"))
}

/// The attributes that a tenant's directory has beside those of the standard.
pub fn scim_schemas(tenant: &str) -> RecordKey<ScimSchemas> {
    RecordKey::new(tenant_partition(tenant), "scim-schemas")
}

/// What the ids of a tenant's connections start with.
pub const CONNECTION: &str = "connection#";

/// A tenant's identity provider.
pub fn connection(tenant: &str, connection: &str) -> RecordKey<Connection> {
    RecordKey::new(tenant_partition(tenant), format!("{CONNECTION}{connection}"))
}

/// Whose people have addresses in an e-mail domain.
pub fn domain_route(domain: &str) -> RecordKey<Route> {
    RecordKey::new(Partition::new(format!("domain:{domain}")), "domain")
}

/// Whose people come by a host.
pub fn host_route(host: &str) -> RecordKey<Route> {
    RecordKey::new(Partition::new(format!("host:{host}")), "host")
}

/// Our signing keys. One record, so that first creation is one compare-and-set.
pub fn key_ring() -> RecordKey<KeyRing> {
    RecordKey::new(Partition::new("keys"), "ring")
}

/// One of the partitions over which a tenant's sessions are spread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionShard {
    /// The tenant.
    pub tenant: String,
    /// Which shard.
    pub number: u16,
}

impl SessionShard {
    /// The shard of a person: all of one person's sessions are in one.
    pub fn of_user(tenant: &str, user: &str, shards: u16) -> Self {
        let digest: [u8; 32] = Sha256::digest(user).into();
        let [high, low, ..] = digest;
        Self { tenant: tenant.to_owned(), number: u16::from_be_bytes([high, low]) % shards.max(1) }
    }

    /// The partition.
    pub fn partition(&self) -> Partition {
        Partition::new(format!("sessions:{}:{}", self.tenant, self.number))
    }

    /// A session.
    pub fn session(&self, user: &str, session: &str) -> RecordKey<Session> {
        RecordKey::new(self.partition(), format!("session#{user}#{session}"))
    }

    /// What the ids of a person's sessions start with.
    pub fn sessions_of(user: &str) -> String {
        format!("session#{user}#")
    }

    /// What an application was granted in a session, with its refresh family.
    pub fn grant(&self, session: &str, family: &str) -> RecordKey<Grant> {
        RecordKey::new(self.partition(), format!("grant#{session}#{family}"))
    }

    /// What the ids of a session's grants start with.
    pub fn grants_of(session: &str) -> String {
        format!("grant#{session}#")
    }

    /// A code that was not redeemed yet.
    pub fn code(&self, hash: &str) -> RecordKey<Code> {
        RecordKey::new(self.partition(), format!("code#{hash}"))
    }

    /// A sign-in that waits at the tenant's checkpoint.
    pub fn pending(&self, id: &str, hash: &str) -> RecordKey<PendingSignIn> {
        RecordKey::new(self.partition(), format!("pending#{id}#{hash}"))
    }

    /// Whether a person's sessions count.
    pub fn gate(&self, user: &str) -> RecordKey<Gate> {
        RecordKey::new(self.partition(), format!("gate#{user}"))
    }
}

/// What the ids of owed effects start with.
pub const OUTBOX: &str = "outbox#";

/// An effect that a partition still owes elsewhere. `time` first: effects are worked off in order.
pub fn outbox(partition: Partition, time: Timestamp, id: &str) -> RecordKey<Effect> {
    RecordKey::new(partition, format!("{OUTBOX}{:012}#{id}", time.seconds()))
}

/// An effect that a partition still owes, by its record's whole id.
pub fn owed(partition: Partition, id: &str) -> RecordKey<Effect> {
    RecordKey::new(partition, id)
}

/// The partition of a tenant's audit events of one UTC day.
pub fn audit_partition(tenant: &str, day: &str) -> Partition {
    Partition::new(format!("audit:{tenant}:{day}"))
}

/// Something that happened.
pub fn audit(tenant: &str, time: Timestamp, id: &str) -> RecordKey<AuditEvent> {
    RecordKey::new(audit_partition(tenant, &time.day()), format!("{:012}#{id}", time.seconds()))
}

/// The partition that lists what a minute slot has to look at. `slot` is below [`SLOTS`].
pub fn sync_partition(slot: u32) -> Partition {
    Partition::new(format!("sync:{slot}"))
}

/// That a partition is looked at in its minute slot.
pub fn registration(partition: &Partition) -> RecordKey<()> {
    let digest: [u8; 32] = Sha256::digest(partition.as_str()).into();
    let [first, second, ..] = digest;
    let slot = u32::from(u16::from_be_bytes([first, second])) % SLOTS;
    RecordKey::new(sync_partition(slot), partition.as_str())
}

/// SHA-256 over length-prefixed parts, in base64url: a fixed-length id for texts of any kind.
fn hash_parts(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    URL_SAFE_NO_PAD.encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outbox_ids_sort_by_time() {
        let id = |seconds| outbox(Partition::new("p"), Timestamp::from_seconds(seconds), "x").id().to_owned();
        assert!(id(999_999_999) < id(1_000_000_000));
    }
}
