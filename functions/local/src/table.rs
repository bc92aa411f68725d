//! The embedded DynamoDB: the same API and the same adapter as on AWS, over one SQLite file.
//!
//! It listens on loopback without a password, as emulators do: whoever can run programs on this machine can reach it.

use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use dynoxide::Database;
use tokio::net::TcpListener;
use tokio::time::{MissedTickBehavior, interval};
use vestibule_aws::store::{client, create_table};
use vestibule_aws::{Settings, environment};

use crate::arguments::Dynamodb;
use crate::data::DataDir;
use crate::{listen, say, start_log};

/// How often expired records are deleted. AWS takes up to some days; the store does not rely on it.
const SWEEP: Duration = Duration::from_mins(1);

/// Opens the database, serves it on `listener` for the life of the process, and makes the table.
pub(crate) async fn start(database: Database, listener: TcpListener, table: &str) -> Result<String> {
    let address = listener.local_addr().context("the embedded DynamoDB has no address")?;
    let endpoint = format!("http://{address}");
    tokio::spawn(sweep(database.clone()));
    tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()));
    create_table(&client(Some(&endpoint)).await, table).await?;
    Ok(endpoint)
}

/// The database in the data directory.
pub(crate) fn open(data: &DataDir) -> Result<Database> {
    let path = data.table();
    let text = path.to_str().ok_or_else(|| anyhow!("{} is not Unicode", path.display()))?;
    Database::new(text).map_err(|error| anyhow!("{error}")).with_context(|| format!("{text} cannot be opened"))
}

/// Deletes what has expired. Each page is looked at and deleted under the database's lock, so a record that was
/// written again in the meantime stays.
async fn sweep(database: Database) {
    let mut every = interval(SWEEP);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        let database = database.clone();
        match tokio::task::spawn_blocking(move || database.sweep_ttl()).await {
            Ok(Ok(0)) => {}
            Ok(Ok(deleted)) => tracing::debug!(deleted, "expired records deleted"),
            Ok(Err(error)) => tracing::error!(%error, "expired records could not be deleted"),
            Err(_) => return,
        }
    }
}

/// `vestibule dynamodb`.
pub(crate) async fn run(arguments: &Dynamodb) -> Result<()> {
    let settings = Settings::from_vars(environment);
    start_log()?;
    let listener = listen::bind(arguments.listen, "the embedded DynamoDB", "--listen").await?;
    let (database, place) = if arguments.memory {
        (Database::memory().map_err(|error| anyhow!("{error}"))?, "memory".to_owned())
    } else {
        let data = DataDir::open(&arguments.data)?;
        (open(&data)?, data.table().display().to_string())
    };
    let endpoint = start(database, listener, &settings.table).await?;
    say(&format!("DynamoDB at {endpoint}, table {}, kept in {place}", settings.table));
    say(&format!("Use it with VESTIBULE_DYNAMODB_ENDPOINT={endpoint}"));
    listen::signal().await
}
