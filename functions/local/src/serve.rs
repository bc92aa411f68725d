//! `vestibule serve`: the broker on hyper, the embedded table, the minute's tick and its tasks, and the demo.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::{MissedTickBehavior, interval};
use vestibule_aws::store::{client, create_table};
use vestibule_aws::telemetry::{self, Sending};
use vestibule_aws::{Settings, environment, platform};
use vestibule_core::{Broker, Config};

use crate::arguments::Serve;
use crate::data::DataDir;
use crate::listen::{self, Servers};
use crate::queue::LocalQueue;
use crate::{demo, say, start_log, table};

/// How often the broker plans what is due.
const TICK: Duration = Duration::from_mins(1);

pub(crate) async fn run(arguments: Serve) -> Result<()> {
    let mut settings = Settings::from_vars(environment);
    start_log()?;
    if let Some(endpoint) = &settings.otlp_endpoint {
        telemetry::start(endpoint, Sending::InBackground).context("VESTIBULE_OTLP_ENDPOINT")?;
    }
    let listener = listen::bind(arguments.listen, "the broker", "--listen").await?;
    // Taken before anything is written, so that a port in use leaves nothing half done.
    let stage = if arguments.no_demo { None } else { Some(demo::Stage::bind(&arguments.demo).await?) };
    let data = DataDir::open(&arguments.data)?;
    let config = config(&data, &listen::origin(&listener)?)?;
    if arguments.dynamodb_endpoint.is_some() {
        settings.dynamodb_endpoint = arguments.dynamodb_endpoint;
    }
    if let Some(endpoint) = &settings.dynamodb_endpoint {
        create_table(&client(Some(endpoint)).await, &settings.table).await?;
    } else {
        let local = "127.0.0.1:0".parse().context("the loopback address")?;
        let listener = listen::bind(local, "the embedded DynamoDB", "--dynamodb-endpoint").await?;
        let endpoint = table::start(table::open(&data)?, listener, &settings.table).await?;
        settings.dynamodb_endpoint = Some(endpoint);
    }
    let queue = Arc::new(LocalQueue::default());
    let platform = platform(&config, &settings, queue.clone()).await?;
    let (issuer, token) = (config.issuer.clone(), config.admin_token.clone());
    let local = listen::origin(&listener)?;
    let broker = Arc::new(Broker::new(config, platform));

    let mut servers = Servers::new();
    let router = telemetry::measured(vestibule_web::router(broker.clone()));
    #[cfg(feature = "test-clock")]
    let router = router.merge(crate::test_routes::router(&broker));
    servers.start(listener, router);
    queue.start(&broker);
    tokio::spawn(tick(broker));
    say(&format!("Vestibule {} at {issuer}", env!("CARGO_PKG_VERSION")));
    if environment("VESTIBULE_ADMIN_TOKEN").is_none() {
        say(&format!("The admin token is in {}", data.admin_token_path().display()));
    }
    if let Some(stage) = stage {
        stage.start(&mut servers, &issuer, &local, token.expose()).await?;
    }
    let served = servers.until_signal().await;
    telemetry::flush().await;
    served
}

/// The environment's configuration. Where it says nothing, that of a broker on this machine: its own address, secrets
/// made on the first start, and identity providers on loopback allowed.
fn config(data: &DataDir, origin: &str) -> Result<Config> {
    let set = |name: &str| environment(name).filter(|value| !value.trim().is_empty());
    let local = set("VESTIBULE_ISSUER").is_none();
    let issuer = set("VESTIBULE_ISSUER").unwrap_or_else(|| origin.to_owned());
    let keys = set("VESTIBULE_SEALING_KEYS").map_or_else(|| data.sealing_keys(), Ok)?;
    let token = set("VESTIBULE_ADMIN_TOKEN").map_or_else(|| data.admin_token(), Ok)?;
    let loopback = set("VESTIBULE_EGRESS_LOOPBACK").unwrap_or_else(|| local.to_string());
    Ok(Config::from_vars(|name| match name {
        "VESTIBULE_ISSUER" => Some(issuer.clone()),
        "VESTIBULE_SEALING_KEYS" => Some(keys.clone()),
        "VESTIBULE_ADMIN_TOKEN" => Some(token.clone()),
        "VESTIBULE_EGRESS_LOOPBACK" => Some(loopback.clone()),
        other => environment(other),
    })?)
}

/// What the schedule is on AWS. The first tick comes at once.
async fn tick(broker: Arc<Broker>) {
    let mut every = interval(TICK);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        let outcome = broker.tick().await;
        telemetry::ticked(outcome.as_ref());
        match outcome {
            Ok(report) => tracing::debug!(?report, "tick"),
            Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "tick failed"),
        }
    }
}
