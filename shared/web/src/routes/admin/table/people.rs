//! The operations on people, and on how they come.

use vestibule_core::admin::caller::Area;
use vestibule_core::admin::{decommission, invitations, provisioning, users};

use super::super::Answer;
use super::super::call::Sent;
use super::{Kind, Table, operation};

/// People.
pub(super) fn people(table: &mut impl Table) {
    use Kind::{Act, Delete, Get, List, Put, Show};
    let (all, one) = ("/tenants/{tenant}/users", "/tenants/{tenant}/users/{user}");
    table.add(operation(List, Area::Tenant, all, "Lists the people of a tenant"), |call, ()| async move {
        Answer::shown(users::list(&call.broker, &call.tenant, &call.paging()?).await)
    });
    table.add(operation(Get, Area::Tenant, one, "Shows a person"), |call, ()| async move {
        Answer::tagged(users::get(&call.broker, &call.tenant, &call.id).await)
    });
    table.add(operation(Put, Area::Tenant, one, "Switches a person on or off"), |call, Sent(input)| async move {
        Answer::put(users::put(&call.broker, &call.change, &call.tenant, &call.id, input).await)
    });
    table.add(
        operation(Act, Area::Tenant, "/tenants/{tenant}/users/{user}/end-sessions", "Ends all sessions of a person"),
        |call, ()| async move {
            Answer::tagged(users::end_sessions(&call.broker, &call.change, &call.tenant, &call.id).await)
        },
    );
    table.add(
        operation(
            Show,
            Area::Tenant,
            "/tenants/{tenant}/users/{user}/decommission/preview",
            "Says what switching a person off would end",
        ),
        |call, ()| async move { Answer::shown(decommission::preview(&call.broker, &call.tenant, &call.user).await) },
    );
    table.add(operation(Delete, Area::Tenant, one, "Removes a person"), |call, ()| async move {
        Answer::gone(users::delete(&call.broker, &call.change, &call.tenant, &call.id).await)
    });
}

/// The tenant's road, and the invitations on it.
pub(super) fn provisioning(table: &mut impl Table) {
    use Kind::{Act, Check, Create, Delete, Get, List};
    let (all, one) = ("/tenants/{tenant}/invitations", "/tenants/{tenant}/invitations/{invitation}");
    table.add(
        operation(
            Check,
            Area::Tenant,
            "/tenants/{tenant}/provisioning/preview",
            "Says what another provisioning mode of a tenant would change",
        ),
        |call, Sent(input)| async move {
            Answer::shown(provisioning::preview(&call.broker, &call.tenant, input).await)
        },
    );
    table.add(operation(List, Area::Tenant, all, "Lists the invitations of a tenant"), |call, ()| async move {
        Answer::shown(invitations::list(&call.broker, &call.tenant, &call.paging()?).await)
    });
    table.add(operation(Create, Area::Tenant, all, "Makes an invitation"), |call, Sent(input)| async move {
        Answer::created(invitations::create(&call.broker, &call.change, &call.tenant, input).await)
    });
    table.add(operation(Get, Area::Tenant, one, "Shows an invitation, but not its link"), |call, ()| async move {
        Answer::tagged(invitations::get(&call.broker, &call.tenant, &call.id).await)
    });
    table.add(operation(Delete, Area::Tenant, one, "Revokes an invitation"), |call, ()| async move {
        Answer::gone(invitations::revoke(&call.broker, &call.change, &call.tenant, &call.id).await)
    });
    table.add(
        operation(
            Act,
            Area::Tenant,
            "/tenants/{tenant}/invitations/{invitation}/resend",
            "Makes the next link of an invitation",
        ),
        |call, Sent(input)| async move {
            Answer::tagged(invitations::resend(&call.broker, &call.change, &call.tenant, &call.id, input).await)
        },
    );
}
