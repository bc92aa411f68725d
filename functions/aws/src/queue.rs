//! Tasks through SQS. What is sent comes back as events of the function `vestibule-sync`; see [`crate::event`].

use std::time::Duration;

use async_trait::async_trait;
use aws_config::BehaviorVersion;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use vestibule_core::platform::{Queue, QueueError, Task};

use crate::store::{retries, timeouts};

/// Tasks in one message: each message costs, and is received, worked and tried again whole.
const IN_A_MESSAGE: usize = 10;
/// SQS takes no more messages at once.
const MOST_AT_ONCE: usize = 10;
/// How long sending may take. Somebody may wait for the answer of the request that sends; the task itself can be done without.
const LONGEST: Duration = Duration::from_secs(3);

/// A standard queue of SQS: at least once, in any order.
pub struct SqsQueue {
    client: Client,
    url: String,
}

impl SqsQueue {
    /// The queue at `url`, such as `https://sqs.eu-central-1.amazonaws.com/123456789012/name`. Connects to nothing yet.
    pub async fn new(url: String) -> Result<Self, QueueError> {
        let unusable = || QueueError(format!("VESTIBULE_QUEUE_URL: {url} is no address of a queue"));
        let parsed = url.parse::<http::Uri>().map_err(|_| unusable())?;
        let (Some(scheme), Some(authority)) = (parsed.scheme_str(), parsed.authority()) else { return Err(unusable()) };
        let loader = aws_config::defaults(BehaviorVersion::latest()).retry_config(retries());
        let timeouts = timeouts().to_builder().operation_timeout(LONGEST).build();
        let loader = loader.timeout_config(timeouts);
        // Where the queue is, there is its API, in the region's own service and in an emulator.
        let config = loader.endpoint_url(format!("{scheme}://{authority}")).load().await;
        Ok(Self { client: Client::new(&config), url })
    }

    async fn send_some(&self, messages: &[String]) -> Result<(), QueueError> {
        let entry = |(number, body): (usize, &String)| {
            let entry = SendMessageBatchRequestEntry::builder().id(number.to_string()).message_body(body).build();
            entry.map_err(|error| QueueError(error.to_string()))
        };
        let entries = messages.iter().enumerate().map(entry).collect::<Result<_, _>>()?;
        let sent = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries)).send().await;
        let sent = sent.map_err(|error| QueueError(aws_sdk_sqs::error::DisplayErrorContext(&error).to_string()))?;
        match sent.failed().first() {
            None => Ok(()),
            Some(first) => {
                Err(QueueError(format!("{} messages were not taken: {}", sent.failed().len(), first.code())))
            }
        }
    }
}

#[async_trait]
impl Queue for SqsQueue {
    async fn send(&self, tasks: Vec<Task>) -> Result<(), QueueError> {
        let text = |tasks: &[Task]| serde_json::to_string(tasks).map_err(|error| QueueError(error.to_string()));
        let messages = tasks.chunks(IN_A_MESSAGE).map(text).collect::<Result<Vec<_>, _>>()?;
        // What can be sent is sent, whatever became of the others.
        let mut outcome = Ok(());
        for some in messages.chunks(MOST_AT_ONCE) {
            outcome = outcome.and(self.send_some(some).await);
        }
        outcome
    }
}
