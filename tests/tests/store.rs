//! The store conformance suite on every back-end that runs outside a Worker, and what only `DynamoDB` can do.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use vestibule_aws::store::{client, create_table};
use vestibule_aws::{DynamoStore, SystemClock, SystemRandom, environment};
use vestibule_core::platform::Clock;
use vestibule_core::store::memory::MemoryStore;
use vestibule_core::store::{Expect, Key, Partition, Store, StoreError, Write};
use vestibule_protocol::time::{Seconds, Timestamp};
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

async fn conforms(store: Arc<dyn Store>) {
    // Unlike the tag of any other run, so that a table which stays can be used again.
    let tag = format!("{}-{}", RealTime.now().seconds(), std::process::id());
    let outcomes = run(store, Arc::new(RealTime), &tag).await;
    assert!(outcomes.len() > 25, "the suite ran {} cases", outcomes.len());
    if let Some(failures) = failures(&outcomes) {
        panic!("{failures}");
    }
}

fn store_at(client: aws_sdk_dynamodb::Client, table: &str) -> DynamoStore {
    DynamoStore::new(client, table.to_owned(), Arc::new(SystemClock), Arc::new(SystemRandom))
}

/// A `DynamoDB` in this process and its address.
async fn embedded() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let database = dynoxide::Database::memory().expect("a database");
    tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()));
    endpoint
}

#[tokio::test]
async fn memory() {
    conforms(Arc::new(MemoryStore::new(Arc::new(SystemClock)))).await;
}

#[tokio::test]
async fn embedded_dynamodb() {
    let client = client(Some(&embedded().await)).await;
    create_table(&client, "conformance").await.expect("a table");
    create_table(&client, "conformance").await.expect("making it again changes nothing");
    conforms(Arc::new(store_at(client, "conformance"))).await;
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
    conforms(Arc::new(store_at(client, "conformance"))).await;
}
