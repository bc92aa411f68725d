//! People, as far as an administrator switches them on and off here.

use serde::Deserialize;

use super::check_id;
use crate::Broker;
use crate::directory;
use crate::error::{AdminError, Error};
use crate::model::user::User;
use crate::store::{MAX_ID_BYTES, key};

/// What an administrator sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserInput {
    /// Whether the person may sign in. `false` ends all of their sessions before the answer is sent.
    pub active: bool,
}

/// A person.
pub async fn get(broker: &Broker, tenant: &str, id: &str) -> Result<User, Error> {
    check(tenant, id)?;
    let found = key::user(tenant, id).get(&*broker.platform.store).await?;
    Ok(found.ok_or(AdminError::NotFound)?.value)
}

/// Switches a person on or off.
pub async fn put(broker: &Broker, tenant: &str, id: &str, input: &UserInput) -> Result<User, Error> {
    check(tenant, id)?;
    directory::set_active(broker, tenant, id, input.active).await?.ok_or(AdminError::NotFound.into())
}

fn check(tenant: &str, id: &str) -> Result<(), AdminError> {
    check_id("tenant", tenant)?;
    // An id that we never gave out names nobody.
    if id.is_empty() || id.len() > MAX_ID_BYTES / 4 { Err(AdminError::NotFound) } else { Ok(()) }
}
