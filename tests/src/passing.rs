//! Time and tasks of a deployment under test: its clock is moved, its schedule runs and its queue is filled at a test's
//! word.

use std::time::Duration;

use crate::deployment::Deployment;
use crate::platform::http_client;
use crate::reply::Reply;

/// How long what is done soon may take: tasks of other tests' tenants may stand in line before it.
const SOON: Duration = Duration::from_mins(1);

impl Deployment {
    /// Lets time pass for the broker, the providers and the tests. Only where no other test runs at the same time.
    pub fn pass(&self, seconds: i64) {
        let file = self.clock.as_ref().expect("VESTIBULE_TEST_CLOCK is needed; `cargo xtask test` sets it");
        let ahead: i64 = std::fs::read_to_string(file).expect("a clock").trim().parse().expect("seconds");
        // In one step: others read meanwhile.
        let next = format!("{file}.next");
        std::fs::write(&next, (ahead + seconds).to_string()).expect("a clock can be set");
        std::fs::rename(next, file).expect("a clock can be set");
    }

    /// Runs the minute's tick.
    pub async fn run_tick(&self) {
        let tick = self.tick.as_ref().expect("VESTIBULE_TEST_TICK is needed; `cargo xtask test` sets it");
        let reply = Reply::of(http_client().post(tick)).await;
        assert!(reply.status.is_success(), "{} {}", reply.status, reply.body);
    }

    /// Lets a quarter of an hour pass, minute by minute, and so every slot.
    pub async fn quarter_of_an_hour(&self) {
        for _ in 0..15 {
            self.pass(60);
            self.run_tick().await;
            // What a tick asks for is done by others, in no time. It is to be done in its minute.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Puts a message into the queue.
    pub async fn enqueue(&self, message: &str) {
        let tasks = self.tasks.as_ref().expect("VESTIBULE_TEST_TASKS is needed; `cargo xtask test` sets it");
        let reply = Reply::of(http_client().post(tasks).body(message.to_owned())).await;
        assert!(reply.status.is_success(), "{} {}", reply.status, reply.body);
    }
}

/// Waits until something is so, which it is soon. Fails with `what` otherwise.
pub async fn soon<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    assert!(tokio::time::timeout(SOON, waiting).await.is_ok(), "not soon: {what}");
}
