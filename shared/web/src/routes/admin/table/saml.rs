//! The operations on what connections that speak SAML know of their providers, and on our keys toward these.

use vestibule_core::admin::caller::Area;
use vestibule_core::admin::{saml_keys, saml_provider};

use super::super::Answer;
use super::super::call::Sent;
use super::{Kind, Table, operation};

pub(super) fn fill(table: &mut impl Table) {
    provider(table);
    keys(table);
}

fn provider(table: &mut impl Table) {
    let one = "/tenants/{tenant}/connections/{connection}/saml-provider";
    table.add(
        operation(Kind::Show, Area::Tenant, one, "Shows what is known of a provider that speaks SAML"),
        |call, ()| async move { Answer::shown(saml_provider::get(&call.broker, &call.tenant, &call.connection).await) },
    );
    table.add(
        operation(
            Kind::Run,
            Area::Tenant,
            "/tenants/{tenant}/connections/{connection}/saml-provider/refresh",
            "Fetches a provider's metadata now",
        ),
        |call, ()| async move {
            Answer::shown(saml_provider::refresh(&call.broker, &call.tenant, &call.connection).await)
        },
    );
}

fn keys(table: &mut impl Table) {
    let all = "/tenants/{tenant}/connections/{connection}/saml-keys";
    table.add(
        operation(Kind::Get, Area::Tenant, all, "Shows our keys toward a provider that speaks SAML"),
        |call, ()| async move { Answer::tagged(saml_keys::get(&call.broker, (&call.tenant, &call.connection)).await) },
    );
    table.add(
        operation(Kind::Act, Area::Tenant, all, "Makes a key and publishes it beside those that are there"),
        |call, Sent(input)| async move {
            let place = (call.tenant.as_str(), call.connection.as_str());
            Answer::tagged(saml_keys::add(&call.broker, &call.change, place, input).await)
        },
    );
    table.add(
        operation(
            Kind::Act,
            Area::Tenant,
            "/tenants/{tenant}/connections/{connection}/saml-keys/{key}/activate",
            "Brings a key into use",
        ),
        |call, ()| async move {
            let place = (call.tenant.as_str(), call.connection.as_str());
            Answer::tagged(saml_keys::activate(&call.broker, &call.change, place, &call.id).await)
        },
    );
    table.add(
        operation(
            Kind::Delete,
            Area::Tenant,
            "/tenants/{tenant}/connections/{connection}/saml-keys/{key}",
            "Removes a key that is not in use",
        ),
        |call, ()| async move {
            let place = (call.tenant.as_str(), call.connection.as_str());
            Answer::gone(saml_keys::delete(&call.broker, &call.change, place, &call.id).await)
        },
    );
}
