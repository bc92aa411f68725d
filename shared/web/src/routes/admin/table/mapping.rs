//! The operations on a tenant's mapping, and on what people were granted.

use vestibule_core::admin::caller::Area;
use vestibule_core::admin::{access, mapping};

use super::{Kind, Table, operation};
use crate::routes::admin::Answer;
use crate::routes::admin::call::Sent;

pub(super) fn fill(table: &mut impl Table) {
    use Kind::{Check, Delete, Get, Put};
    let path = "/tenants/{tenant}/mapping";
    table.add(
        operation(Get, Area::Tenant, path, "Shows what makes roles, teams and business units of claims"),
        |call, ()| async move { Answer::tagged(mapping::get(&call.broker, &call.tenant).await) },
    );
    table.add(
        operation(Put, Area::Tenant, path, "Creates or replaces a tenant's mapping"),
        |call, Sent(input)| async move {
            Answer::put(mapping::put(&call.broker, &call.change, &call.tenant, input).await)
        },
    );
    table.add(operation(Delete, Area::Tenant, path, "Removes a tenant's mapping"), |call, ()| async move {
        Answer::gone(mapping::delete(&call.broker, &call.change, &call.tenant).await)
    });
    table.add(
        operation(
            Check,
            Area::Tenant,
            "/tenants/{tenant}/mapping/preview",
            "Shows what a sign-in with these claims would come to",
        ),
        |call, Sent(input)| async move { Answer::shown(mapping::preview(&call.broker, &call.tenant, input).await) },
    );
    table.add(
        operation(
            Check,
            Area::Tenant,
            "/tenants/{tenant}/mapping/dry-run",
            "Shows what a mapping would change for the people who are there",
        ),
        |call, Sent(input)| async move { Answer::shown(mapping::dry_run(&call.broker, &call.tenant, input).await) },
    );
    let path = "/tenants/{tenant}/users/{user}/access";
    table.add(
        operation(Get, Area::Tenant, path, "Shows a person's roles, teams and business units"),
        |call, ()| async move { Answer::tagged(access::get(&call.broker, &call.tenant, &call.id).await) },
    );
    table.add(
        operation(Put, Area::Tenant, path, "Creates or replaces what a person was granted by hand"),
        |call, Sent(input)| async move {
            Answer::put(access::put(&call.broker, &call.change, &call.tenant, &call.id, input).await)
        },
    );
}
