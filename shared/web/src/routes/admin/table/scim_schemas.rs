//! What a tenant's directory has beside the attributes of the standard.

use vestibule_core::admin::caller::Area;
use vestibule_core::admin::scim_schemas;

use super::super::Answer;
use super::super::call::Sent;
use super::{Kind, Table, operation};

/// A tenant's own schemas.
pub(super) fn schemas(table: &mut impl Table) {
    use Kind::{Get, Put};
    let path = "/tenants/{tenant}/scim-schemas";
    table.add(operation(Get, Area::Tenant, path, "Shows a tenant's own SCIM schemas"), |call, ()| async move {
        Answer::tagged(scim_schemas::get(&call.broker, &call.tenant).await)
    });
    table.add(operation(Put, Area::Tenant, path, "Sets a tenant's own SCIM schemas"), |call, Sent(input)| async move {
        Answer::put(scim_schemas::put(&call.broker, &call.change, &call.tenant, input).await)
    });
}
