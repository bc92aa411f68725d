//! The queue: work that somebody is to do soon, and nobody waits for.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// A partition that may owe something. Travels as JSON; doing one twice, late or never does no harm, because what is
/// owed is in the partition and the tick comes by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Task {
    /// The partition's name.
    pub partition: String,
    /// The id of the record after which it goes on; from the first one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// Takes tasks to [`Broker::work`](crate::Broker::work).
#[async_trait]
pub trait Queue: Send + Sync {
    /// Sends tasks on and does not wait for what comes of them. Each arrives soon: once as a rule, perhaps twice,
    /// perhaps never, in any order.
    async fn send(&self, tasks: Vec<Task>) -> Result<(), QueueError>;

    /// How many steps of long work one task may make here, each of at most eight calls to the world. A platform that
    /// limits the calls of an invocation says fewer.
    fn steps(&self) -> usize {
        8
    }
}

/// Why tasks were not sent.
#[derive(Debug, thiserror::Error)]
#[error("queue: {0}")]
pub struct QueueError(pub String);

/// No queue: tasks are forgotten. For a broker that lives for one request, or that nobody ticks.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoQueue;

#[async_trait]
impl Queue for NoQueue {
    async fn send(&self, _: Vec<Task>) -> Result<(), QueueError> {
        Ok(())
    }
}
