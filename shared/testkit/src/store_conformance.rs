//! What every store must do: one suite that each back-end runs, natively and inside a Worker.
//!
//! It needs no runtime, no files and no clock of its own, and a failure is a value, so that it can also be
//! compiled to wasm32 and answer over HTTP. Each case works in a partition of its own, named by the run's tag.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use vestibule_core::platform::Clock;
use vestibule_core::store::{Expect, Key, Page, Partition, Record, Store, StoreError, Version, Write};
use vestibule_protocol::time::{Seconds, Timestamp};

use crate::clock::TestClock;

mod basic;
mod commit;
mod expiry;
mod list;
mod many;
mod race;

/// The clock that the store expires records by, and a way to let it move.
#[async_trait]
pub trait Time: Clock {
    /// Returns when the clock shows at least `span` more. A real clock sleeps, a test clock is moved.
    async fn pass(&self, span: Seconds);
}

#[async_trait]
impl Time for TestClock {
    async fn pass(&self, span: Seconds) {
        self.advance(span);
    }
}

/// How one case ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The promise, as a sentence.
    pub name: &'static str,
    /// What was seen instead, when it did not hold.
    pub result: Result<(), String>,
}

/// Runs every case. `tag` makes the run's partitions unlike those of any other run on the same back-end.
pub async fn run(store: Arc<dyn Store>, time: Arc<dyn Time>, tag: &str) -> Vec<Outcome> {
    let mut outcomes = Vec::with_capacity(CASES.len());
    for (number, (name, case)) in CASES.iter().enumerate() {
        let partition = Partition::new(format!("conformance:{tag}:{number}"));
        let bench = Bench { store: store.clone(), time: time.clone(), partition };
        outcomes.push(Outcome { name, result: case(&bench).await });
    }
    outcomes
}

/// The outcomes that are failures, one a line; `None` when all cases passed.
pub fn failures(outcomes: &[Outcome]) -> Option<String> {
    let lines: Vec<String> = outcomes
        .iter()
        .filter_map(|outcome| outcome.result.as_ref().err().map(|found| format!("{}: {found}", outcome.name)))
        .collect();
    if lines.is_empty() { None } else { Some(lines.join("\n")) }
}

type Verdict = Result<(), String>;
type Case = for<'a> fn(&'a Bench) -> BoxFuture<'a, Verdict>;

const CASES: &[(&str, Case)] = &[
    ("what was written is read", |bench| Box::pin(basic::round_trip(bench))),
    ("a record that was never written is absent", |bench| Box::pin(basic::absent(bench))),
    ("a put replaces the whole record", |bench| Box::pin(basic::replaced_whole(bench))),
    ("create is exclusive", |bench| Box::pin(basic::create_is_exclusive(bench))),
    ("a stale update conflicts", |bench| Box::pin(basic::stale_update(bench))),
    ("present needs a record", |bench| Box::pin(basic::present(bench))),
    ("a version never comes back", |bench| Box::pin(basic::versions(bench))),
    ("deleting what is not there is no error", |bench| Box::pin(basic::delete_absent(bench))),
    ("take removes and returns", |bench| Box::pin(basic::take(bench))),
    ("any text is an id", |bench| Box::pin(basic::odd_ids(bench))),
    ("an id has 1 to 1024 bytes", |bench| Box::pin(basic::id_lengths(bench))),
    ("a value has up to 256 KiB", |bench| Box::pin(basic::value_lengths(bench))),
    ("a commit is all or nothing", |bench| Box::pin(commit::all_or_nothing(bench))),
    ("a check decides and changes nothing", |bench| Box::pin(commit::checks(bench))),
    ("a commit of checks alone is allowed", |bench| Box::pin(commit::only_checks(bench))),
    ("a commit has 1 to 100 writes", |bench| Box::pin(commit::counts(bench))),
    ("a commit has one write for a record", |bench| Box::pin(commit::duplicates(bench))),
    ("a commit's values have a common limit", |bench| Box::pin(commit::total_length(bench))),
    ("a commit tells the versions of what it put", |bench| Box::pin(commit::versions(bench))),
    ("adding begins at 0 and is undone with its commit", |bench| Box::pin(commit::additions(bench))),
    ("partitions do not see each other", |bench| Box::pin(commit::partitions(bench))),
    ("an expired record is absent to get, take and list", |bench| Box::pin(expiry::reads(bench))),
    ("an expired record is absent to expectations", |bench| Box::pin(expiry::expectations(bench))),
    ("a record expires while it lies there", |bench| Box::pin(expiry::while_lying(bench))),
    ("of 100 takers one gets it", |bench| Box::pin(race::takes(bench))),
    ("of 100 creators one succeeds", |bench| Box::pin(race::creates(bench))),
    ("no increment of 50 is lost", |bench| Box::pin(race::increments(bench))),
    ("no addition of 50 is lost", |bench| Box::pin(race::additions(bench))),
    ("two commits that rule each other out do not both happen", |bench| Box::pin(race::skew(bench))),
    ("a list is in byte order, whatever the page size", |bench| Box::pin(list::pages(bench))),
    ("a list keeps to its prefix", |bench| Box::pin(list::prefixes(bench))),
    ("a list goes on after any id", |bench| Box::pin(list::after(bench))),
    ("a list keeps to its partition", |bench| Box::pin(list::partitions(bench))),
    ("many are read in the order asked, what is absent or ended too", |bench| Box::pin(many::in_order(bench))),
    ("an index leads to what it names", |bench| Box::pin(many::follows(bench))),
    ("many large ones are read whole", |bench| Box::pin(many::large(bench))),
    ("a read of many has 1 to 100 ids, none twice", |bench| Box::pin(many::counts(bench))),
    ("a list of large records is complete", |bench| Box::pin(list::large(bench))),
];

