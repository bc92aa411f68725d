//! What a tenant's people and groups are made of: the standard's schemas and the tenant's own.

use std::sync::Arc;

use vestibule_protocol::scim::schema::{Kind, ResourceType};

use crate::Broker;
use crate::error::Error;
use crate::store::key;

/// The two types of resources, with a tenant's extensions.
#[derive(Debug)]
pub struct Types {
    /// People.
    pub user: ResourceType,
    /// Groups.
    pub group: ResourceType,
}

impl Types {
    /// The type of a kind.
    pub fn of(&self, kind: Kind) -> &ResourceType {
        match kind {
            Kind::User => &self.user,
            Kind::Group => &self.group,
        }
    }
}

/// A tenant's types, at most a minute old. That a tenant has no schemas of its own is remembered too: most have none.
pub async fn types(broker: &Broker, tenant: &str) -> Result<Arc<Types>, Error> {
    let now = broker.platform.clock.now();
    if let Some(copy) = broker.copies.scim_types.get(tenant, now) {
        return Ok(copy);
    }
    let found = key::scim_schemas(tenant).get_copy(&*broker.platform.store).await?;
    let own = found.map(|found| found.value).unwrap_or_default();
    let types = Types { user: ResourceType::user(own.user), group: ResourceType::group(own.group) };
    Ok(broker.copies.scim_types.keep(tenant.to_owned(), types, now))
}
