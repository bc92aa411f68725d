//! Routes: a domain or a host leads to one tenant at a time. Whoever takes one wins a compare-and-set.

use crate::Broker;
use crate::error::{AdminError, Error};
use crate::model::routing::{DomainClaim, Route, Verified};
use crate::store::record::{RecordKey, Stored};
use crate::store::{Expect, StoreError, Write, key};

/// How often a commit that lost a race is tried anew.
const TRIES: usize = 5;

/// What a name is, that leads to a tenant.
#[derive(Clone, Copy)]
enum Name<'a> {
    Domain(&'a str),
    Host(&'a str),
}

impl Name<'_> {
    fn route(self) -> RecordKey<Route> {
        match self {
            Self::Domain(domain) => key::domain_route(domain),
            Self::Host(host) => key::host_route(host),
        }
    }

    /// Whether the route is rightly this tenant's: it exists, and has not given the domain up.
    async fn is_held_by(self, broker: &Broker, tenant: &str) -> Result<bool, Error> {
        if !tenant_exists(broker, tenant).await? {
            return Ok(false);
        }
        match self {
            Self::Domain(domain) => Ok(key::domain_claim(tenant, domain).get(&*broker.platform.store).await?.is_some()),
            Self::Host(_) => Ok(true),
        }
    }
}

/// Leads a domain to a tenant that has a claim to it, unless it is another's.
pub(crate) async fn take_domain(broker: &Broker, tenant: &str, domain: &str) -> Result<(), Error> {
    take(broker, Name::Domain(domain), tenant, &[]).await?;
    broker.copies.domain_routes.forget(domain);
    Ok(())
}

/// Leads a host to a tenant, unless it is another's, in one commit with `also`. Whether it did not before.
pub(crate) async fn take_host(broker: &Broker, tenant: &str, host: &str, also: &[Write]) -> Result<bool, Error> {
    let taken = take(broker, Name::Host(host), tenant, also).await?;
    broker.copies.host_routes.forget(host);
    Ok(taken)
}

pub(crate) async fn tenant_exists(broker: &Broker, tenant: &str) -> Result<bool, Error> {
    Ok(key::tenant(tenant).get(&*broker.platform.store).await?.is_some())
}

/// Whether the route was not the tenant's before.
async fn take(broker: &Broker, name: Name<'_>, tenant: &str, also: &[Write]) -> Result<bool, Error> {
    let route = name.route();
    for _ in 0..TRIES {
        let expect = match route.get(&*broker.platform.store).await? {
            None => Expect::Absent,
            Some(found) if found.value.tenant == tenant => return Ok(false),
            Some(found) if name.is_held_by(broker, &found.value.tenant).await? => {
                let problem = "belongs to another tenant, which has to give it up first";
                return Err(AdminError::Invalid { field: "name", problem }.into());
            }
            Some(found) => Expect::Version(found.version),
        };
        let write = route.put(&Route { tenant: tenant.to_owned() }, expect)?;
        let writes = [&[write], also].concat();
        match broker.platform.store.commit(route.partition(), writes).await {
            Ok(_) => return Ok(true),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::Busy("the route keeps changing".to_owned()).into())
}

/// Leads a domain nowhere, if it led to this tenant. Whether it did.
pub(crate) async fn release_domain(broker: &Broker, tenant: &str, domain: &str) -> Result<bool, Error> {
    let route = key::domain_route(domain);
    let found = route.get(&*broker.platform.store).await?.filter(|found| found.value.tenant == tenant);
    let Some(found) = found else { return Ok(false) };
    let write = route.delete(Expect::Version(found.version));
    let released = broker.platform.store.commit(route.partition(), vec![write]).await;
    broker.copies.domain_routes.forget(domain);
    match released {
        Ok(_) => Ok(true),
        // Somebody else released it, or took it over.
        Err(StoreError::Conflict) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The claim by which a tenant owns a domain now. To be a condition of whatever rests on it.
pub(crate) async fn owned_domain(
    broker: &Broker,
    tenant: &str,
    domain: &str,
) -> Result<Option<Stored<DomainClaim>>, Error> {
    let store = &*broker.platform.store;
    let claim = key::domain_claim(tenant, domain).get(store).await?;
    let Some(claim) = claim.filter(|claim| matches!(claim.value.verified, Some(Verified { .. }))) else {
        return Ok(None);
    };
    let route = key::domain_route(domain).get(store).await?;
    Ok(route.filter(|route| route.value.tenant == tenant).map(|_| claim))
}
