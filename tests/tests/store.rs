//! The store conformance suite on every back-end that runs outside a Worker (ED-8), and what only DynamoDB can do.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use vestibule_aws::store::{client, create_table};
use vestibule_aws::{DynamoStore, SystemClock, SystemRandom, environment};
use vestibule_core::platform::Clock;
use vestibule_core::store::memory::MemoryStore;
use vestibule_core::store::{Expect, Key, Page, Partition, Record, Store, StoreError, Version, Write};
use vestibule_protocol::time::{Seconds, Timestamp};
use vestibule_testkit::TestClock;
use vestibule_testkit::store_conformance::{Time, failures, run};

/// The system's clock, which has to be waited for.
struct RealTime;

impl Clock for RealTime {
    fn now(&self) -> Timestamp {
        SystemClock.now()
    }
}

#[async_trait]
impl Time for RealTime {
    async fn pass(&self, span: Seconds) {
        let end = self.now() + span;
        while !end.has_passed(self.now()) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

async fn conforms(store: Arc<dyn Store>, time: Arc<dyn Time>) {
    // Unlike the tag of any other run, so that a table which stays can be used again.
    let tag = format!("{}-{}", RealTime.now().seconds(), std::process::id());
    let outcomes = run(store, time, &tag).await;
    assert!(outcomes.len() > 25, "the suite ran {} cases", outcomes.len());
    if let Some(failures) = failures(&outcomes) {
        panic!("{failures}");
    }
}

fn store_at(client: aws_sdk_dynamodb::Client, table: &str) -> DynamoStore {
    DynamoStore::new(client, table.to_owned(), Arc::new(SystemClock), Arc::new(SystemRandom))
}

/// A DynamoDB in this process and its address.
async fn embedded() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let database = dynoxide::Database::memory().expect("a database");
    tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()));
    endpoint
}

#[tokio::test]
async fn memory() {
    let clock = Arc::new(TestClock::default());
    conforms(Arc::new(MemoryStore::new(clock.clone())), clock).await;
}

#[tokio::test]
async fn embedded_dynamodb() {
    let client = client(Some(&embedded().await)).await;
    create_table(&client, "conformance").await.expect("a table");
    create_table(&client, "conformance").await.expect("making it again changes nothing");
    conforms(Arc::new(store_at(client, "conformance")), Arc::new(RealTime)).await;
}

/// Lets one operation through at a time. moto answers from threads that see each other's half-done work, so it cannot
/// show what happens in a race; everything else about it is a second opinion on DynamoDB.
struct OneAtATime(tokio::sync::Mutex<DynamoStore>);

#[async_trait]
impl Store for OneAtATime {
    async fn get(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        self.0.lock().await.get(key).await
    }

    async fn get_many(&self, partition: &Partition, ids: &[String]) -> Result<Vec<Option<Record>>, StoreError> {
        self.0.lock().await.get_many(partition, ids).await
    }

    async fn take(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        self.0.lock().await.take(key).await
    }

    async fn commit(&self, partition: &Partition, writes: Vec<Write>) -> Result<Vec<Version>, StoreError> {
        self.0.lock().await.commit(partition, writes).await
    }

    async fn list(
        &self,
        partition: &Partition,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        self.0.lock().await.list(partition, prefix, after, limit).await
    }
}

#[tokio::test]
async fn moto() {
    let Some(endpoint) = environment("MOTO_ENDPOINT") else {
        assert!(environment("CI").is_none(), "MOTO_ENDPOINT has to be set where CI is");
        eprintln!("skipped: MOTO_ENDPOINT is not set");
        return;
    };
    let client = client(Some(&endpoint)).await;
    create_table(&client, "conformance").await.expect("a table");
    conforms(Arc::new(OneAtATime(store_at(client, "conformance").into())), Arc::new(RealTime)).await;
}

/// A DynamoDB that gives one answer to everything, and counts how often it was asked.
async fn stub(status: u16, body: &'static str) -> (DynamoStore, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let mut request = vec![0; 65_536];
            let _ = stream.read(&mut request).await;
            let reply = format!(
                "HTTP/1.1 {status} Stub\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(reply.as_bytes()).await;
        }
    });
    (store_at(client(Some(&endpoint)).await, "stub"), asked)
}

/// What a store says of each operation.
async fn asked(store: &DynamoStore) -> [Result<(), StoreError>; 4] {
    let partition = Partition::new("p");
    let key = Key { partition: partition.clone(), id: "a".to_owned() };
    let put = Write::Put { id: "a".to_owned(), value: "1".to_owned(), expires_at: None, expect: Expect::Absent };
    [
        store.get(&key).await.map(drop),
        store.list(&partition, "", None, 10).await.map(drop),
        store.take(&key).await.map(drop),
        store.commit(&partition, vec![put]).await.map(drop),
    ]
}

