//! The operations on a tenant's webhooks, and on what is sent to them and to applications.

use vestibule_core::admin::caller::Area;
use vestibule_core::admin::{deliveries, webhook_secret, webhooks};

use super::super::Answer;
use super::super::call::Sent;
use super::{Kind, Table, operation};

/// Webhooks, their secret, and deliveries.
pub(super) fn fill(table: &mut impl Table) {
    secret(table);
    subscriptions(table);
    sent(table);
}

fn secret(table: &mut impl Table) {
    use Kind::{Act, Get};
    let path = "/tenants/{tenant}/webhook-secret";
    table.add(
        operation(Get, Area::Tenant, path, "Shows what is known of the secret of a tenant's webhook"),
        |call, ()| async move { Answer::tagged(webhook_secret::get(&call.broker, &call.tenant).await) },
    );
    table.add(
        operation(Act, Area::Tenant, path, "Makes the next secret of a tenant's webhook"),
        |call, ()| async move {
            Answer::tagged(webhook_secret::rotate(&call.broker, &call.change, &call.tenant).await)
        },
    );
}

fn subscriptions(table: &mut impl Table) {
    use Kind::{Delete, Get, List, Put};
    let (all, one) = ("/tenants/{tenant}/webhooks", "/tenants/{tenant}/webhooks/{webhook}");
    table.add(operation(List, Area::Tenant, all, "Lists the webhooks of a tenant"), |call, ()| async move {
        Answer::shown(webhooks::list(&call.broker, &call.tenant, &call.paging()?).await)
    });
    table.add(operation(Get, Area::Tenant, one, "Shows a webhook"), |call, ()| async move {
        Answer::tagged(webhooks::get(&call.broker, &call.tenant, &call.id).await)
    });
    table.add(operation(Put, Area::Tenant, one, "Creates or replaces a webhook"), |call, Sent(input)| async move {
        Answer::put(webhooks::put(&call.broker, &call.change, (&call.tenant, &call.id), input).await)
    });
    table.add(operation(Delete, Area::Tenant, one, "Removes a webhook"), |call, ()| async move {
        Answer::gone(webhooks::delete(&call.broker, &call.change, &call.tenant, &call.id).await)
    });
}

fn sent(table: &mut impl Table) {
    use Kind::{Delete, Get, List, Run};
    let one = "/tenants/{tenant}/dead-letters/{delivery}";
    table.add(
        operation(List, Area::Tenant, "/tenants/{tenant}/deliveries", "Lists what is to be sent for a tenant"),
        |call, ()| async move { Answer::shown(deliveries::due(&call.broker, &call.tenant, &call.paging()?).await) },
    );
    table.add(
        operation(List, Area::Tenant, "/tenants/{tenant}/dead-letters", "Lists what could not be delivered"),
        |call, ()| async move { Answer::shown(deliveries::dead(&call.broker, &call.tenant, &call.paging()?).await) },
    );
    table.add(operation(Get, Area::Tenant, one, "Shows what could not be delivered"), |call, ()| async move {
        Answer::tagged(deliveries::get(&call.broker, &call.tenant, &call.id).await)
    });
    table.add(
        operation(
            Run,
            Area::Tenant,
            "/tenants/{tenant}/dead-letters/{delivery}/replay",
            "Sends again what could not be delivered",
        ),
        |call, ()| async move {
            Answer::shown(deliveries::replay(&call.broker, &call.change, &call.tenant, &call.id).await)
        },
    );
    table.add(operation(Delete, Area::Tenant, one, "Removes what could not be delivered"), |call, ()| async move {
        Answer::gone(deliveries::delete(&call.broker, &call.change, &call.tenant, &call.id).await)
    });
}
