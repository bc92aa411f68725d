//! A tenant's tokens for SCIM: made, listed, rotated, deleted. A token is shown once, and cannot be changed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vestibule_protocol::time::{Seconds, Timestamp};

use super::change::{self, Change, Done, Tagged};
use super::paging::{self, Page, Paging};
use super::problems::Problems;
use super::scim_access::{check_connection, check_room};
use super::{Checked, check_id, check_name, tenants};
use crate::Broker;
use crate::error::{AdminError, Error};
use crate::handle::{SecretHash, TenantHandle, TenantHandleKind, new_id, new_secret};
use crate::model::audit::ChangeKind;
use crate::model::scim_access::{MAX_OVERLAP, ScimToken};
use crate::store::{Expect, Write, key};

/// What an administrator sends.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScimTokenInput {
    /// What people call it.
    pub name: String,
    /// When it ends by itself, in seconds since 1970; never when left out.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// The connection that it belongs to: people whom it pushes sign in through no other. Through any when left out.
    #[serde(default)]
    pub connection: Option<String>,
}

/// How a token is rotated.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RotationInput {
    /// How long the token goes on beside the new one, in seconds, at most seven days; not at all when left out.
    #[serde(default = "at_once")]
    pub overlap_seconds: Seconds,
    /// When the new one ends by itself, in seconds since 1970. Left out, it lives as long as the old one was made for.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

const fn at_once() -> Seconds {
    Seconds(0)
}

/// What an administrator sees.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ScimTokenView {
    /// The token's id, which is no secret.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself; null for never.
    pub expires_at: Option<Timestamp>,
    /// When it was last seen, to the hour; null for not yet.
    pub last_used_at: Option<Timestamp>,
    /// The connection that it belongs to.
    pub connection: Option<String>,
    /// The token that takes its place, when it was rotated.
    pub replaced_by: Option<String>,
}

/// A token that was just made.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NewScimToken {
    /// What is seen of it later, too.
    #[serde(flatten)]
    pub view: ScimTokenView,
    /// The token itself. Nobody can read it again.
    pub token: String,
}

fn view(id: &str, token: ScimToken) -> ScimTokenView {
    let ScimToken { name, created_at, expires_at, last_used_at, connection, replaced_by, secret: _ } = token;
    ScimTokenView { id: id.to_owned(), name, created_at, expires_at, last_used_at, connection, replaced_by }
}

fn done<'a>(tenant: &'a str, id: &str, change: ChangeKind) -> Done<'a> {
    Done::new(tenant, format!("/tenants/{tenant}/scim-tokens/{id}"), change)
}

/// Makes a token.
pub async fn create(
    broker: &Broker,
    change: &Change,
    tenant: &str,
    Checked { input, mut problems }: Checked<ScimTokenInput>,
) -> Result<Tagged<NewScimToken>, Error> {
    tenants::exists(broker, tenant).await?;
    check_name(&mut problems, &input.name);
    check_end(broker, &mut problems, input.expires_at);
    check_connection(broker, &mut problems, tenant, input.connection.as_deref()).await?;
    problems.none()?;
    check_room(broker, tenant, key::SCIM_TOKEN).await?;
    let token = Made::new(broker, tenant, input.name, input.connection, input.expires_at);
    let (record, writes) = (key::scim_token(tenant, &token.handle.id), vec![token.write()?]);
    let done = done(tenant, &token.handle.id, ChangeKind::Created);
    change.commit(broker, record.partition(), writes, done).await?;
    token.show(broker)
}

