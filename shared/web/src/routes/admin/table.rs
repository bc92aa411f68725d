//! Every operation of the admin API, once: the router is built from this table, and so is the document that describes
//! it.

mod mapping;
mod operation;
mod people;
mod saml;
mod scim_access;
mod scim_schemas;
mod sessions;
mod sync;
mod test_logins;
mod webhooks;

use vestibule_core::admin::caller::Area;
use vestibule_core::admin::{
    audit, clients, connections, domains, hosts, presets, reseal, signing_keys, tenants, tokens, usage,
};
use vestibule_core::error::Error;
use vestibule_core::model::audit::DEPLOYMENT;

pub(crate) use self::operation::{Kind, Operation};
use super::call::{Call, Input, MaybeSent, Output, Sent};
use super::{Answer, openapi};

/// What can be made of the table.
pub(crate) trait Table: Sized {
    /// Takes an operation in.
    fn add<I: Input, O: Output, F>(
        &mut self,
        operation: Operation,
        run: impl Fn(Box<Call>, I) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = Result<Answer<O>, Error>> + Send + 'static;
}

/// Fills the table in.
pub(crate) fn fill(table: &mut impl Table) {
    tenants_themselves(table);
    people::people(table);
    people::provisioning(table);
    sessions::fill(table);
    webhooks::fill(table);
    scim_access::tokens(table);
    scim_access::clients(table);
    scim_schemas::schemas(table);
    mapping::fill(table);
    connections_of_tenants(table);
    saml::fill(table);
    sync::fill(table);
    test_logins::fill(table);
    domains_and_hosts(table);
    applications(table);
    deployment(table);
}

const fn operation(kind: Kind, area: Area, path: &'static str, summary: &'static str) -> Operation {
    Operation { kind, area, path, summary }
}

fn tenants_themselves(table: &mut impl Table) {
    use Kind::{Days, Delete, Events, Export, Get, List, Put, Run};
    table.add(operation(List, Area::Deployment, "/tenants", "Lists the tenants"), |call, ()| async move {
        Answer::shown(tenants::list(&call.broker, &call.paging()?).await)
    });
    table.add(operation(Get, Area::Tenant, "/tenants/{tenant}", "Shows a tenant"), |call, ()| async move {
        Answer::tagged(tenants::get(&call.broker, &call.id).await)
    });
    table.add(
        operation(Put, Area::Tenant, "/tenants/{tenant}", "Creates or replaces a tenant"),
        |call, Sent(input)| async move { Answer::put(tenants::put(&call.broker, &call.change, &call.id, input).await) },
    );
    table.add(
        operation(Delete, Area::DeploymentOfTenant, "/tenants/{tenant}", "Removes a tenant"),
        |call, ()| async move { Answer::gone(tenants::delete(&call.broker, &call.change, &call.id).await) },
    );
    table.add(
        operation(Events, Area::Tenant, "/tenants/{tenant}/audit", "Shows what happened in a tenant"),
        |call, ()| async move { Answer::shown(audit::list(&call.broker, &call.tenant, &call.events()?).await) },
    );
    table.add(
        operation(
            Export,
            Area::Tenant,
            "/tenants/{tenant}/audit/export",
            "Exports what happened in a tenant, as JSON lines",
        ),
        |call, ()| async move {
            let page = audit::list(&call.broker, &call.tenant, &call.events()?).await;
            Answer::lines(&call, page)
        },
    );
    table.add(
        operation(Days, Area::Tenant, "/tenants/{tenant}/usage", "Shows how much a tenant uses the broker, by days"),
        |call, ()| async move { Answer::shown(usage::of_days(&call.broker, &call.tenant, &call.days()?).await) },
    );
    table.add(
        operation(Run, Area::Tenant, "/tenants/{tenant}/reseal", "Seals a tenant's secrets with the first sealing key"),
        |call, ()| async move { Answer::shown(reseal::reseal(&call.broker, &call.change, &call.tenant).await) },
    );
}

fn connections_of_tenants(table: &mut impl Table) {
    use Kind::{Check, Delete, Get, List, Put};
    table.add(
        operation(List, Area::Tenant, "/tenants/{tenant}/connections", "Lists the connections of a tenant"),
        |call, ()| async move { Answer::shown(connections::list(&call.broker, &call.tenant, &call.paging()?).await) },
    );
    table.add(
        operation(Get, Area::Tenant, "/tenants/{tenant}/connections/{connection}", "Shows a connection"),
        |call, ()| async move { Answer::tagged(connections::get(&call.broker, &call.tenant, &call.id).await) },
    );
    table.add(
        operation(Put, Area::Tenant, "/tenants/{tenant}/connections/{connection}", "Creates or replaces a connection"),
        |call, Sent(input)| async move {
            Answer::put(connections::put(&call.broker, &call.change, &call.tenant, &call.id, input).await)
        },
    );
    table.add(
        operation(Delete, Area::Tenant, "/tenants/{tenant}/connections/{connection}", "Removes a connection"),
        |call, ()| async move {
            Answer::gone(connections::delete(&call.broker, &call.change, &call.tenant, &call.id).await)
        },
    );
    table.add(
        operation(
            Check,
            Area::Tenant,
            "/tenants/{tenant}/connections/{connection}/check",
            "Looks at the identity provider of a connection and says what is wrong",
        ),
        |call, MaybeSent(input)| async move {
            Answer::shown(connections::check(&call.broker, &call.tenant, &call.id, input).await)
        },
    );
}

fn domains_and_hosts(table: &mut impl Table) {
    use Kind::{Act, Delete, Get, List, Put};
    table.add(
        operation(List, Area::Tenant, "/tenants/{tenant}/domains", "Lists the domains that a tenant claims"),
        |call, ()| async move { Answer::shown(domains::list(&call.broker, &call.tenant, &call.paging()?).await) },
    );
    table.add(
        operation(Get, Area::Tenant, "/tenants/{tenant}/domains/{domain}", "Shows a claim to a domain"),
        |call, ()| async move { Answer::tagged(domains::get(&call.broker, &call.tenant, &call.id).await) },
    );
    table.add(
        operation(Put, Area::Tenant, "/tenants/{tenant}/domains/{domain}", "Creates or replaces a claim to a domain"),
        |call, Sent(input)| async move {
            Answer::put(domains::put(&call.broker, &call.change, &call.tenant, &call.id, input).await)
        },
    );
    table.add(operation(Delete, Area::Tenant, "/tenants/{tenant}/domains/{domain}", "Removes a claim to a domain"), |call, ()| async move {
        Answer::gone(domains::delete(&call.broker, &call.change, &call.tenant, &call.id).await)
    });
    table.add(
        operation(Act, Area::Tenant, "/tenants/{tenant}/domains/{domain}/verify", "Verifies a claim to a domain"),
        |call, Sent(input)| async move {
            Answer::tagged(domains::verify(&call.broker, &call.change, &call.tenant, &call.id, input).await)
        },
    );
    table.add(
        operation(List, Area::Tenant, "/tenants/{tenant}/hosts", "Lists the hosts of a tenant"),
        |call, ()| async move { Answer::shown(hosts::list(&call.broker, &call.tenant, &call.paging()?).await) },
    );
    table.add(
        operation(Get, Area::Tenant, "/tenants/{tenant}/hosts/{host}", "Shows a host of a tenant"),
        |call, ()| async move { Answer::tagged(hosts::get(&call.broker, &call.tenant, &call.id).await) },
    );
    table.add(
        operation(
            Put,
            Area::DeploymentOfTenant,
            "/tenants/{tenant}/hosts/{host}",
            "Creates or replaces a host of a tenant",
        ),
        |call, Sent(input)| async move {
            Answer::put(hosts::put(&call.broker, &call.change, &call.tenant, &call.id, input).await)
        },
    );
    table.add(
        operation(Delete, Area::Tenant, "/tenants/{tenant}/hosts/{host}", "Removes a host of a tenant"),
        |call, ()| async move { Answer::gone(hosts::delete(&call.broker, &call.change, &call.tenant, &call.id).await) },
    );
}

fn applications(table: &mut impl Table) {
    use Kind::{Delete, Get, List, Put};
    table.add(operation(List, Area::Deployment, "/clients", "Lists the applications"), |call, ()| async move {
        Answer::shown(clients::list(&call.broker, &call.paging()?).await)
    });
    table.add(operation(Get, Area::Deployment, "/clients/{client}", "Shows an application"), |call, ()| async move {
        Answer::tagged(clients::get(&call.broker, &call.id).await)
    });
    table.add(
        operation(Put, Area::Deployment, "/clients/{client}", "Creates or replaces an application"),
        |call, Sent(input)| async move { Answer::put(clients::put(&call.broker, &call.change, &call.id, input).await) },
    );
    table.add(
        operation(Delete, Area::Deployment, "/clients/{client}", "Removes an application"),
        |call, ()| async move { Answer::gone(clients::delete(&call.broker, &call.change, &call.id).await) },
    );
}

fn deployment(table: &mut impl Table) {
    use Kind::{Act, Create, Delete, Events, Get, List, Put, Show};
    table
        .add(operation(List, Area::Deployment, "/tokens", "Lists the administrators' tokens"), |call, ()| async move {
            Answer::shown(tokens::list(&call.broker, &call.paging()?).await)
        });
    table.add(
        operation(Create, Area::Deployment, "/tokens", "Makes an administrator's token"),
        |call, Sent(input)| async move { Answer::created(tokens::create(&call.broker, &call.change, input).await) },
    );
    table.add(
        operation(Get, Area::Deployment, "/tokens/{token}", "Shows an administrator's token, but not its secret"),
        |call, ()| async move { Answer::tagged(tokens::get(&call.broker, &call.id).await) },
    );
    table.add(
        operation(Delete, Area::Deployment, "/tokens/{token}", "Ends an administrator's token"),
        |call, ()| async move { Answer::gone(tokens::delete(&call.broker, &call.change, &call.id).await) },
    );
    table.add(operation(Get, Area::Deployment, "/signing-keys", "Shows the signing keys"), |call, ()| async move {
        Answer::tagged(signing_keys::get(&call.broker).await)
    });
    table.add(
        operation(Put, Area::Deployment, "/signing-keys", "Brings signing keys along"),
        |call, Sent(input)| async move { Answer::put(signing_keys::put(&call.broker, &call.change, input).await) },
    );
    table.add(
        operation(Act, Area::Deployment, "/signing-keys/rotate", "Brings the next signing key into use"),
        |call, ()| async move { Answer::tagged(signing_keys::rotate(&call.broker, &call.change).await) },
    );
    table.add(
        operation(Delete, Area::Deployment, "/signing-keys/{kid}", "Removes a signing key that somebody else may have"),
        |call, ()| async move { Answer::gone(signing_keys::delete(&call.broker, &call.change, &call.id).await) },
    );
    table.add(
        operation(Events, Area::Deployment, "/audit", "Shows what administrators did to the deployment"),
        |call, ()| async move { Answer::shown(audit::list(&call.broker, DEPLOYMENT, &call.events()?).await) },
    );
    table.add(
        operation(Show, Area::Anyone, "/presets", "Shows what is known of common identity providers"),
        |call, ()| async move { Answer::shown(async { presets::list(&call.broker) }.await) },
    );
    table.add(operation(Show, Area::Anyone, "/openapi.json", "Shows this description"), |_, ()| async move {
        Answer::shown(openapi::served())
    });
}
