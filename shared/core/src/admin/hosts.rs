//! Hosts by which a tenant's people come. Each leads to one tenant; the deployment has to answer on it as well.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::change::{self, Change, Done, Tagged};
use super::paging::{self, Page, Paging};
use super::{Checked, Put, check_id, tenants};
use crate::Broker;
use crate::error::{AdminError, Error};
use crate::model::audit::ChangeKind;
use crate::model::routing::{self as names, Route};
use crate::routing;
use crate::store::record::Stored;
use crate::store::{StoreError, key};

/// What an administrator sends: nothing.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostInput {}

/// What an administrator sees.
#[derive(Debug, Serialize, JsonSchema)]
pub struct HostView {
    /// The host, in lower case.
    pub host: String,
}

fn check(broker: &Broker, tenant: &str, host: &str) -> Result<String, AdminError> {
    check_id("tenant", tenant)?;
    let invalid = |problem| AdminError::Invalid { field: "host", problem };
    let host = names::domain(host).ok_or(invalid("must be a name such as login.corp.example, without a port"))?;
    let issuer = Url::parse(&broker.config.issuer).ok();
    if issuer.as_ref().and_then(Url::host_str) == Some(host.as_str()) {
        return Err(invalid("is the deployment's own, which all tenants share"));
    }
    Ok(host)
}

/// The route of a host to the tenant, where there is one.
async fn find(broker: &Broker, tenant: &str, host: &str) -> Result<Option<Stored<Route>>, Error> {
    let found = key::host_route(host).get(&*broker.platform.store).await?;
    Ok(found.filter(|found| found.value.tenant == tenant))
}

fn show(broker: &Broker, tenant: &str, host: String) -> Result<Tagged<HostView>, Error> {
    let tag = change::tag(broker, &Route { tenant: tenant.to_owned() })?;
    Ok(Tagged { object: HostView { host }, tag })
}

fn done<'a>(tenant: &'a str, host: &str, change: ChangeKind) -> Done<'a> {
    Done::new(tenant, format!("/tenants/{tenant}/hosts/{host}"), change)
}

/// The hosts of a tenant that exists.
pub async fn list(broker: &Broker, tenant: &str, paging: &Paging) -> Result<Page<HostView>, Error> {
    tenants::exists(broker, tenant).await?;
    let view = async |host: String| Ok(find(broker, tenant, &host).await?.map(|_| HostView { host }));
    paging::list_indexed(broker, key::tenant_partition(tenant), key::INDEX_HOST, paging, view).await
}

/// A host of the tenant.
pub async fn get(broker: &Broker, tenant: &str, host: &str) -> Result<Tagged<HostView>, Error> {
    let host = check(broker, tenant, host)?;
    find(broker, tenant, &host).await?.ok_or(AdminError::NotFound)?;
    show(broker, tenant, host)
}

/// Leads a host to a tenant that exists. Other processes follow within a minute.
pub async fn put(
    broker: &Broker,
    change: &Change,
    tenant: &str,
    host: &str,
    sent: Checked<HostInput>,
) -> Result<(Put, Tagged<HostView>), Error> {
    let host = check(broker, tenant, host)?;
    sent.problems.none()?;
    tenants::exists(broker, tenant).await?;
    let found = find(broker, tenant, &host).await?;
    let (outcome, _) = change.expect(broker, found.as_ref())?;
    if outcome == Put::Created {
        paging::enter(broker, &key::index_host(tenant, &host)).await?;
        let owed = change.owe(broker, key::host_route(&host).partition(), done(tenant, &host, outcome.kind())).await?;
        if !routing::take_host(broker, tenant, &host, &[owed]).await? {
            return Err(change.lost(StoreError::Conflict.into()));
        }
    }
    Ok((outcome, show(broker, tenant, host)?))
}

/// Leads a host of the tenant nowhere.
pub async fn delete(broker: &Broker, change: &Change, tenant: &str, host: &str) -> Result<(), Error> {
    let host = check(broker, tenant, host)?;
    let found = find(broker, tenant, &host).await?.ok_or(AdminError::NotFound)?;
    let (_, expect) = change.expect(broker, Some(&found))?;
    let (route, entry) = (key::host_route(&host), key::index_host(tenant, &host));
    let seen = entry.get(&*broker.platform.store).await?;
    let done = done(tenant, &host, ChangeKind::Deleted);
    change.commit(broker, route.partition(), vec![route.delete(expect)], done).await?;
    broker.copies.host_routes.forget(&host);
    paging::leave(broker, &entry, seen).await
}