/// Puts a new token of the same name and connection in a token's place. Of two who do so at once, one succeeds.
pub async fn rotate(
    broker: &Broker,
    change: &Change,
    (tenant, id): (&str, &str),
    Checked { input, mut problems }: Checked<RotationInput>,
) -> Result<Tagged<NewScimToken>, Error> {
    let record = key::scim_token(tenant, check(tenant, id)?);
    let found = record.get(&*broker.platform.store).await?.ok_or(AdminError::NotFound)?;
    if !(0..=MAX_OVERLAP.0).contains(&input.overlap_seconds.0) {
        problems.add("/overlap_seconds", "must be 0 to 604800");
    }
    check_end(broker, &mut problems, input.expires_at);
    problems.none()?;
    let (_, expect) = change.expect(broker, Some(&found))?;
    let mut old = found.value;
    if old.replaced_by.is_some() {
        return Err(
            AdminError::Invalid { field: "token", problem: "was rotated before: rotate the one after it" }.into()
        );
    }
    let now = broker.platform.clock.now();
    let life = old.expires_at.map(|end| now + Seconds(end.seconds() - old.created_at.seconds()));
    let new = Made::new(broker, tenant, old.name.clone(), old.connection.clone(), input.expires_at.or(life));
    let old_write = if input.overlap_seconds == at_once() {
        record.delete(expect)
    } else {
        check_room(broker, tenant, key::SCIM_TOKEN).await?;
        let end = now + input.overlap_seconds;
        let end = old.expires_at.map_or(end, |earlier| earlier.min(end));
        old.expires_at = Some(end);
        old.replaced_by = Some(new.handle.id.clone());
        record.put_until(&old, end, expect)?
    };
    let made = change.owe(broker, record.partition(), done(tenant, &new.handle.id, ChangeKind::Created)).await?;
    let writes = vec![old_write, new.write()?, made];
    change.commit(broker, record.partition(), writes, done(tenant, id, ChangeKind::Replaced)).await?;
    new.show(broker)
}

/// A token with its secret, before it is stored and after.
struct Made {
    handle: TenantHandle,
    token: ScimToken,
}

impl Made {
    fn new(
        broker: &Broker,
        tenant: &str,
        name: String,
        connection: Option<String>,
        expires_at: Option<Timestamp>,
    ) -> Self {
        let random = &*broker.platform.random;
        let handle = TenantHandle {
            kind: TenantHandleKind::ScimToken,
            tenant: tenant.to_owned(),
            id: new_id(random),
            secret: new_secret(random),
        };
        let token = ScimToken {
            name,
            secret: SecretHash::of(handle.secret.expose()),
            created_at: broker.platform.clock.now(),
            expires_at,
            last_used_at: None,
            connection,
            replaced_by: None,
        };
        Self { handle, token }
    }

    fn write(&self) -> Result<Write, Error> {
        let record = key::scim_token(&self.handle.tenant, &self.handle.id);
        Ok(record.put_for(&self.token, self.token.expires_at, Expect::Absent)?)
    }

    fn show(self, broker: &Broker) -> Result<Tagged<NewScimToken>, Error> {
        let token = self.handle.to_text();
        let Tagged { object: view, tag } = show(broker, &self.handle.id, self.token)?;
        Ok(Tagged { object: NewScimToken { view, token }, tag })
    }
}

fn check_end(broker: &Broker, problems: &mut Problems, end: Option<Timestamp>) {
    if end.is_some_and(|end| end.has_passed(broker.platform.clock.now())) {
        problems.add("/expires_at", "must lie in the future");
    }
}

fn show(broker: &Broker, id: &str, token: ScimToken) -> Result<Tagged<ScimTokenView>, Error> {
    let tag = change::tag(broker, &token)?;
    Ok(Tagged { object: view(id, token), tag })
}

/// A token, as far as it is shown.
pub async fn get(broker: &Broker, tenant: &str, id: &str) -> Result<Tagged<ScimTokenView>, Error> {
    let found = key::scim_token(tenant, check(tenant, id)?).get(&*broker.platform.store).await?;
    show(broker, id, found.ok_or(AdminError::NotFound)?.value)
}

/// The tokens that have not ended.
pub async fn list(broker: &Broker, tenant: &str, paging: &Paging) -> Result<Page<ScimTokenView>, Error> {
    tenants::exists(broker, tenant).await?;
    paging::list(broker, key::tenant_partition(tenant), key::SCIM_TOKEN, paging, view).await
}

/// Ends a token. Whoever holds it can do nothing more with it.
pub async fn delete(broker: &Broker, change: &Change, tenant: &str, id: &str) -> Result<(), Error> {
    let record = key::scim_token(tenant, check(tenant, id)?);
    change.remove(broker, &record, done(tenant, id, ChangeKind::Deleted)).await?;
    Ok(())
}

/// An id that we never gave out names nothing.
fn check<'a>(tenant: &str, id: &'a str) -> Result<&'a str, AdminError> {
    check_id("tenant", tenant)?;
    if TenantHandle::is_id(id) { Ok(id) } else { Err(AdminError::NotFound) }
}
