//! Connections: the identity providers of a tenant. What may be sent is in [`input`], what is shown in [`mod@view`]; a look
//! at the provider itself in [`mod@check`].

mod address;
mod check;
mod claims;
mod input;
mod logout;
mod oidc;
mod probe;
mod saml;
mod sync;
mod view;

pub(super) use self::address::check_issuer;
pub use self::check::{CheckInput, CheckReport, Finding, ResponseView, Severity, check};
pub use self::input::{ConnectionInput, Protocol};
pub use self::saml::SamlInput;
use self::view::view;
pub use self::view::{ConnectionView, IdpView, OidcView, SamlView};
use super::change::{self, Change, Done, Tagged};
use super::paging::{self, Page, Paging};
use super::{Checked, Put, check_id, look, tenants};
use crate::Broker;
use crate::broker::connection_name;
use crate::error::{AdminError, Error};
use crate::model::audit::ChangeKind;
use crate::model::connection::{Connection, SamlSettings, Upstream};
use crate::model::saml::SamlKeys;
use crate::saml::keys;
use crate::seal::{Purpose, Sealed};
use crate::store::{Expect, Write, key};

/// A connection.
pub async fn get(broker: &Broker, tenant: &str, id: &str) -> Result<Tagged<ConnectionView>, Error> {
    check_id("tenant", tenant)?;
    check_id("connection", id)?;
    let found = key::connection(tenant, id).get(&*broker.platform.store).await?.ok_or(AdminError::NotFound)?;
    show(broker, tenant, id, found.value)
}

/// The connections of a tenant that exists.
pub async fn list(broker: &Broker, tenant: &str, paging: &Paging) -> Result<Page<ConnectionView>, Error> {
    tenants::exists(broker, tenant).await?;
    let view = |id: &str, connection| view(broker, tenant, id, connection);
    paging::list(broker, key::tenant_partition(tenant), key::CONNECTION, paging, view).await
}

fn show(broker: &Broker, tenant: &str, id: &str, connection: Connection) -> Result<Tagged<ConnectionView>, Error> {
    let tag = change::tag(broker, &connection)?;
    Ok(Tagged { object: view(broker, tenant, id, connection), tag })
}

fn done<'a>(tenant: &'a str, id: &str, change: ChangeKind) -> Done<'a> {
    Done::new(tenant, format!("/tenants/{tenant}/connections/{id}"), change)
}

/// Creates or replaces a connection of a tenant that exists. Other processes follow within a minute.
pub async fn put(
    broker: &Broker,
    change: &Change,
    tenant: &str,
    id: &str,
    Checked { mut input, mut problems }: Checked<ConnectionInput>,
) -> Result<(Put, Tagged<ConnectionView>), Error> {
    check_id("tenant", tenant)?;
    check_id("connection", id)?;
    input.check(broker, &mut problems);
    input.sign_in = look::sign_in(&mut problems, input.sign_in);
    let record = key::connection(tenant, id);
    let found = record.get(&*broker.platform.store).await?;
    let probe = found.as_ref().and_then(|found| found.value.status_probe.as_ref());
    let probe = input.status_probe.take().map(|sent| sent.take(broker, (tenant, id), probe, &mut problems));
    let status_probe = probe.transpose()?;
    let (name, enabled, revocation) = (input.name.clone(), input.enabled, input.revocation);
    let (sign_in, logout, sync) = (input.sign_in.clone(), input.logout.clone(), input.sync.clone());
    let before = found.as_ref().map(|found| &found.value.upstream);
    let upstream = match input.protocol {
        Protocol::Oidc => Upstream::Oidc(Box::new(oidc::sealed(broker, (tenant, id), before, input, &mut problems)?)),
        Protocol::Saml => Upstream::Saml(Box::new(saml::settings(broker, input, &mut problems))),
    };
    problems.none()?;
    let connection = Connection { name, enabled, sign_in, revocation, logout, sync, status_probe, upstream };
    let (outcome, expect) = change.expect(broker, found.as_ref())?;
    // The tenant's record shares the partition: a connection never outlives the check.
    let tenant_exists = key::tenant(tenant);
    if tenant_exists.get(&*broker.platform.store).await?.is_none() {
        return Err(AdminError::NotFound.into());
    }
    let mut writes = vec![record.put(&connection, expect)?, tenant_exists.check(Expect::Present)];
    let before = found.as_ref().map(|found| &found.value.upstream);
    writes.extend(beside(broker, (tenant, id), before, &connection.upstream).await?);
    let shown = |connection| view(broker, tenant, id, connection);
    let done = done(tenant, id, outcome.kind())
        .between(found.map(|found| shown(found.value)).as_ref(), &shown(connection.clone()));
    change.commit(broker, record.partition(), writes, done).await?;
    forget(broker, tenant, id);
    Ok((outcome, show(broker, tenant, id, connection)?))
}

