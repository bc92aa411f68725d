//! The operations on sessions.

use vestibule_core::admin::caller::Area;
use vestibule_core::admin::sessions;

use super::super::Answer;
use super::{Kind, Table, operation};

/// Looking at them and ending them.
pub(super) fn fill(table: &mut impl Table) {
    use Kind::{Delete, Get, List, Run};
    let one = "/tenants/{tenant}/users/{user}/sessions/{session}";
    table.add(
        operation(List, Area::Tenant, "/tenants/{tenant}/sessions", "Lists the sessions of a tenant"),
        |call, ()| async move { Answer::shown(sessions::list(&call.broker, &call.tenant, None, &call.paging()?).await) },
    );
    table.add(
        operation(
            List,
            Area::Tenant,
            "/tenants/{tenant}/connections/{connection}/sessions",
            "Lists the sessions through a connection",
        ),
        |call, ()| async move {
            Answer::shown(sessions::list(&call.broker, &call.tenant, Some(&call.connection), &call.paging()?).await)
        },
    );
    table.add(
        operation(List, Area::Tenant, "/tenants/{tenant}/users/{user}/sessions", "Lists the sessions of a person"),
        |call, ()| async move {
            Answer::shown(sessions::of_user(&call.broker, &call.tenant, &call.user, &call.paging()?).await)
        },
    );
    table.add(operation(Get, Area::Tenant, one, "Shows a session"), |call, ()| async move {
        Answer::tagged(sessions::get(&call.broker, &call.tenant, &call.user, &call.id).await)
    });
    table.add(operation(Delete, Area::Tenant, one, "Ends a session"), |call, ()| async move {
        Answer::gone(sessions::end(&call.broker, &call.change, &call.tenant, &call.user, &call.id).await)
    });
    table.add(
        operation(Run, Area::Tenant, "/tenants/{tenant}/end-sessions", "Ends all sessions of a tenant"),
        |call, ()| async move {
            Answer::shown(sessions::end_all(&call.broker, &call.change, &call.tenant, None).await)
        },
    );
    table.add(
        operation(
            Run,
            Area::Tenant,
            "/tenants/{tenant}/connections/{connection}/end-sessions",
            "Ends all sessions through a connection",
        ),
        |call, ()| async move {
            let connection = Some(call.connection.as_str());
            Answer::shown(sessions::end_all(&call.broker, &call.change, &call.tenant, connection).await)
        },
    );
}
