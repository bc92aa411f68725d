//! Hosts by which a tenant's people come. Each leads to one tenant; the deployment has to answer on it as well.

use serde::{Deserialize, Serialize};
use url::Url;

use super::{Put, check_id};
use crate::Broker;
use crate::error::{AdminError, Error};
use crate::model::routing as names;
use crate::routing;
use crate::store::key;

/// What an administrator sends: nothing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostInput {}

/// What an administrator sees.
#[derive(Debug, Serialize)]
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

/// A host of the tenant.
pub async fn get(broker: &Broker, tenant: &str, host: &str) -> Result<HostView, Error> {
    let host = check(broker, tenant, host)?;
    let found = key::host_route(&host).get(&*broker.platform.store).await?;
    found.filter(|found| found.value.tenant == tenant).ok_or(AdminError::NotFound)?;
    Ok(HostView { host })
}

/// Leads a host to a tenant that exists. Other processes follow within a minute.
pub async fn put(broker: &Broker, tenant: &str, host: &str, _: HostInput) -> Result<(Put, HostView), Error> {
    let host = check(broker, tenant, host)?;
    if !routing::tenant_exists(broker, tenant).await? {
        return Err(AdminError::NotFound.into());
    }
    let outcome = if routing::take_host(broker, tenant, &host).await? { Put::Created } else { Put::Replaced };
    Ok((outcome, HostView { host }))
}

/// Leads a host of the tenant nowhere.
pub async fn delete(broker: &Broker, tenant: &str, host: &str) -> Result<(), Error> {
    let host = check(broker, tenant, host)?;
    if routing::release_host(broker, tenant, &host).await? { Ok(()) } else { Err(AdminError::NotFound.into()) }
}
