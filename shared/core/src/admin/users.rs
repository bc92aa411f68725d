//! People, as far as an administrator switches them on and off, ends their sessions and removes them.

use schemars::JsonSchema;
use serde::Deserialize;

use super::change::{self, Change, Tagged};
use super::paging::{self, Page, Paging};
use super::{Checked, Put, check_id, tenants};
use crate::Broker;
use crate::audit;
use crate::directory;
use crate::error::{AdminError, Error};
use crate::model::audit::AuditKind;
use crate::model::session::EndReason;
use crate::model::user::User;
use crate::sessions;
use crate::store::{MAX_ID_BYTES, key};

/// What an administrator sends.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserInput {
    /// Whether the person may sign in. `false` ends all of their sessions before the answer is sent.
    pub active: bool,
}

/// A person.
pub async fn get(broker: &Broker, tenant: &str, id: &str) -> Result<Tagged<User>, Error> {
    check(tenant, id)?;
    let found = key::user(tenant, id).get(&*broker.platform.store).await?;
    show(broker, found.ok_or(AdminError::NotFound)?.value)
}

/// The people of a tenant that exists.
pub async fn list(broker: &Broker, tenant: &str, paging: &Paging) -> Result<Page<User>, Error> {
    tenants::exists(broker, tenant).await?;
    paging::list(broker, key::directory(tenant), key::USER, paging, |_, user| user).await
}

fn show(broker: &Broker, user: User) -> Result<Tagged<User>, Error> {
    Ok(Tagged { tag: change::tag(broker, &user)?, object: user })
}

/// Switches a person on or off.
pub async fn put(
    broker: &Broker,
    change: &Change,
    tenant: &str,
    id: &str,
    Checked { input, problems }: Checked<UserInput>,
) -> Result<(Put, Tagged<User>), Error> {
    check(tenant, id)?;
    problems.none()?;
    let changed = directory::set_active(broker, change, tenant, id, input.active).await?;
    Ok((Put::Replaced, show(broker, changed.ok_or(AdminError::NotFound)?)?))
}

/// Ends all sessions of a person, who may sign in again.
pub async fn end_sessions(broker: &Broker, change: &Change, tenant: &str, id: &str) -> Result<Tagged<User>, Error> {
    check(tenant, id)?;
    let found = key::user(tenant, id).get(&*broker.platform.store).await?.ok_or(AdminError::NotFound)?;
    change.expect(broker, Some(&found))?;
    let kind = AuditKind::SessionsEnded { administrator: change.by.administrator.clone() };
    sessions::end::end_all(broker, tenant, id, kind, EndReason::Administrator).await?;
    show(broker, found.value)
}

/// Removes a person, with all sessions before the answer is sent. Whoever comes by the same identity again is somebody
/// new.
pub async fn delete(broker: &Broker, change: &Change, tenant: &str, id: &str) -> Result<(), Error> {
    check(tenant, id)?;
    let found = key::user(tenant, id).get(&*broker.platform.store).await?.ok_or(AdminError::NotFound)?;
    change.expect(broker, Some(&found))?;
    let kind = AuditKind::UserDeleted { administrator: change.by.administrator.clone() };
    let audit = audit::owe(broker, key::directory(tenant), tenant, audit::event(broker, kind).about(id))?;
    directory::remove(broker, tenant, &found, audit).await.map_err(|error| change.lost(error))
}

pub(super) fn check(tenant: &str, id: &str) -> Result<(), AdminError> {
    check_id("tenant", tenant)?;
    // An id that we never gave out names nobody.
    if id.is_empty() || id.len() > MAX_ID_BYTES / 4 { Err(AdminError::NotFound) } else { Ok(()) }
}
