//! The operations on the examination of sessions.

use vestibule_core::admin::caller::Area;
use vestibule_core::admin::sync;

use super::super::Answer;
use super::super::call::Sent;
use super::{Kind, Table, operation};

pub(super) fn fill(table: &mut impl Table) {
    use Kind::{List, Run, Show};
    let one = "/tenants/{tenant}/connections/{connection}/sync";
    table.add(
        operation(Show, Area::Tenant, one, "Shows how the examinations of a connection's sessions go"),
        |call, ()| async move { Answer::shown(sync::show(&call.broker, &call.tenant, &call.id).await) },
    );
    table.add(
        operation(
            List,
            Area::Tenant,
            "/tenants/{tenant}/connections/{connection}/sync/held",
            "Lists whom stopped decommissions would be of",
        ),
        |call, ()| async move {
            Answer::shown(sync::held(&call.broker, &call.tenant, &call.id, &call.paging()?).await)
        },
    );
    table.add(
        operation(
            Run,
            Area::Tenant,
            "/tenants/{tenant}/connections/{connection}/sync/resume",
            "Decides what becomes of stopped decommissions",
        ),
        |call, Sent(input)| async move {
            Answer::shown(sync::resume(&call.broker, &call.change, &call.tenant, &call.id, input).await)
        },
    );
}