/// What a case works with.
struct Bench {
    store: Arc<dyn Store>,
    time: Arc<dyn Time>,
    partition: Partition,
}

impl Bench {
    fn now(&self) -> Timestamp {
        self.time.now()
    }

    fn key(&self, id: &str) -> Key {
        Key { partition: self.partition.clone(), id: id.to_owned() }
    }

    async fn get(&self, id: &str) -> Result<Option<Record>, String> {
        self.store.get(&self.key(id)).await.map_err(|error| format!("get {id:?}: {error}"))
    }

    /// The record, which has to be there.
    async fn found(&self, id: &str) -> Result<Record, String> {
        self.get(id).await?.ok_or_else(|| format!("{id:?} is absent"))
    }

    async fn take(&self, id: &str) -> Result<Option<Record>, String> {
        self.store.take(&self.key(id)).await.map_err(|error| format!("take {id:?}: {error}"))
    }

    /// A commit. `Busy` is an answer that any back-end may give at any time: it is asked again, so that cases see
    /// only what the contract decides.
    async fn commit(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        commit_in(self.store.as_ref(), &self.partition, writes).await
    }

    /// A commit that has to succeed.
    async fn write(&self, writes: Vec<Write>) -> Verdict {
        self.commit(writes).await.map_err(|error| format!("commit: {error}"))
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Page, String> {
        self.store.list(&self.partition, prefix, after, limit).await.map_err(|error| format!("list: {error}"))
    }
}

/// How often a busy store is asked again before a case gives up.
const TRIES: usize = 2_000;

async fn commit_in(store: &dyn Store, partition: &Partition, writes: Vec<Write>) -> Result<(), StoreError> {
    let mut last = StoreError::Busy("never asked".to_owned());
    for _ in 0..TRIES {
        match store.commit(partition, writes.clone()).await {
            Err(busy @ StoreError::Busy(_)) => last = busy,
            done => return done.map(drop),
        }
    }
    Err(last)
}

fn put(id: &str, value: &str, expect: Expect) -> Write {
    Write::Put { id: id.to_owned(), value: value.to_owned(), expires_at: None, expect }
}

fn put_until(id: &str, value: &str, end: Timestamp) -> Write {
    Write::Put { id: id.to_owned(), value: value.to_owned(), expires_at: Some(end), expect: Expect::Any }
}

fn delete(id: &str, expect: Expect) -> Write {
    Write::Delete { id: id.to_owned(), expect }
}

fn add(id: &str, by: i32) -> Write {
    Write::Add { id: id.to_owned(), by }
}

fn check(id: &str, expect: Expect) -> Write {
    Write::Check { id: id.to_owned(), expect }
}

/// A version that no record has.
fn foreign() -> Version {
    Version::new("another store's")
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Verdict {
    if found == expected { Ok(()) } else { Err(format!("{what}: found {found:?}, expected {expected:?}")) }
}

fn conflict(what: &str, result: &Result<(), StoreError>) -> Verdict {
    same(what, result, &Err(StoreError::Conflict))
}

fn refused(what: &str, result: &Result<(), StoreError>) -> Verdict {
    if matches!(result, Err(StoreError::Invalid(_))) {
        return Ok(());
    }
    Err(format!("{what}: found {result:?}, expected a refusal"))
}
