//! The queue of one process: tasks in memory, and a few workers. What is lost at the end of the process is the tick's.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::Notify;
use vestibule_aws::telemetry;
use vestibule_core::Broker;
use vestibule_core::platform::{Queue, QueueError, Task};

/// Tasks done side by side: one that waits for a slow provider holds up no other.
const WORKERS: usize = 8;

/// Tasks that wait. One that waits already is not taken a second time.
#[derive(Default)]
pub(crate) struct LocalQueue {
    waiting: Mutex<Waiting>,
    sent: Notify,
}

#[derive(Default)]
struct Waiting {
    order: VecDeque<Task>,
    known: HashSet<Task>,
}

impl LocalQueue {
    /// Works on what is sent from now on.
    pub(crate) fn start(self: &Arc<Self>, broker: &Arc<Broker>) {
        for _ in 0..WORKERS {
            let (queue, broker) = (Arc::clone(self), Arc::clone(broker));
            tokio::spawn(async move {
                loop {
                    let task = queue.next().await;
                    let outcome = broker.work(&task).await;
                    telemetry::worked(outcome.as_ref());
                    match outcome {
                        Ok(report) => tracing::debug!(partition = task.partition, ?report, "work"),
                        Err(error) => {
                            let error = &error as &dyn std::error::Error;
                            tracing::error!(partition = task.partition, error, "work.failed");
                        }
                    }
                }
            });
        }
    }

    async fn next(&self) -> Task {
        loop {
            let mut sent = std::pin::pin!(self.sent.notified());
            // Before the look, so that what is sent right after it is noticed.
            sent.as_mut().enable();
            if let Some(task) = self.take() {
                return task;
            }
            sent.await;
        }
    }

    fn take(&self) -> Option<Task> {
        let mut waiting = self.waiting();
        let task = waiting.order.pop_front()?;
        waiting.known.remove(&task);
        Some(task)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Queue for LocalQueue {
    async fn send(&self, tasks: Vec<Task>) -> Result<(), QueueError> {
        let mut waiting = self.waiting();
        for task in tasks {
            if waiting.known.insert(task.clone()) {
                waiting.order.push_back(task);
                self.sent.notify_one();
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(partition: &str) -> Task {
        Task { partition: partition.to_owned(), after: None }
    }

    #[tokio::test]
    async fn a_task_that_waits_is_not_taken_twice() {
        let queue = LocalQueue::default();
        queue.send(vec![task("a"), task("b"), task("a")]).await.expect("room");
        assert_eq!((queue.take(), queue.take(), queue.take()), (Some(task("a")), Some(task("b")), None));
        queue.send(vec![task("a")]).await.expect("room");
        assert_eq!(queue.take(), Some(task("a")), "what was taken can be sent again");
    }

    #[tokio::test]
    async fn whoever_waits_is_woken_for_each_task() {
        let queue = Arc::new(LocalQueue::default());
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                let queue = Arc::clone(&queue);
                tokio::spawn(async move { queue.next().await.partition })
            })
            .collect();
        tokio::task::yield_now().await;
        queue.send(vec![task("a"), task("b"), task("c")]).await.expect("room");
        let mut taken = Vec::new();
        for waiting in waiting {
            taken.push(waiting.await.expect("taken"));
        }
        taken.sort();
        assert_eq!(taken, ["a", "b", "c"]);
    }
}
