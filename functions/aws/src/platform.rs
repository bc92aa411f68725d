//! The traits of the core, from a deployment's settings.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use vestibule_core::Config;
use vestibule_core::platform::{Clock, HttpError, Platform, Queue, Random};
use vestibule_protocol::time::Timestamp;

use crate::crypto::AwsLc;
use crate::http::OutboundHttp;
use crate::settings::Settings;
use crate::store::{self, DynamoStore};

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system for the time")]
    fn now(&self) -> Timestamp {
        // A clock before 1970 is no clock; 0 makes every token look issued in the future, which is refused.
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let now = Timestamp::from_seconds(i64::try_from(seconds).unwrap_or(i64::MAX));
        #[cfg(feature = "test-clock")]
        let now = now + crate::test_clock::ahead();
        now
    }
}

/// The system's random generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system for randomness")]
    #[expect(clippy::panic, reason = "without randomness every secret that we make would be guessable")]
    fn fill(&self, bytes: &mut [u8]) {
        if let Err(error) = getrandom::fill(bytes) {
            panic!("the system gives no randomness: {error}");
        }
    }
}

/// The platform of a deployment whose tasks go to `queue`. Connects to nothing yet.
pub async fn platform(config: &Config, settings: &Settings, queue: Arc<dyn Queue>) -> Result<Platform, HttpError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let client = store::client(settings.dynamodb_endpoint.as_deref()).await;
    Ok(Platform {
        store: Arc::new(DynamoStore::new(client, settings.table.clone(), clock.clone(), random.clone())),
        http: Arc::new(OutboundHttp::new(config.egress_loopback)?),
        crypto: Arc::new(AwsLc::default()),
        queue,
        clock,
        random,
    })
}
