//! Who may speak SCIM to a tenant.

use vestibule_core::admin::caller::Area;
use vestibule_core::admin::{scim_clients, scim_tokens};

use super::super::Answer;
use super::super::call::Sent;
use super::{Kind, Table, operation};

/// A tenant's tokens for SCIM.
pub(super) fn tokens(table: &mut impl Table) {
    use Kind::{Act, Create, Delete, Get, List};
    let (all, one) = ("/tenants/{tenant}/scim-tokens", "/tenants/{tenant}/scim-tokens/{token}");
    table.add(operation(List, Area::Tenant, all, "Lists a tenant's tokens for SCIM"), |call, ()| async move {
        Answer::shown(scim_tokens::list(&call.broker, &call.tenant, &call.paging()?).await)
    });
    table.add(operation(Create, Area::Tenant, all, "Makes a token for SCIM"), |call, Sent(input)| async move {
        Answer::created(scim_tokens::create(&call.broker, &call.change, &call.tenant, input).await)
    });
    table.add(operation(Get, Area::Tenant, one, "Shows a token for SCIM, but not its secret"), |call, ()| async move {
        Answer::tagged(scim_tokens::get(&call.broker, &call.tenant, &call.id).await)
    });
    table.add(operation(Delete, Area::Tenant, one, "Ends a token for SCIM"), |call, ()| async move {
        Answer::gone(scim_tokens::delete(&call.broker, &call.change, &call.tenant, &call.id).await)
    });
    table.add(
        operation(
            Act,
            Area::Tenant,
            "/tenants/{tenant}/scim-tokens/{token}/rotate",
            "Puts a new token for SCIM in one's place",
        ),
        |call, Sent(input)| async move {
            let token = (call.tenant.as_str(), call.id.as_str());
            Answer::tagged(scim_tokens::rotate(&call.broker, &call.change, token, input).await)
        },
    );
}

/// A tenant's OAuth clients for SCIM.
pub(super) fn clients(table: &mut impl Table) {
    use Kind::{Create, Delete, Get, List};
    let (all, one) = ("/tenants/{tenant}/scim-clients", "/tenants/{tenant}/scim-clients/{client}");
    table.add(operation(List, Area::Tenant, all, "Lists a tenant's OAuth clients for SCIM"), |call, ()| async move {
        Answer::shown(scim_clients::list(&call.broker, &call.tenant, &call.paging()?).await)
    });
    table.add(operation(Create, Area::Tenant, all, "Makes an OAuth client for SCIM"), |call, Sent(input)| async move {
        Answer::created(scim_clients::create(&call.broker, &call.change, &call.tenant, input).await)
    });
    table.add(
        operation(Get, Area::Tenant, one, "Shows an OAuth client for SCIM, but not its secret"),
        |call, ()| async move { Answer::tagged(scim_clients::get(&call.broker, &call.tenant, &call.id).await) },
    );
    table.add(operation(Delete, Area::Tenant, one, "Removes an OAuth client for SCIM"), |call, ()| async move {
        Answer::gone(scim_clients::delete(&call.broker, &call.change, &call.tenant, &call.id).await)
    });
}
