//! Who calls, and what they may do. The deployment's own token may do everything; the others say what in their scopes.
//!
//! A token is read from the store at each request, never from a copy: one that was deleted or has ended acts no more.

use crate::Broker;
use crate::error::{AdminError, Error};
use crate::handle::AdminHandle;
use crate::last_use;
use crate::model::admin_token::{AdminToken, Scope};
use crate::model::audit::Administrator;
use crate::store::record::Stored;
use crate::store::{Expect, key};
use subtle::ConstantTimeEq;

/// The bearer of a token that is good.
#[derive(Debug, Clone)]
pub struct Caller {
    /// For the audit log.
    pub administrator: Administrator,
    scopes: Vec<Scope>,
}

/// Whose business an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    /// That of whoever has a token.
    Anyone,
    /// The deployment's.
    Deployment,
    /// The tenant's.
    Tenant,
    /// The deployment's, about a tenant.
    DeploymentOfTenant,
}

/// Finds out whose token this is.
pub async fn authenticate(broker: &Broker, bearer: Option<&str>) -> Result<Caller, Error> {
    let bearer = bearer.ok_or(AdminError::Unauthorized)?;
    if bearer.as_bytes().ct_eq(broker.config.admin_token.expose().as_bytes()).into() {
        let administrator = Administrator { token: "deployment".to_owned(), name: "VESTIBULE_ADMIN_TOKEN".to_owned() };
        return Ok(Caller { administrator, scopes: vec![Scope::DEPLOYMENT] });
    }
    let handle = AdminHandle::parse(bearer).ok_or(AdminError::Unauthorized)?;
    let found = key::admin_token(&handle.id).get(&*broker.platform.store).await?.ok_or(AdminError::Unauthorized)?;
    if !found.value.secret.matches(handle.secret.expose()) {
        return Err(AdminError::Unauthorized.into());
    }
    let caller = Caller {
        administrator: Administrator { token: handle.id.clone(), name: found.value.name.clone() },
        scopes: found.value.scopes.clone(),
    };
    note_use(broker, &handle.id, found).await?;
    Ok(caller)
}

/// Remembers that a token is in use, unless that is known. Whoever changes the token at the same time goes first.
async fn note_use(broker: &Broker, id: &str, found: Stored<AdminToken>) -> Result<(), Error> {
    let mut token = found.value;
    let Some(hour) = last_use::to_note(token.last_used_at, broker.platform.clock.now()) else { return Ok(()) };
    token.last_used_at = Some(hour);
    let record = key::admin_token(id);
    let write = record.put_for(&token, token.expires_at, Expect::Version(found.version))?;
    last_use::note(broker, record.partition(), write).await
}

impl Caller {
    /// Whether they may look at or change what is in this area. Another tenant is not there for them.
    pub fn may(&self, area: Area, tenant: &str, change: bool) -> Result<(), AdminError> {
        let of_tenant = matches!(area, Area::Tenant | Area::DeploymentOfTenant);
        if of_tenant && !self.scopes.iter().any(|scope| scope.covers(tenant)) {
            return Err(AdminError::NotFound);
        }
        let enough = |scope: &&Scope| match area {
            Area::Anyone => true,
            Area::Deployment | Area::DeploymentOfTenant => scope.tenant.is_none(),
            Area::Tenant => scope.covers(tenant),
        };
        let mut enough = self.scopes.iter().filter(enough).peekable();
        if enough.peek().is_none() {
            return Err(AdminError::Forbidden("this needs a token with the scope deployment"));
        }
        if change && area != Area::Anyone && enough.all(|scope| scope.read_only) {
            return Err(AdminError::Forbidden("this token is for reading only"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(scopes: &[&str]) -> Caller {
        let administrator = Administrator { token: "t".to_owned(), name: "T".to_owned() };
        Caller { administrator, scopes: scopes.iter().map(|scope| scope.parse().unwrap()).collect() }
    }

    #[test]
    fn scopes_add_up_and_other_tenants_are_not_there() {
        let (yes, forbidden, missing) = (200, 403, 404);
        for (scopes, area, tenant, change, expected) in [
            (&["deployment"][..], Area::Deployment, "", true, yes),
            (&["deployment"], Area::Tenant, "acme", true, yes),
            (&["deployment"], Area::DeploymentOfTenant, "acme", true, yes),
            (&["deployment:read"], Area::Deployment, "", false, yes),
            (&["deployment:read"], Area::Deployment, "", true, forbidden),
            (&["deployment:read"], Area::Tenant, "acme", true, forbidden),
            (&["deployment:read", "tenant:acme"], Area::Tenant, "acme", true, yes),
            (&["deployment:read", "tenant:acme"], Area::Tenant, "other", false, yes),
            (&["deployment:read", "tenant:acme"], Area::Tenant, "other", true, forbidden),
            (&["deployment:read", "tenant:acme"], Area::DeploymentOfTenant, "acme", true, forbidden),
            (&["tenant:acme"], Area::Tenant, "acme", true, yes),
            (&["tenant:acme"], Area::Tenant, "other", false, missing),
            (&["tenant:acme"], Area::DeploymentOfTenant, "other", true, missing),
            (&["tenant:acme"], Area::DeploymentOfTenant, "acme", true, forbidden),
            (&["tenant:acme"], Area::Deployment, "", false, forbidden),
            (&["tenant:acme"], Area::Anyone, "", false, yes),
            (&["tenant:acme:read"], Area::Tenant, "acme", false, yes),
            (&["tenant:acme:read"], Area::Tenant, "acme", true, forbidden),
            (&["tenant:acme:read", "tenant:other"], Area::Tenant, "acme", true, forbidden),
            (&["tenant:acme:read", "tenant:other"], Area::Tenant, "other", true, yes),
            (&["tenant:acme", "tenant:other"], Area::Tenant, "third", false, missing),
        ] {
            let status = match caller(scopes).may(area, tenant, change) {
                Ok(()) => yes,
                Err(AdminError::NotFound) => missing,
                Err(_) => forbidden,
            };
            assert_eq!(status, expected, "{scopes:?} {area:?} {tenant} {change}");
        }
    }
}
