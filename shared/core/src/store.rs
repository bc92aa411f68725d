//! Storage: records in partitions, seven operations, atomic within one partition.
//!
//! A **partition** is the unit of consistency: one DynamoDB partition key, one Durable Object. A back-end knows
//! nothing of what it stores; a new kind of record needs no change in one.
//! The promises below are tested for every back-end by one suite, `vestibule_testkit::store_conformance`.

use async_trait::async_trait;
use vestibule_protocol::time::Timestamp;

pub mod key;
pub mod memory;
pub mod record;

/// A place for records that can be changed together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition(String);

impl Partition {
    /// A partition by its full name, such as `tenant:acme`. At most [`MAX_ID_BYTES`] bytes, never empty.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where one record lies.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// The partition.
    pub partition: Partition,
    /// The record's name in it: any text but the empty one, at most [`MAX_ID_BYTES`] bytes.
    pub id: String,
}

/// A state of a record. Opaque; never used again for the same id, not even after delete-and-recreate.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Version(String);

impl Version {
    /// A version as the back-end wrote it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// What the back-end wrote.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A record as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its name in the partition.
    pub id: String,
    /// JSON text, at most [`MAX_VALUE_BYTES`] bytes.
    pub value: String,
    /// Its state, for [`Expect::Version`].
    pub version: Version,
    /// From this instant on it is absent, whether or not it was swept.
    pub expires_at: Option<Timestamp>,
}

/// One change, or one condition, within a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Writes a record, whole.
    Put {
        /// The record's name.
        id: String,
        /// JSON text.
        value: String,
        /// When it ends by itself.
        expires_at: Option<Timestamp>,
        /// What must be true before.
        expect: Expect,
    },
    /// Removes a record. Removing an absent one with [`Expect::Any`] is no error.
    Delete {
        /// The record's name.
        id: String,
        /// What must be true before.
        expect: Expect,
    },
    /// Adds to a whole number, which an absent record is not yet: it counts as 0. Whoever adds need not have read, and
    /// nobody who adds at the same time is in the way. For records that hold such a number and never end.
    Add {
        /// The record's name.
        id: String,
        /// How much more; less where it is negative.
        by: i32,
    },
    /// Changes nothing, but must hold for the commit to happen.
    Check {
        /// The record's name.
        id: String,
        /// What must be true.
        expect: Expect,
    },
}

impl Write {
    /// The record that this write is about.
    pub fn id(&self) -> &str {
        match self {
            Self::Put { id, .. } | Self::Delete { id, .. } | Self::Add { id, .. } | Self::Check { id, .. } => id,
        }
    }

    /// How many bytes it counts in a commit.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Put { value, .. } => value.len(),
            Self::Delete { .. } | Self::Add { .. } | Self::Check { .. } => 0,
        }
    }

    /// What must be true of the record before.
    pub fn expect(&self) -> &Expect {
        match self {
            Self::Put { expect, .. } | Self::Delete { expect, .. } | Self::Check { expect, .. } => expect,
            Self::Add { .. } => &Expect::Any,
        }
    }
}

/// What must be true of a record. An expired record is absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    /// Nothing.
    Any,
    /// There is no such record.
    Absent,
    /// There is one, in any state.
    Present,
    /// There is one, in this state.
    Version(Version),
}

/// A stretch of a partition, in the byte order of ids.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The live records. May be fewer than the limit, even none, while there is a next page.
    pub records: Vec<Record>,
    /// Pass as `after` to go on; `None` when there is nothing more.
    pub next: Option<String>,
}

/// A record of an index, and the one that it names, if that is there.
pub type Followed = (Record, Option<Record>);

/// Most writes in one commit: DynamoDB's limit for a transaction.
pub const MAX_WRITES: usize = 100;
/// Most records in one read: DynamoDB's limit for a batch.
pub const MAX_READS: usize = 100;
/// Longest id of a record or partition, in bytes: DynamoDB's limit for a sort key.
pub const MAX_ID_BYTES: usize = 1024;
/// Largest value, in bytes. DynamoDB's item may have 400 KB, names and other attributes included.
pub const MAX_VALUE_BYTES: usize = 256 * 1024;
/// Most bytes in all values of one commit. DynamoDB's transaction may have 4 MB, names and other attributes included.
pub const MAX_COMMIT_BYTES: usize = 3 * 1024 * 1024;

