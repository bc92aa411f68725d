//! Making the table where no deployment file does: the native binary, emulators, tests.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TableStatus,
    TimeToLiveSpecification, TimeToLiveStatus,
};

use super::failure::describe;
use super::item::{ID, PARTITION, TTL};

/// Why there is no table.
#[derive(Debug, thiserror::Error)]
#[error("the table {table} could not be made: {detail}")]
pub struct TableError {
    table: String,
    detail: String,
}

/// Makes the table with its Time to Live if it is missing, and returns when it can be used.
pub async fn create_table(client: &Client, table: &str) -> Result<(), TableError> {
    let made = async {
        if status(client, table).await?.is_none() {
            create(client, table).await?;
        }
        wait_until_active(client, table).await?;
        expire(client, table).await
    };
    made.await.map_err(|detail| TableError { table: table.to_owned(), detail })
}

async fn create(client: &Client, table: &str) -> Result<(), String> {
    let attribute =
        |name| AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build();
    let key = |name, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    let request = client
        .create_table()
        .table_name(table)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute(PARTITION).map_err(incomplete)?)
        .attribute_definitions(attribute(ID).map_err(incomplete)?)
        .key_schema(key(PARTITION, KeyType::Hash).map_err(incomplete)?)
        .key_schema(key(ID, KeyType::Range).map_err(incomplete)?);
    match request.send().await {
        Ok(_) => Ok(()),
        // Another process was quicker.
        Err(error) if error.code() == Some("ResourceInUseException") => Ok(()),
        Err(error) => Err(describe(&error)),
    }
}

async fn expire(client: &Client, table: &str) -> Result<(), String> {
    let described = client.describe_time_to_live().table_name(table).send().await.map_err(|error| describe(&error))?;
    let status = described.time_to_live_description().and_then(|ttl| ttl.time_to_live_status());
    if matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)) {
        return Ok(());
    }
    let ttl = TimeToLiveSpecification::builder().attribute_name(TTL).enabled(true).build().map_err(incomplete)?;
    client
        .update_time_to_live()
        .table_name(table)
        .time_to_live_specification(ttl)
        .send()
        .await
        .map_err(|error| describe(&error))?;
    Ok(())
}

/// The table's status; `None` when there is no table.
async fn status(client: &Client, table: &str) -> Result<Option<TableStatus>, String> {
    match client.describe_table().table_name(table).send().await {
        Ok(described) => Ok(described.table.and_then(|table| table.table_status)),
        Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(None),
        Err(error) => Err(describe(&error)),
    }
}

async fn wait_until_active(client: &Client, table: &str) -> Result<(), String> {
    for _ in 0..300 {
        if status(client, table).await? == Some(TableStatus::Active) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err("it did not become active in 30 s".to_owned())
}

#[expect(clippy::needless_pass_by_value, reason = "what `map_err` hands over")]
fn incomplete(error: BuildError) -> String {
    error.to_string()
}
