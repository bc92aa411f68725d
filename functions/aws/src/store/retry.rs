//! Asking again when transactions stand in each other's way: the one place for it.
//!
//! Throttling and lost connections are the SDK's to repeat, see [`super::client()`].

use std::time::Duration;

use vestibule_core::platform::Random;
use vestibule_core::store::StoreError;

use super::failure::Failure;

/// Attempts in all. With the waits below, under 0.4 s before the caller hears `Busy`.
const ATTEMPTS: u32 = 6;
/// The longest first wait; each further one may be twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(10);

/// Runs `attempt` until it is not contended, at most [`ATTEMPTS`] times.
pub(super) async fn while_contended<T, F>(random: &dyn Random, attempt: impl Fn() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, Failure>>,
{
    for number in 0..ATTEMPTS {
        match attempt().await {
            Ok(done) => return Ok(done),
            Err(Failure::Store(error)) => return Err(error),
            Err(Failure::Contended) => tokio::time::sleep(wait(random, number)).await,
        }
    }
    Err(StoreError::Busy("transactions in conflict".to_owned()))
}

/// Anything from nothing to the longest wait, so that two that met do not meet again.
fn wait(random: &dyn Random, number: u32) -> Duration {
    let mut byte = [0];
    random.fill(&mut byte);
    let [share] = byte;
    FIRST_WAIT * 2_u32.pow(number) * u32::from(share) / 255
}
