//! What examinations ask of the store and of the provider: the counts that the cost model of `docs/SYNC.md` multiplies.

use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use vestibule_core::platform::Task;
use vestibule_core::store::{Key, Page, Partition, Record, Store, StoreError, Version, Write};
use vestibule_tests::in_process::TestBroker;

/// Calls of a store, and the records in them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Cost {
    reads: usize,
    records_read: usize,
    commits: usize,
    records_written: usize,
}

/// A store that counts.
struct Counting {
    inner: Arc<dyn Store>,
    cost: Mutex<Cost>,
}

impl Counting {
    fn cost(&self) -> MutexGuard<'_, Cost> {
        self.cost.lock().expect("nobody panicked")
    }

    fn read(&self, records: usize) {
        let mut cost = self.cost();
        cost.reads += 1;
        cost.records_read += records;
    }
}

#[async_trait]
impl Store for Counting {
    async fn get(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        self.read(1);
        self.inner.get(key).await
    }

    async fn get_many(&self, partition: &Partition, ids: &[String]) -> Result<Vec<Option<Record>>, StoreError> {
        self.read(ids.len());
        self.inner.get_many(partition, ids).await
    }

    async fn take(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        panic!("nothing here is taken: {key:?}")
    }

    async fn commit(&self, partition: &Partition, writes: Vec<Write>) -> Result<Vec<Version>, StoreError> {
        {
            let mut cost = self.cost();
            cost.commits += 1;
            cost.records_written += writes.len();
        }
        self.inner.commit(partition, writes).await
    }

    async fn list(
        &self,
        partition: &Partition,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let page = self.inner.list(partition, prefix, after, limit).await?;
        self.read(page.records.len());
        Ok(page)
    }
}

/// A process over a store that counts, with so many sessions in one partition that were examined once.
async fn counted(sessions: u32) -> (TestBroker, Arc<Counting>) {
    let test = TestBroker::new().await;
    let store = Arc::new(Counting { inner: Arc::clone(&test.store), cost: Mutex::default() });
    let test = test.another_process(Some(store.clone()));
    for _ in 0..sessions {
        test.sign_in().await;
    }
    assert_eq!(test.minutes(15).await, sessions);
    test.queue.hold();
    (test, store)
}

/// What a tick sends in the next minutes about the partition that has sessions.
async fn tasks(test: &TestBroker) -> Vec<Task> {
    for _ in 0..15 {
        test.pass(60);
        test.broker.tick().await.expect("a tick");
        let mut waiting = test.queue.waiting();
        test.queue.lose();
        let watched = waiting.iter().filter(|task| task.after.as_deref() == Some("watch#"));
        for name in watched.map(|task| task.partition.clone()).collect::<Vec<_>>() {
            let page = test.store.list(&Partition::new(name.clone()), "watch#", None, 1).await.expect("a page");
            if !page.records.is_empty() {
                waiting.retain(|task| task.partition == name);
                return waiting;
            }
        }
    }
    panic!("no partition has sessions");
}

fn examination(tasks: &[Task]) -> &Task {
    tasks.iter().find(|task| task.after.as_deref() == Some("watch#")).expect("an examination")
}

/// One batch: sessions examined, calls of the store, requests to the provider.
async fn batch(test: &TestBroker, store: &Counting, task: &Task) -> (u32, Cost, usize) {
    let asked = test.idp.requests("/token");
    *store.cost() = Cost::default();
    let report = test.broker.work(task).await.expect("a report");
    assert_eq!(report.failed, 0);
    (report.examined, *store.cost(), test.idp.requests("/token") - asked)
}

/// A step examines sixteen sessions. For each, its record is read twice, the session and the person once, and its record is
/// written twice. Five reads, two commits, and a state that is read twice and written once are for all of them. What is read
/// through copies is read by the first step.
#[tokio::test]
async fn a_step_of_examinations_costs_what_the_model_says() {
    let (test, store) = counted(56).await;
    let first = examination(&tasks(&test).await).clone();
    let (examined, cost, _) = batch(&test, &store, &first).await;
    assert_eq!((examined, cost.reads), (16, step(16).reads + 4), "with what is read through copies");
    for sessions in [16, 16, 8] {
        let task = test.queue.waiting().pop().expect("the rest");
        test.queue.lose();
        let (examined, cost, asked) = batch(&test, &store, &task).await;
        assert_eq!((examined, cost, asked), (u32::try_from(sessions).expect("few"), step(sessions), sessions));
    }
    assert_eq!(test.queue.waiting(), []);
}

/// A step with so many sessions.
fn step(sessions: usize) -> Cost {
    Cost {
        reads: 5 + sessions,
        records_read: 2 + 4 * sessions,
        commits: 2 + sessions,
        records_written: 1 + 2 * sessions,
    }
}

/// A partition in which nothing is to be done costs a read for each of its three tasks, however many sessions wait.
#[tokio::test]
async fn a_partition_without_work_costs_three_reads() {
    let (test, store) = counted(1).await;
    let tasks = tasks(&test).await;
    assert_eq!(tasks.len(), 3);
    for task in &tasks {
        batch(&test, &store, task).await;
    }
    let mut sum = Cost::default();
    for task in &tasks {
        let (examined, cost, asked) = batch(&test, &store, task).await;
        assert_eq!((examined, cost.commits, asked), (0, 0, 0));
        sum.reads += cost.reads;
        sum.records_read += cost.records_read;
    }
    assert_eq!((sum.reads, sum.records_read), (3, 1));
}

/// Sessions that are not due are looked at a hundred at a time.
#[tokio::test]
async fn sessions_that_are_not_due_are_passed_by() {
    let (test, store) = counted(130).await;
    let tasks = tasks(&test).await;
    let task = examination(&tasks);
    test.queue.release();
    test.broker.work(task).await.expect("a report");
    test.queue.hold();
    let (examined, cost, _) = batch(&test, &store, task).await;
    assert_eq!((examined, cost), (0, Cost { reads: 2, records_read: 100, ..Cost::default() }));
    let rest = test.queue.waiting().pop().expect("the rest");
    let (examined, cost, _) = batch(&test, &store, &rest).await;
    assert_eq!((examined, cost), (0, Cost { reads: 2, records_read: 30, ..Cost::default() }));
}
