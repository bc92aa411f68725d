//! Making the table where no deployment file does: the native binary, emulators, tests.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TableStatus,
    TimeToLiveSpecification,
};

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
    let failed = |detail: String| TableError { table: table.to_owned(), detail };
    let attribute =
        |name| AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build();
    let key = |name, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    let request = client
        .create_table()
        .table_name(table)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute(PARTITION).map_err(|error| failed(error.to_string()))?)
        .attribute_definitions(attribute(ID).map_err(|error| failed(error.to_string()))?)
        .key_schema(key(PARTITION, KeyType::Hash).map_err(|error| failed(error.to_string()))?)
        .key_schema(key(ID, KeyType::Range).map_err(|error| failed(error.to_string()))?);
    match request.send().await {
        Ok(_) => {}
        Err(error) if error.code() == Some("ResourceInUseException") => {}
        Err(error) => return Err(failed(DisplayErrorContext(error).to_string())),
    }
    wait_until_active(client, table).await.map_err(failed)?;
    let ttl = TimeToLiveSpecification::builder().attribute_name(TTL).enabled(true).build();
    let ttl = ttl.map_err(|error| failed(error.to_string()))?;
    match client.update_time_to_live().table_name(table).time_to_live_specification(ttl).send().await {
        Ok(_) => Ok(()),
        // It is on already.
        Err(error) if error.code() == Some("ValidationException") => Ok(()),
        Err(error) => Err(failed(DisplayErrorContext(error).to_string())),
    }
}

async fn wait_until_active(client: &Client, table: &str) -> Result<(), String> {
    for _ in 0..300 {
        let described = client.describe_table().table_name(table).send().await;
        let described = described.map_err(|error| DisplayErrorContext(error).to_string())?;
        if described.table().and_then(|table| table.table_status()) == Some(&TableStatus::Active) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err("it did not become active in 30 s".to_owned())
}