/// What a commit of a connection writes beside it. What is known of another provider must not serve this one.
async fn beside(
    broker: &Broker,
    (tenant, id): (&str, &str),
    before: Option<&Upstream>,
    after: &Upstream,
) -> Result<Vec<Write>, Error> {
    let mut writes = vec![key::upstream_documents(tenant, id).delete(Expect::Any)];
    let settings = match after {
        Upstream::Saml(settings) => settings,
        Upstream::Oidc(_) if before.and_then(Upstream::saml).is_none() => return Ok(writes),
        Upstream::Oidc(_) => {
            writes.extend(saml_records(tenant, id));
            return Ok(writes);
        }
    };
    let is_same = |before: &SamlSettings| {
        (&before.idp_entity_id, &before.metadata_url) == (&settings.idp_entity_id, &settings.metadata_url)
    };
    if !before.and_then(Upstream::saml).is_some_and(is_same) {
        writes.push(key::saml_provider(tenant, id).delete(Expect::Any));
    }
    let record = key::saml_keys(tenant, id);
    let found = record.get(&*broker.platform.store).await?;
    let (kept, expect) = match found {
        Some(found) => (found.value, Expect::Version(found.version)),
        None => (SamlKeys { keys: Vec::new() }, Expect::Absent),
    };
    let count = kept.keys.len();
    let keys = keys::complete(broker, (tenant, id), kept, settings.wants_encryption).await?;
    if keys.keys.len() > count {
        writes.push(record.put(&keys, expect)?);
    }
    Ok(writes)
}

/// The end of what is kept of a connection that speaks SAML.
fn saml_records(tenant: &str, id: &str) -> [Write; 3] {
    let (provider, keys, told) =
        (key::saml_provider(tenant, id), key::saml_keys(tenant, id), key::saml_told(tenant, id));
    [provider.delete(Expect::Any), keys.delete(Expect::Any), told.delete(Expect::Any)]
}

fn sealed_secret(
    broker: &Broker,
    place: &str,
    sent: Option<String>,
    kept: Option<Sealed>,
) -> Result<Option<Sealed>, Error> {
    match sent.filter(|secret| !secret.is_empty()) {
        Some(secret) => {
            Ok(Some(broker.sealer.seal(&*broker.platform.random, Purpose::Record, place, secret.as_bytes())?))
        }
        None => Ok(kept),
    }
}

/// Removes a connection.
pub async fn delete(broker: &Broker, change: &Change, tenant: &str, id: &str) -> Result<(), Error> {
    check_id("tenant", tenant)?;
    check_id("connection", id)?;
    let record = key::connection(tenant, id);
    let found = record.get(&*broker.platform.store).await?.ok_or(AdminError::NotFound)?;
    let (_, expect) = change.expect(broker, Some(&found))?;
    let mut writes = vec![record.delete(expect), key::upstream_documents(tenant, id).delete(Expect::Any)];
    writes.extend(saml_records(tenant, id));
    change.commit(broker, record.partition(), writes, done(tenant, id, ChangeKind::Deleted)).await?;
    forget(broker, tenant, id);
    Ok(())
}

fn forget(broker: &Broker, tenant: &str, id: &str) {
    let name = connection_name(tenant, id);
    broker.copies.connections.forget(&name);
    broker.copies.upstreams.forget(&name);
    broker.copies.saml.forget(&name);
    broker.copies.enabled_connections.forget(tenant);
}
