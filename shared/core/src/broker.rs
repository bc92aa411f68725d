//! The broker: configuration and platform, the root that every flow hangs from.

use crate::config::Config;
use crate::error::Error;
use crate::platform::Platform;

/// One broker: what a request or a tick is handed to. One per process or isolate.
pub struct Broker {
    /// What the deployment set.
    pub config: Config,
    /// The world.
    pub platform: Platform,
}

/// What a tick did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct TickReport {
    /// Partitions looked at.
    pub partitions: u32,
    /// Effects that were owed and are done now.
    pub effects: u32,
    /// Dead records removed.
    pub swept: u32,
}

impl Broker {
    /// A broker in this world.
    pub fn new(config: Config, platform: Platform) -> Self {
        Self { config, platform }
    }

    /// Works off what is due now. The scheduled entry point of every runtime calls it once a minute.
    pub async fn tick(&self) -> Result<TickReport, Error> {
        Ok(TickReport::default())
    }
}
