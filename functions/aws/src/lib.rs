//! The broker's platform on AWS: DynamoDB, SQS, aws-lc-rs, reqwest and the system's clock and generator.
//!
//! Two Lambda functions use it (`vestibule-http`, `vestibule-sync`), and the native binary over an embedded table.

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use vestibule_core::platform::QueueError;
use vestibule_core::{Broker, Config};

pub mod crypto;
pub mod event;
pub mod http;
pub mod log;
pub mod platform;
pub mod queue;
pub mod settings;
pub mod store;
pub mod telemetry;
#[cfg(feature = "test-clock")]
mod test_clock;

pub use platform::{SystemClock, SystemRandom, platform};
pub use queue::SqsQueue;
pub use settings::{Settings, environment};
pub use store::DynamoStore;

/// Why the process cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The broker's configuration, with everything that is wrong with it.
    #[error(transparent)]
    Config(#[from] vestibule_core::config::ConfigErrors),
    /// The log filter.
    #[error("{0}")]
    Log(String),
    /// The queue.
    #[error("{0}")]
    Queue(#[from] vestibule_core::platform::QueueError),
    /// The address of a collector.
    #[error("VESTIBULE_OTLP_ENDPOINT: {0}")]
    Telemetry(#[from] opentelemetry_otlp::ExporterBuildError),
    /// The client for identity providers.
    #[error("{0}")]
    Http(#[from] vestibule_core::platform::HttpError),
}

/// A broker from the environment: what both Lambda functions start with. Logs are JSON lines.
pub async fn start() -> Result<Broker, StartError> {
    let settings = Settings::from_vars(environment);
    log::start(&settings.log, log::Lines::Json).map_err(StartError::Log)?;
    if let Some(endpoint) = &settings.otlp_endpoint {
        telemetry::start(endpoint, telemetry::Sending::WithEachAnswer)?;
    }
    let config = Config::from_vars(environment)?;
    let missing = || QueueError("VESTIBULE_QUEUE_URL is not set".to_owned());
    let queue = SqsQueue::new(settings.queue_url.clone().ok_or_else(missing)?).await?;
    let platform = platform(&config, &settings, Arc::new(queue)).await?;
    Ok(Broker::new(config, platform))
}

/// Says why the process ends, on standard error, and gives the exit code for it.
pub fn report(problem: &(dyn Error + 'static)) -> ExitCode {
    eprintln!("vestibule: {problem}");
    ExitCode::FAILURE
}
