//! Test logins of a connection.

use vestibule_core::admin::caller::Area;
use vestibule_core::admin::test_logins;

use super::super::Answer;
use super::{Kind, Table, operation};

/// Making one, and reading what came of it.
pub(super) fn fill(table: &mut impl Table) {
    table.add(
        operation(
            Kind::Create,
            Area::Tenant,
            "/tenants/{tenant}/connections/{connection}/test-login",
            "Makes a test login of a connection",
        ),
        |call, ()| async move {
            let connection = (call.tenant.as_str(), call.connection.as_str());
            Answer::created(test_logins::create(&call.broker, &call.change, connection).await)
        },
    );
    table.add(
        operation(
            Kind::Get,
            Area::Tenant,
            "/tenants/{tenant}/connections/{connection}/test-logins/{test}",
            "Shows what came of a test login",
        ),
        |call, ()| async move {
            let connection = (call.tenant.as_str(), call.connection.as_str());
            Answer::tagged(test_logins::get(&call.broker, connection, &call.id).await)
        },
    );
}
