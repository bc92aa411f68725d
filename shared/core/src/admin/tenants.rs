//! Tenants.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Host;

use super::caller::Area;
use super::change::{self, Change, Done, Tagged};
use super::paging::{self, Page, Paging};
use super::problems::Problems;
use super::{Checked, Put, check_id, check_name, checkpoint, lifetimes, look};
use crate::Broker;
use crate::error::{AdminError, Error};
use crate::model::audit::ChangeKind;
use crate::model::checkpoint::Checkpoint;
use crate::model::lifetimes::Lifetimes;
use crate::model::provisioning::Provisioning;
use crate::model::tenant::{DEFAULT_SESSION_SHARDS, Tenant};
use crate::routing;
use crate::store::key::{self, SessionShard};
use crate::store::{Expect, Partition, Write};

/// What an administrator sends.
#[derive(Debug, Deserialize, JsonSchema)]
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
    /// What its people go through before they are let in.
    #[serde(default)]
    pub checkpoint: Option<Checkpoint>,
    /// The hosts at which its connections may be asked, by name or address, without a port; all when left out.
    #[serde(default)]
    pub egress_hosts: Vec<String>,
    /// How long its sessions and tokens live; what is left out is as long as it is anyway.
    #[serde(default)]
    pub lifetimes: Lifetimes,
    /// For how many days its audit events are kept, 1 to 3650, counted from when they happened; for good when left out.
    /// Events that are there when it is set stay as long as was said before.
    #[serde(default)]
    pub audit_days: Option<u16>,
    /// By which road its people come; just in time when left out.
    #[serde(default)]
    pub provisioning: Provisioning,
}

/// What an administrator sees.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TenantView {
    /// The tenant.
    pub id: String,
    /// Its settings.
    #[serde(flatten)]
    pub tenant: Tenant,
}

/// A tenant.
pub async fn get(broker: &Broker, id: &str) -> Result<Tagged<TenantView>, Error> {
    check_id("tenant", id)?;
    let found = key::tenant(id).get(&*broker.platform.store).await?.ok_or(AdminError::NotFound)?;
    show(broker, id, found.value)
}

/// The tenant is there, now.
pub(super) async fn exists(broker: &Broker, id: &str) -> Result<(), Error> {
    check_id("tenant", id)?;
    let exists = routing::tenant_exists(broker, id).await?;
    if exists { Ok(()) } else { Err(AdminError::NotFound.into()) }
}

/// All tenants.
pub async fn list(broker: &Broker, paging: &Paging) -> Result<Page<TenantView>, Error> {
    let find = async |id: String| {
        let found = key::tenant(&id).get(&*broker.platform.store).await?;
        Ok(found.map(|found| TenantView { id, tenant: found.value }))
    };
    paging::list_indexed(broker, key::index(), key::INDEX_TENANT, paging, find).await
}

fn show(broker: &Broker, id: &str, tenant: Tenant) -> Result<Tagged<TenantView>, Error> {
    let tag = change::tag(broker, &tenant)?;
    Ok(Tagged { object: TenantView { id: id.to_owned(), tenant }, tag })
}

fn done(id: &str, change: ChangeKind) -> Done<'_> {
    Done::new(id, format!("/tenants/{id}"), change)
}

