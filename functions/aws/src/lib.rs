//! The broker's platform on AWS: DynamoDB, aws-lc-rs, reqwest and the system's clock and generator.
//!
//! Two Lambda functions use it (`vestibule-http`, `vestibule-sync`), and the native binary over an embedded table.

use std::error::Error;
use std::process::ExitCode;

use vestibule_core::{Broker, Config};

pub mod crypto;
pub mod http;
pub mod log;
pub mod platform;
pub mod settings;
pub mod store;

pub use platform::{SystemClock, SystemRandom, platform};
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
    /// The client for identity providers.
    #[error("{0}")]
    Http(#[from] vestibule_core::platform::HttpError),
}

/// A broker from the environment: what both Lambda functions start with. Logs are JSON lines.
pub async fn start() -> Result<Broker, StartError> {
    let settings = Settings::from_vars(environment);
    log::start(&settings.log, log::Lines::Json).map_err(StartError::Log)?;
    let config = Config::from_vars(environment)?;
    let platform = platform(&config, &settings).await?;
    Ok(Broker::new(config, platform))
}

/// Says why the process ends, on standard error, and gives the exit code for it.
pub fn report(problem: &(dyn Error + 'static)) -> ExitCode {
    eprintln!("vestibule: {problem}");
    ExitCode::FAILURE
}
