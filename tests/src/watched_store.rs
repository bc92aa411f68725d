//! A store that a test watches: it says what happens right before and right after a call. For races, for processes that
//! die half-way, and for counting.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use vestibule_core::store::{Followed, Key, Page, Partition, Record, Store, StoreError, Version, Write};

/// A call on its way.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Whether it may change something.
    pub writes: bool,
    /// The partition's name.
    pub partition: &'a str,
}

impl Call<'_> {
    /// Whether it may change a partition of this kind: what stands before the first colon of its name.
    pub fn writes_to(&self, kind: &str) -> bool {
        self.writes && self.kind() == kind
    }

    fn kind(&self) -> &str {
        self.partition.split(':').next().unwrap_or_default()
    }
}

/// What happens around calls. An error takes the place of the call's own outcome.
#[async_trait]
pub trait Watch: Send + Sync + 'static {
    /// Right before.
    async fn before(&self, _call: Call<'_>) -> Result<(), StoreError> {
        Ok(())
    }

    /// Right after a call that succeeded.
    async fn after(&self, _call: Call<'_>) -> Result<(), StoreError> {
        Ok(())
    }
}

struct Watched<W> {
    inner: Arc<dyn Store>,
    watch: Arc<W>,
}

/// `store` with somebody who watches it, and the watcher.
pub fn watched<W: Watch>(store: &Arc<dyn Store>, watch: W) -> (Arc<dyn Store>, Arc<W>) {
    let watch = Arc::new(watch);
    (Arc::new(Watched { inner: Arc::clone(store), watch: Arc::clone(&watch) }), watch)
}

#[async_trait]
impl<W: Watch> Store for Watched<W> {
    async fn get(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        let call = Call { writes: false, partition: key.partition.as_str() };
        self.watch.before(call).await?;
        let found = self.inner.get(key).await?;
        self.watch.after(call).await.map(|()| found)
    }

    async fn get_many(&self, partition: &Partition, ids: &[String]) -> Result<Vec<Option<Record>>, StoreError> {
        let call = Call { writes: false, partition: partition.as_str() };
        self.watch.before(call).await?;
        let found = self.inner.get_many(partition, ids).await?;
        self.watch.after(call).await.map(|()| found)
    }

    async fn follow(&self, key: &Key, member: &str, prefix: &str) -> Result<Option<Followed>, StoreError> {
        let call = Call { writes: false, partition: key.partition.as_str() };
        self.watch.before(call).await?;
        let found = self.inner.follow(key, member, prefix).await?;
        self.watch.after(call).await.map(|()| found)
    }

    async fn take(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        let call = Call { writes: true, partition: key.partition.as_str() };
        self.watch.before(call).await?;
        let found = self.inner.take(key).await?;
        self.watch.after(call).await.map(|()| found)
    }

    async fn commit(&self, partition: &Partition, writes: Vec<Write>) -> Result<Vec<Version>, StoreError> {
        let call = Call { writes: true, partition: partition.as_str() };
        self.watch.before(call).await?;
        let versions = self.inner.commit(partition, writes).await?;
        self.watch.after(call).await.map(|()| versions)
    }

    async fn list(
        &self,
        partition: &Partition,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let call = Call { writes: false, partition: partition.as_str() };
        self.watch.before(call).await?;
        let page = self.inner.list(partition, prefix, after, limit).await?;
        self.watch.after(call).await.map(|()| page)
    }
}

/// Lets everybody else go first, at each call. The store in memory never waits, so without this what is done at once is
/// done one after the other.
pub struct Yields;

#[async_trait]
impl Watch for Yields {
    async fn before(&self, _: Call<'_>) -> Result<(), StoreError> {
        tokio::task::yield_now().await;
        Ok(())
    }
}

/// Counts calls.
#[derive(Default)]
pub struct Counter {
    reads: AtomicUsize,
    writes: Mutex<Vec<String>>,
}

#[async_trait]
impl Watch for Counter {
    async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
        if call.writes {
            self.writes.lock().expect("nobody panicked").push(call.kind().to_owned());
        } else {
            self.reads.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    }
}

impl Counter {
    /// How many reads there were since the last look, and to which kinds of partitions the writes went.
    pub fn calls(&self) -> (usize, Vec<String>) {
        let writes = std::mem::take(&mut *self.writes.lock().expect("nobody panicked"));
        (self.reads.swap(0, Ordering::SeqCst), writes)
    }
}

/// A process that dies: after so many calls that count and succeed, every further call fails.
pub struct DiesAfter {
    counts: Counts,
    left: AtomicUsize,
}

/// Which calls count.
enum Counts {
    All,
    Writes,
    WritesTo(&'static str),
}

impl DiesAfter {
    /// After one commit to a partition of this kind. See [`Call::writes_to`].
    pub const fn commit_to(kind: &'static str) -> Self {
        Self::commits_to(kind, 1)
    }

    /// After so many commits to partitions of this kind.
    pub const fn commits_to(kind: &'static str, many: usize) -> Self {
        Self { counts: Counts::WritesTo(kind), left: AtomicUsize::new(many) }
    }

    /// After so many commits, wherever they go.
    pub const fn commits(many: usize) -> Self {
        Self { counts: Counts::Writes, left: AtomicUsize::new(many) }
    }

    /// After so many calls of whatever kind.
    pub const fn calls(many: usize) -> Self {
        Self { counts: Counts::All, left: AtomicUsize::new(many) }
    }
}

#[async_trait]
impl Watch for DiesAfter {
    async fn before(&self, _: Call<'_>) -> Result<(), StoreError> {
        if self.left.load(Ordering::SeqCst) == 0 { Err(died()) } else { Ok(()) }
    }

    async fn after(&self, call: Call<'_>) -> Result<(), StoreError> {
        let counts = match self.counts {
            Counts::All => true,
            Counts::Writes => call.writes,
            Counts::WritesTo(kind) => call.writes_to(kind),
        };
        if counts {
            take_one(&self.left);
        }
        Ok(())
    }
}

/// A process that dies at one of its writes to partitions of a kind, and of which nothing there is heard again.
pub struct DiesAtWrite {
    kind: &'static str,
    before: AtomicUsize,
}

impl DiesAtWrite {
    /// At the write after so many others.
    pub const fn to(kind: &'static str, before: usize) -> Self {
        Self { kind, before: AtomicUsize::new(before) }
    }
}

#[async_trait]
impl Watch for DiesAtWrite {
    async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
        if !call.writes_to(self.kind) || take_one(&self.before) { Ok(()) } else { Err(died()) }
    }
}

/// Whether there was one left.
fn take_one(left: &AtomicUsize) -> bool {
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

fn died() -> StoreError {
    StoreError::Unavailable("the process died".into())
}