/// Creates or replaces a tenant.
pub async fn put(
    broker: &Broker,
    change: &Change,
    id: &str,
    Checked { input, mut problems }: Checked<TenantInput>,
) -> Result<(Put, Tagged<TenantView>), Error> {
    check_id("tenant", id)?;
    check_name(&mut problems, &input.name);
    let egress_hosts = check_egress_hosts(&mut problems, &input.egress_hosts);
    let logo_url = input.logo_url.as_deref().and_then(|text| problems.take("/logo_url", look::image_url(text)));
    let colour = input.colour.as_deref().and_then(|text| problems.take("/colour", look::colour(text)));
    let record = key::tenant(id);
    let found = record.get(&*broker.platform.store).await?;
    let session_shards = match (&found, input.session_shards) {
        (Some(found), asked) => {
            if asked.is_some_and(|asked| asked != found.value.session_shards) {
                problems.add("/session_shards", "cannot be changed: it decides where sessions are found");
            }
            found.value.session_shards
        }
        (None, asked) => {
            if matches!(asked, Some(0 | 1025..)) {
                problems.add("/session_shards", "must be 1 to 1024");
            }
            asked.unwrap_or(DEFAULT_SESSION_SHARDS)
        }
    };
    input.checkpoint.iter().for_each(|sent| checkpoint::check(&mut problems, broker, sent));
    lifetimes::check_tenant(&mut problems, &input.lifetimes);
    if !(1..=50_000).contains(&input.provisioning.scim_requests_per_second) {
        problems.add("/provisioning/scim_requests_per_second", "must be 1 to 50000");
    }
    if matches!(input.audit_days, Some(0 | 3_651..)) {
        problems.add("/audit_days", "must be 1 to 3650");
    }
    problems.none()?;
    // Where the broker may be sent is the deployment's to say: a tenant's own administrator cannot widen it.
    if found.as_ref().map_or(&[][..], |found| &found.value.egress_hosts) != egress_hosts {
        change.by.may(Area::DeploymentOfTenant, id, true)?;
    }
    let TenantInput { name, checkpoint, lifetimes, audit_days, provisioning, .. } = input;
    let tenant = Tenant {
        name,
        session_shards,
        logo_url,
        colour,
        checkpoint,
        egress_hosts,
        lifetimes,
        audit_days,
        provisioning,
    };
    let (outcome, expect) = change.expect(broker, found.as_ref())?;
    if outcome == Put::Created {
        register(broker, id, session_shards).await?;
    }
    paging::enter(broker, &key::index_tenant(id)).await?;
    let writes = vec![record.put(&tenant, expect)?];
    let done = done(id, outcome.kind()).between(found.as_ref().map(|found| &found.value), &tenant);
    change.commit(broker, record.partition(), writes, done).await?;
    broker.copies.tenants.forget(id);
    Ok((outcome, show(broker, id, tenant)?))
}

fn check_egress_hosts(problems: &mut Problems, sent: &[String]) -> Vec<String> {
    if sent.len() > 50 {
        problems.add("/egress_hosts", "has more than 50 hosts");
    }
    let kept = |(at, host): (usize, &String)| problems.take(&format!("/egress_hosts/{at}"), egress_host(host));
    sent.iter().enumerate().filter_map(kept).collect()
}

/// A host in the form in which it is compared. One with a wildcard is refused: it would be compared as a name.
fn egress_host(text: &str) -> Result<String, &'static str> {
    let host = Host::parse(text).ok().filter(|_| !text.contains('*') && !text.ends_with('.'));
    host.map(|host| host.to_string()).ok_or("must be the name or address of a host: no scheme, port, path or wildcard")
}

/// Enters the tenant's partitions into their minute slots, before the tenant exists: nothing can be owed unseen.
async fn register(broker: &Broker, id: &str, shards: u16) -> Result<(), Error> {
    let sessions = (0..shards).map(|number| SessionShard { tenant: id.to_owned(), number }.partition());
    let mut slots: std::collections::BTreeMap<Partition, Vec<Write>> = std::collections::BTreeMap::new();
    for partition in sessions.chain([key::directory(id), key::deliveries(id)]) {
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
pub async fn delete(broker: &Broker, change: &Change, id: &str) -> Result<(), Error> {
    check_id("tenant", id)?;
    let entry = key::index_tenant(id);
    let seen = entry.get(&*broker.platform.store).await?;
    change.remove(broker, &key::tenant(id), done(id, ChangeKind::Deleted)).await?;
    broker.copies.tenants.forget(id);
    paging::leave(broker, &entry, seen).await
}