#[tokio::test]
async fn throttling_is_busy() {
    for body in [
        r#"{"__type":"com.amazon.coral.availability#ThrottlingException","message":"Rate exceeded"}"#,
        r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow"}"#,
        r#"{"__type":"com.amazonaws.dynamodb.v20120810#RequestLimitExceeded","message":"slow"}"#,
    ] {
        let (store, _) = stub(400, body).await;
        for result in asked(&store).await {
            assert!(matches!(result, Err(StoreError::Busy(_))), "{body}: {result:?}");
        }
    }
}

#[tokio::test]
async fn after_an_internal_error_only_reads_are_sure_that_nothing_happened() {
    let body = r#"{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"ours"}"#;
    let (store, count) = stub(500, body).await;
    let [get, list, take, commit] = asked(&store).await;
    for result in [get, list] {
        assert!(matches!(result, Err(StoreError::Busy(_))), "{result:?}");
    }
    for result in [take, commit] {
        assert!(matches!(result, Err(StoreError::Unavailable(_))), "{result:?}");
    }
    assert_eq!(count.load(Ordering::SeqCst), 12, "each was sent three times");
}

#[tokio::test]
async fn a_cancelled_transaction_says_why() {
    let cancelled = |reasons: &str| -> &'static str {
        let body = format!(
            r#"{{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"cancelled","CancellationReasons":[{reasons}]}}"#
        );
        body.leak()
    };
    let commit = async |reasons: &str| {
        let (store, count) = stub(400, cancelled(reasons)).await;
        let [_, _, _, commit] = asked(&store).await;
        // The three before it read this as an error of theirs, each once.
        (commit, count.load(Ordering::SeqCst) - 3)
    };
    let (result, _) = commit(r#"{"Code":"None"},{"Code":"ConditionalCheckFailed"}"#).await;
    assert_eq!(result, Err(StoreError::Conflict));
    let (result, _) = commit(r#"{"Code":"TransactionConflict"},{"Code":"ConditionalCheckFailed"}"#).await;
    assert_eq!(result, Err(StoreError::Conflict), "a condition that failed decides");
    let (result, sent) = commit(r#"{"Code":"TransactionConflict"}"#).await;
    assert!(matches!(result, Err(StoreError::Busy(_))), "{result:?}");
    assert!(sent > 3, "a contended transaction is tried again: {sent}");
    for reason in [r#"{"Code":"ThrottlingError"}"#, r#"{"Code":"ProvisionedThroughputExceeded"}"#] {
        let (result, _) = commit(reason).await;
        assert!(matches!(result, Err(StoreError::Busy(_))), "{result:?}");
    }
    let (result, _) = commit(r#"{"Code":"ValidationError"}"#).await;
    assert!(matches!(result, Err(StoreError::Unavailable(_))), "{result:?}");
}

#[tokio::test]
async fn a_table_that_is_not_there_is_not_an_absent_record() {
    let store = store_at(client(Some(&embedded().await)).await, "missing");
    for result in asked(&store).await {
        assert!(matches!(result, Err(StoreError::Unavailable(_))), "{result:?}");
    }
}

/// Passes requests on to `upstream`, but loses the answer of the first: the connection ends in its place.
async fn losing_the_first_answer(upstream: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        let mut first = true;
        while let Ok((mut client, _)) = listener.accept().await {
            let request = message(&mut client).await;
            let mut server = TcpStream::connect(upstream.trim_start_matches("http://")).await.expect("upstream");
            server.write_all(&request).await.expect("sent");
            let reply = message(&mut server).await;
            if !std::mem::take(&mut first) {
                let reply = String::from_utf8_lossy(&reply).replacen("\r\n", "\r\nconnection: close\r\n", 1);
                let _ = client.write_all(reply.as_bytes()).await;
            }
        }
    });
    endpoint
}

/// One HTTP message with a `content-length`.
async fn message(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
            if body.len() >= length.and_then(|length| length.trim().parse().ok()).unwrap_or(0) {
                return bytes;
            }
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return bytes;
        }
    }
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_not_taken_for_a_conflict() {
    let upstream = embedded().await;
    create_table(&client(Some(&upstream)).await, "lossy").await.expect("a table");
    let endpoint = losing_the_first_answer(upstream).await;
    let store = store_at(client(Some(&endpoint)).await, "lossy");
    let partition = Partition::new("p");
    let put =
        |value: &str, expect| Write::Put { id: "a".to_owned(), value: value.to_owned(), expires_at: None, expect };
    assert_eq!(store.commit(&partition, vec![put("1", Expect::Absent)]).await.map(drop), Ok(()));
    assert_eq!(store.commit(&partition, vec![put("2", Expect::Absent)]).await, Err(StoreError::Conflict));
    let key = Key { partition, id: "a".to_owned() };
    assert_eq!(store.get(&key).await.map(|record| record.map(|record| record.value)), Ok(Some("1".to_owned())));
}
