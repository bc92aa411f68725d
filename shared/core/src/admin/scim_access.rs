//! What tokens and OAuth clients for SCIM have in common.

use super::problems::Problems;
use crate::Broker;
use crate::error::{AdminError, Error};
use crate::model::is_id;
use crate::model::scim_access::MAX_OF_EACH;
use crate::store::key;

/// The connection is the tenant's, if one is named.
pub(super) async fn check_connection(
    broker: &Broker,
    problems: &mut Problems,
    tenant: &str,
    connection: Option<&str>,
) -> Result<(), Error> {
    let Some(connection) = connection else { return Ok(()) };
    let there = is_id(connection) && key::connection(tenant, connection).get(&*broker.platform.store).await?.is_some();
    if !there {
        problems.add("/connection", "is no connection of the tenant");
    }
    Ok(())
}

/// There may be one more record with this prefix. A bound for lists and not a promise: two who ask at once may both get
/// the last place.
pub(super) async fn check_room(broker: &Broker, tenant: &str, prefix: &str) -> Result<(), Error> {
    let page = broker.platform.store.list(&key::tenant_partition(tenant), prefix, None, MAX_OF_EACH).await?;
    if page.records.len() < MAX_OF_EACH {
        return Ok(());
    }
    Err(AdminError::Invalid { field: "tenant", problem: "has 20 of these already: delete one first" }.into())
}
