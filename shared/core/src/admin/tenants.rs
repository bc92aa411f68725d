//! Tenants.

use serde::{Deserialize, Serialize};
use url::Host;

use super::{Put, check_id, check_name, conflict_is_theirs, look};
use crate::Broker;
use crate::error::{AdminError, Error};
use crate::model::tenant::{DEFAULT_SESSION_SHARDS, Tenant};
use crate::store::key::{self, SessionShard};
use crate::store::{Expect, Partition, Write};

/// What an administrator sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantInput {
    /// What people read.
    pub name: String,
    /// Over how many partitions sessions are spread, 1 to 1024; only when the tenant is created.
    #[serde(default)]
    pub session_shards: Option<u16>,
    /// A picture for the sign-in page: an https address.
    #[serde(default)]
    pub logo_url: Option<String>,
    /// The colour of the sign-in page, as `#rrggbb`; white text must be readable on it.
    #[serde(default)]
    pub colour: Option<String>,
    /// The hosts at which its connections may be asked, by name or address, without a port; all when left out.
    #[serde(default)]
    pub egress_hosts: Vec<String>,
}

/// What an administrator sees.
#[derive(Debug, Serialize)]
pub struct TenantView {
    /// The tenant.
    pub id: String,
    /// Its settings.
    #[serde(flatten)]
    pub tenant: Tenant,
}

/// A tenant.
pub async fn get(broker: &Broker, id: &str) -> Result<TenantView, Error> {
    check_id("tenant", id)?;
    let found = key::tenant(id).get(&*broker.platform.store).await?.ok_or(AdminError::NotFound)?;
    Ok(TenantView { id: id.to_owned(), tenant: found.value })
}

/// Creates or replaces a tenant.
pub async fn put(broker: &Broker, id: &str, input: TenantInput) -> Result<(Put, TenantView), Error> {
    check_id("tenant", id)?;
    check_name(&input.name)?;
    let (logo_url, colour) = (look::image_url("logo_url", input.logo_url)?, look::colour(input.colour)?);
    let egress_hosts = input.egress_hosts.iter().map(|host| egress_host(host)).collect::<Result<Vec<_>, _>>()?;
    if egress_hosts.len() > 50 {
        return Err(AdminError::Invalid { field: "egress_hosts", problem: "has more than 50 hosts" }.into());
    }
    let record = key::tenant(id);
    let found = record.get(&*broker.platform.store).await?;
    let asked = input.session_shards;
    let session_shards = match (&found, asked) {
        (Some(found), Some(asked)) if asked != found.value.session_shards => {
            let problem = "cannot be changed: it decides where sessions are found";
            return Err(AdminError::Invalid { field: "session_shards", problem }.into());
        }
        (Some(found), _) => found.value.session_shards,
        (None, Some(0 | 1025..)) => {
            return Err(AdminError::Invalid { field: "session_shards", problem: "must be 1 to 1024" }.into());
        }
        (None, asked) => asked.unwrap_or(DEFAULT_SESSION_SHARDS),
    };
    let tenant = Tenant { name: input.name, session_shards, logo_url, colour, egress_hosts };
    let (outcome, expect) = if let Some(found) = found {
        (Put::Replaced, Expect::Version(found.version))
    } else {
        register(broker, id, session_shards).await?;
        (Put::Created, Expect::Absent)
    };
    let write = record.put(&tenant, expect)?;
    broker.platform.store.commit(record.partition(), vec![write]).await.map_err(|e| conflict_is_theirs(e.into()))?;
    broker.copies.tenants.forget(id);
    Ok((outcome, TenantView { id: id.to_owned(), tenant }))
}

/// A host in the form in which it is compared. One with a wildcard is refused: it would be compared as a name.
fn egress_host(text: &str) -> Result<String, AdminError> {
    let problem = "has an entry that is not the name or address of a host: no scheme, port, path or wildcard";
    let host = Host::parse(text).ok().filter(|_| !text.contains('*') && !text.ends_with('.'));
    host.map(|host| host.to_string()).ok_or(AdminError::Invalid { field: "egress_hosts", problem })
}

/// Enters the tenant's partitions into their minute slots, before the tenant exists: nothing can be owed unseen.
async fn register(broker: &Broker, id: &str, shards: u16) -> Result<(), Error> {
    let sessions = (0..shards).map(|number| SessionShard { tenant: id.to_owned(), number }.partition());
    let mut slots: std::collections::BTreeMap<Partition, Vec<Write>> = std::collections::BTreeMap::new();
    for partition in sessions.chain([key::directory(id)]) {
        let registration = key::registration(&partition);
        let write = registration.put(&(), Expect::Any)?;
        slots.entry(registration.partition().clone()).or_default().push(write);
    }
    for (slot, writes) in slots {
        for chunk in writes.chunks(crate::store::MAX_WRITES) {
            broker.platform.store.commit(&slot, chunk.to_vec()).await?;
        }
    }
    Ok(())
}

/// Removes a tenant: nobody can sign in to it any more. Its people stay on record.
pub async fn delete(broker: &Broker, id: &str) -> Result<(), Error> {
    check_id("tenant", id)?;
    key::tenant(id).take(&*broker.platform.store).await?.ok_or(AdminError::NotFound)?;
    broker.copies.tenants.forget(id);
    Ok(())
}
