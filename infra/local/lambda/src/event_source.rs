//! A queue in an emulated SQS, and its event source mapping: batches of messages become invocations, and what the
//! function does not complain about is deleted. What it complains about comes again, and after some times is a dead
//! letter. As `template.yaml` has it, but for the time that a message takes to come again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, QueueAttributeName};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::function::Function;

/// How many messages an invocation gets at most.
const BATCH: i32 = 2;
/// After how many seconds a message that was not deleted comes again.
const COMES_AGAIN: &str = "10";
/// Batches that are under way at once.
pub(crate) const BATCHES: usize = 4;
/// How long after nothing came it is asked for again.
const PAUSE: Duration = Duration::from_millis(50);
/// How long a tick waits for its tasks.
const LONGEST_WAIT: Duration = Duration::from_secs(15);
/// How often it comes.
const TRIES: u8 = 3;

/// The queue of tasks.
#[derive(Clone)]
pub(crate) struct EventSource {
    client: Client,
    url: String,
    /// How often nothing came while nothing was under way.
    quiet: Arc<AtomicU64>,
}

impl EventSource {
    /// Makes the queue and that of its dead letters.
    pub(crate) async fn create(endpoint: &str) -> Result<Self> {
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(Credentials::new("local", "local", None, None, "emulator"))
            .endpoint_url(endpoint)
            .build();
        let client = Client::from_conf(config);
        let dead = client.create_queue().queue_name("vestibule-tasks-dead").send().await.context("making a queue")?;
        let arn = QueueAttributeName::QueueArn;
        let attributes = client.get_queue_attributes().set_queue_url(dead.queue_url).attribute_names(arn.clone());
        let attributes = attributes.send().await.context("asking for a queue")?;
        let dead = attributes.attributes().and_then(|found| found.get(&arn)).context("a queue has an ARN")?;
        let redrive = json!({ "deadLetterTargetArn": dead, "maxReceiveCount": TRIES }).to_string();
        let made = client
            .create_queue()
            .queue_name("vestibule-tasks")
            .attributes(QueueAttributeName::VisibilityTimeout, COMES_AGAIN)
            .attributes(QueueAttributeName::RedrivePolicy, redrive);
        let made = made.send().await.context("making a queue")?;
        Ok(Self { client, url: made.queue_url.context("a queue has an address")?, quiet: Arc::default() })
    }

    /// Its address, as the functions are told it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Puts a message of one task in.
    pub(crate) async fn send(&self, task: &str) -> Result<()> {
        let body = format!("[{task}]");
        self.client.send_message().queue_url(&self.url).message_body(body).send().await.context("sending a message")?;
        Ok(())
    }

    /// Waits until what was sent is worked, and what came of that. Not for ever: others may go on sending.
    pub(crate) async fn drained(&self) {
        let before = self.quiet.load(Ordering::Relaxed);
        for _ in 0..LONGEST_WAIT.as_millis() / PAUSE.as_millis() {
            // The first look may have begun before.
            if self.quiet.load(Ordering::Relaxed) >= before + 2 {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Invokes the function with what comes, for ever: several batches at once, as Lambda does.
    pub(crate) async fn invoke(self, function: Arc<Function>) {
        let room = Arc::new(Semaphore::new(BATCHES));
        loop {
            let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
            let messages = match self.receive().await {
                Ok(messages) if !messages.is_empty() => messages,
                // An emulator that is made to wait spends its time on that.
                Ok(_) => {
                    // One place is the one just taken.
                    self.quiet.fetch_add(u64::from(room.available_permits() == BATCHES - 1), Ordering::Relaxed);
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
                Err(error) => {
                    eprintln!("the queue: {error:#}");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            let (source, function) = (self.clone(), Arc::clone(&function));
            tokio::spawn(async move {
                if let Err(error) = source.work(&function, messages).await {
                    eprintln!("the queue: {error:#}");
                }
                drop(place);
            });
        }
    }

    async fn receive(&self) -> Result<Vec<Message>> {
        let receive = self.client.receive_message().queue_url(&self.url).max_number_of_messages(BATCH);
        let received = receive.wait_time_seconds(0).send().await.context("receiving messages")?;
        Ok(received.messages.unwrap_or_default())
    }

    async fn work(&self, function: &Function, messages: Vec<Message>) -> Result<()> {
        let event = json!({ "Records": messages.iter().map(record).collect::<Vec<_>>() });
        let answer = function.invoke(function.request_id(), event.to_string().into()).await;
        let failed = match answer {
            Ok(answer) => failures(&serde_json::from_slice(&answer)?),
            // All of them.
            Err(reason) => anyhow::bail!("the function failed: {reason}"),
        };
        let mut done = Vec::new();
        for (number, message) in messages.into_iter().enumerate() {
            let is_failed = message.message_id.as_ref().is_some_and(|id| failed.contains(id));
            if let Some(receipt) = message.receipt_handle.filter(|_| !is_failed) {
                let entry = DeleteMessageBatchRequestEntry::builder().id(number.to_string()).receipt_handle(receipt);
                done.push(entry.build()?);
            }
        }
        if !done.is_empty() {
            let delete = self.client.delete_message_batch().queue_url(&self.url).set_entries(Some(done));
            delete.send().await.context("deleting messages")?;
        }
        Ok(())
    }
}

/// A message, as an event has it.
fn record(message: &Message) -> Value {
    json!({
        "messageId": message.message_id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": { "ApproximateReceiveCount": "1" },
        "messageAttributes": {},
        "md5OfBody": message.md5_of_body,
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:vestibule-tasks",
        "awsRegion": "us-east-1",
    })
}

/// Which messages an answer names (`ReportBatchItemFailures`).
fn failures(answer: &Value) -> Vec<String> {
    let named = answer.get("batchItemFailures").and_then(Value::as_array).into_iter().flatten();
    named.filter_map(|failure| failure.get("itemIdentifier")?.as_str().map(str::to_owned)).collect()
}
