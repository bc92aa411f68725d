//! The queue of a test. What is sent is worked at once, in order, before `send` returns, so that a tick or a request
//! leaves nothing behind; a test that wants to see what waits holds the queue and drains it when it likes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use async_trait::async_trait;
use vestibule_core::broker::WorkReport;
use vestibule_core::platform::{Platform, Queue, QueueError, Task};
use vestibule_core::{Broker, Config};

/// Tasks on their way to the broker that sent them.
pub struct TestQueue {
    broker: Weak<Broker>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Task>,
    held: bool,
    is_broken: bool,
    is_working: bool,
    done: WorkReport,
}

/// A broker with a queue of its own.
pub(super) fn with_queue(config: Config, mut platform: Platform) -> (Arc<Broker>, Arc<TestQueue>) {
    let mut queue = None;
    let broker = Arc::new_cyclic(|broker: &Weak<Broker>| {
        let made = Arc::new(TestQueue { broker: broker.clone(), state: Mutex::default() });
        platform.queue = made.clone();
        queue = Some(made);
        Broker::new(config, platform)
    });
    (broker, queue.expect("it was just made"))
}

impl TestQueue {
    /// From now on tasks wait until [`TestQueue::drain`].
    pub fn hold(&self) {
        self.state().held = true;
    }

    /// From now on tasks are worked at once, as in the beginning. What waits waits for the next one.
    pub fn release(&self) {
        self.state().held = false;
    }

    /// From now on nothing can be sent.
    pub fn stop(&self) {
        self.state().is_broken = true;
    }

    /// What waits.
    pub fn waiting(&self) -> Vec<Task> {
        self.state().waiting.iter().cloned().collect()
    }

    /// Loses what waits.
    pub fn lose(&self) {
        self.state().waiting.clear();
    }

    /// What was done so far, and not asked for yet: the sum of the reports. A task that fails counts as one failure.
    pub fn done(&self) -> WorkReport {
        std::mem::take(&mut self.state().done)
    }

    /// Works what waits and what is sent meanwhile.
    pub async fn drain(&self) -> WorkReport {
        self.work().await;
        self.done()
    }

    async fn work(&self) {
        while let Some(task) = self.next() {
            let broker = self.broker.upgrade().expect("its broker is there");
            let outcome = broker.work(&task).await;
            let sum = &mut self.state().done;
            match outcome {
                Ok(report) => {
                    sum.effects += report.effects;
                    sum.examined += report.examined;
                    sum.failed += report.failed;
                }
                Err(_) => sum.failed += 1,
            }
        }
    }

    fn next(&self) -> Option<Task> {
        let mut state = self.state();
        let next = state.waiting.pop_front();
        state.is_working = next.is_some();
        next
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panicked")
    }
}

#[async_trait]
impl Queue for TestQueue {
    /// Fails when something that it worked failed, so that a tick's report shows it.
    async fn send(&self, tasks: Vec<Task>) -> Result<(), QueueError> {
        {
            let mut state = self.state();
            if state.is_broken {
                return Err(QueueError("stopped".to_owned()));
            }
            state.waiting.extend(tasks);
            // Who works already comes to these too.
            if state.held || state.is_working {
                return Ok(());
            }
        }
        let before = self.state().done.failed;
        self.work().await;
        match self.state().done.failed - before {
            0 => Ok(()),
            failed => Err(QueueError(format!("{failed} failed"))),
        }
    }
}