/// Why an operation did not happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// An expectation of the commit did not hold; nothing was written.
    #[error("conflict")]
    Conflict,
    /// The back-end asks to slow down, or lost a race of its own making. Nothing was written; try again.
    #[error("store is busy: {0}")]
    Busy(String),
    /// The call breaks the contract: too many writes or bytes, two for one id, an id that is empty, an id or value that is too long.
    #[error("refused: {0}")]
    Invalid(&'static str),
    /// The back-end failed. For a commit it is not known whether it happened.
    #[error("store: {0}")]
    Unavailable(String),
}

/// A back-end.
#[async_trait]
pub trait Store: Send + Sync {
    /// The record, or `None` when it is absent or has expired. Always the latest state.
    async fn get(&self, key: &Key) -> Result<Option<Record>, StoreError>;

    /// Like [`Store::get`], but what comes back may be up to 60 s old where the platform keeps read copies.
    /// For configuration and upstream metadata; never for a fact that is used once or must be read as written.
    async fn get_copy(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        self.get(key).await
    }

    /// Several records of one partition, in the order of `ids`: each as it is at some moment of the call, perhaps not all
    /// at the same one. 1 to [`MAX_READS`] ids, none of them twice.
    async fn get_many(&self, partition: &Partition, ids: &[String]) -> Result<Vec<Option<Record>>, StoreError>;

    /// A record of an index, and the record of the same partition that it names: the latter's id is `prefix` and then the
    /// text of the former's `member`. Each as it is at some moment of the call. One call where the platform can do that.
    async fn follow(&self, key: &Key, member: &str, prefix: &str) -> Result<Option<Followed>, StoreError> {
        let Some(index) = self.get(key).await? else { return Ok(None) };
        let named = serde_json::from_str::<serde_json::Value>(&index.value);
        let named = named.ok().and_then(|value| Some(format!("{prefix}{}", value.get(member)?.as_str()?)));
        let found = match named {
            Some(id) => self.get(&Key { partition: key.partition.clone(), id }).await?,
            None => None,
        };
        Ok(Some((index, found)))
    }

    /// Removes the record and returns it. Of two callers, exactly one gets it.
    async fn take(&self, key: &Key) -> Result<Option<Record>, StoreError>;

    /// Applies every write to one partition, or none of them. What comes back are the versions of the records that were
    /// put, in the order of the puts: what was just written need not be read to be changed again.
    async fn commit(&self, partition: &Partition, writes: Vec<Write>) -> Result<Vec<Version>, StoreError>;

    /// One page of a partition: the records whose ids start with `prefix` and come after `after`, in byte order of
    /// ids, at most `limit` of them (1 to 1000).
    async fn list(
        &self,
        partition: &Partition,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page, StoreError>;
}

/// The part of a commit's contract that no back-end has to be asked about. Every back-end calls it first.
pub fn check_writes(writes: &[Write]) -> Result<(), StoreError> {
    if writes.is_empty() {
        return Err(StoreError::Invalid("a commit has at least one write"));
    }
    if writes.len() > MAX_WRITES {
        return Err(StoreError::Invalid("a commit has at most 100 writes"));
    }
    let mut bytes = 0;
    let mut seen = std::collections::HashSet::with_capacity(writes.len());
    for write in writes {
        check_id(write.id())?;
        if !seen.insert(write.id()) {
            return Err(StoreError::Invalid("a commit has one write for a record"));
        }
        bytes += write.bytes();
        if write.bytes() > MAX_VALUE_BYTES {
            return Err(StoreError::Invalid("a value has at most 256 KiB"));
        }
    }
    if bytes > MAX_COMMIT_BYTES {
        return Err(StoreError::Invalid("a commit's values have at most 3 MiB together"));
    }
    Ok(())
}

/// The part of [`Store::get_many`]'s contract that no back-end has to be asked about. Every back-end calls it first.
pub fn check_reads(ids: &[String]) -> Result<(), StoreError> {
    if ids.is_empty() || ids.len() > MAX_READS {
        return Err(StoreError::Invalid("a read of many has 1 to 100 ids"));
    }
    ids.iter().try_for_each(|id| check_id(id))?;
    let distinct: std::collections::HashSet<&String> = ids.iter().collect();
    if distinct.len() < ids.len() {
        return Err(StoreError::Invalid("a read of many asks for a record once"));
    }
    Ok(())
}

/// An id is not empty and not longer than [`MAX_ID_BYTES`].
pub fn check_id(id: &str) -> Result<(), StoreError> {
    if id.is_empty() || id.len() > MAX_ID_BYTES {
        return Err(StoreError::Invalid("an id has 1 to 1024 bytes"));
    }
    Ok(())
}
