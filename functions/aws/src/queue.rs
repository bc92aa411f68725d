//! Tasks through SQS. What is sent comes back as events of the function `vestibule-sync`; see [`crate::event`].

use std::time::Duration;

use async_trait::async_trait;
use aws_config::BehaviorVersion;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use futures_util::{StreamExt, stream};
use vestibule_core::platform::{Queue, QueueError, Task};

use crate::store::{retries, timeouts};

/// SQS takes no more messages at once.
const MOST_AT_ONCE: usize = 10;
/// Requests under way at once.
const SIDE_BY_SIDE: usize = 4;
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

    async fn send_some(&self, tasks: &[Task]) -> Result<(), QueueError> {
        let entry = |(number, task): (usize, &Task)| {
            let body = serde_json::to_string(task).map_err(|error| QueueError(error.to_string()))?;
            let entry = SendMessageBatchRequestEntry::builder().id(number.to_string()).message_body(body).build();
            entry.map_err(|error| QueueError(error.to_string()))
        };
        let entries = tasks.iter().enumerate().map(entry).collect::<Result<_, _>>()?;
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
        // What can be sent is sent, whatever became of the others.
        let sending: Vec<_> = tasks.chunks(MOST_AT_ONCE).map(|some| self.send_some(some)).collect();
        let sent: Vec<_> = stream::iter(sending).buffer_unordered(SIDE_BY_SIDE).collect().await;
        sent.into_iter().collect()
    }
}
