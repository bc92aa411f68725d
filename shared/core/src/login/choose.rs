//! Whose customer signs in, and through which identity provider: named in the request, or the only one there is.

use vestibule_protocol::oauth;
use vestibule_protocol::oauth::authorize::AuthorizationRequest;

use crate::Broker;
use crate::error::Error;
use crate::model::client::Client;

/// A tenant and one of its connections. Whether the connection exists and is enabled is still to be seen.
pub(super) struct Chosen {
    pub(super) tenant: String,
    pub(super) connection: String,
}

/// Chooses for a request of `client`; the inner error is the application's.
pub(super) async fn choose(
    broker: &Broker,
    client: &Client,
    request: &AuthorizationRequest,
) -> Result<Result<Chosen, oauth::Error>, Error> {
    let only_tenant = client.tenants.as_deref().and_then(|tenants| match tenants {
        [only] => Some(only.as_str()),
        _ => None,
    });
    let Some(tenant) = request.tenant.as_deref().or(only_tenant) else {
        return Ok(Err(oauth::Error::invalid_request("tenant is required")));
    };
    if !client.serves(tenant) || broker.tenant(tenant).await?.is_none() {
        return Ok(Err(oauth::Error::invalid_request("tenant is not one that this application serves")));
    }
    let chosen = |connection: &String| Ok(Chosen { tenant: tenant.to_owned(), connection: connection.clone() });
    if let Some(connection) = &request.connection {
        return Ok(chosen(connection));
    }
    let enabled = broker.enabled_connections(tenant).await?;
    Ok(match enabled.as_slice() {
        [only] => chosen(only),
        [] => Err(oauth::Error::invalid_request("the tenant has no identity provider")),
        _ => Err(oauth::Error::invalid_request("the tenant has several identity providers: name one in connection")),
    })
}
