//! Applications.

use serde::{Deserialize, Serialize};
use vestibule_protocol::oauth::client_auth::ClientAuthMethod;

use super::relay::{self, RelayInput};
use super::{Put, check_id, check_name, check_redirect_uris, conflict_is_theirs};
use crate::Broker;
use crate::error::{AdminError, Error};
use crate::handle::SecretHash;
use crate::model::client::{Client, Relay};
use crate::store::{Expect, key};

/// What an administrator sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientInput {
    /// What people read.
    pub name: String,
    /// The tenants that it serves; left out or null for all.
    #[serde(default)]
    pub tenants: Option<Vec<String>>,
    /// Where answers may go.
    pub redirect_uris: Vec<String>,
    /// Where a browser may go after a sign-out.
    #[serde(default)]
    pub post_logout_redirect_uris: Vec<String>,
    /// How it proves who it is.
    pub client_auth: ClientAuthMethod,
    /// Its secret, at least 32 characters, random. Kept as it was when left out of a replacement.
    #[serde(default)]
    pub client_secret: Option<String>,
    /// Lets the relay sign people in for its control plane. Only for a public client.
    #[serde(default)]
    pub relay: Option<RelayInput>,
}

/// What an administrator sees.
#[derive(Debug, Serialize)]
pub struct ClientView {
    /// The application.
    pub id: String,
    /// What people read.
    pub name: String,
    /// The tenants that it serves; null for all.
    pub tenants: Option<Vec<String>>,
    /// Where answers may go.
    pub redirect_uris: Vec<String>,
    /// Where a browser may go after a sign-out.
    pub post_logout_redirect_uris: Vec<String>,
    /// How it proves who it is.
    pub client_auth: ClientAuthMethod,
    /// Whether it has a secret. Nobody can read it back.
    pub has_client_secret: bool,
    /// What the relay does for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relay: Option<Relay>,
}

fn view(id: &str, client: Client) -> ClientView {
    ClientView {
        id: id.to_owned(),
        name: client.name,
        tenants: client.tenants,
        redirect_uris: client.redirect_uris,
        post_logout_redirect_uris: client.post_logout_redirect_uris,
        client_auth: client.client_auth,
        has_client_secret: client.secret_hash.is_some(),
        relay: client.relay,
    }
}

/// An application.
pub async fn get(broker: &Broker, id: &str) -> Result<ClientView, Error> {
    check_id("client", id)?;
    let found = key::client(id).get(&*broker.platform.store).await?.ok_or(AdminError::NotFound)?;
    Ok(view(id, found.value))
}

/// Creates or replaces an application. Other processes follow within a minute.
pub async fn put(broker: &Broker, id: &str, input: ClientInput) -> Result<(Put, ClientView), Error> {
    check_id("client", id)?;
    check_name(&input.name)?;
    for tenant in input.tenants.iter().flatten() {
        check_id("tenants", tenant)?;
    }
    if input.redirect_uris.is_empty() {
        return Err(AdminError::Invalid { field: "redirect_uris", problem: "has no address" }.into());
    }
    check_redirect_uris("redirect_uris", &input.redirect_uris)?;
    check_redirect_uris("post_logout_redirect_uris", &input.post_logout_redirect_uris)?;
    let relay =
        input.relay.as_ref().map(|sent| relay::check(sent, &input.redirect_uris, input.client_auth)).transpose()?;
    let record = key::client(id);
    let found = record.get(&*broker.platform.store).await?;
    let kept = found.as_ref().and_then(|found| found.value.secret_hash.clone());
    let client = Client {
        secret_hash: secret_hash(input.client_auth, input.client_secret.as_deref(), kept)?,
        name: input.name,
        tenants: input.tenants,
        redirect_uris: input.redirect_uris,
        post_logout_redirect_uris: input.post_logout_redirect_uris,
        client_auth: input.client_auth,
        relay,
    };
    let earlier = found.as_ref().and_then(|found| found.value.relay.clone());
    // The route first: an application that names an origin always holds it.
    if let Some(relay) = &client.relay {
        relay::claim(broker, id, &relay.control_plane_url).await?;
    }
    let (outcome, expect) = match found {
        Some(found) => (Put::Replaced, Expect::Version(found.version)),
        None => (Put::Created, Expect::Absent),
    };
    let write = record.put(&client, expect)?;
    broker.platform.store.commit(record.partition(), vec![write]).await.map_err(|e| conflict_is_theirs(e.into()))?;
    broker.copies.clients.forget(id);
    if let Some(earlier) = earlier.filter(|earlier| client.relay_at(&earlier.control_plane_url).is_none()) {
        relay::release(broker, id, &earlier.control_plane_url).await?;
    }
    Ok((outcome, view(id, client)))
}

fn secret_hash(
    method: ClientAuthMethod,
    sent: Option<&str>,
    kept: Option<SecretHash>,
) -> Result<Option<SecretHash>, AdminError> {
    let invalid = |problem| Err(AdminError::Invalid { field: "client_secret", problem });
    match (method, sent) {
        (ClientAuthMethod::None, None) => Ok(None),
        (ClientAuthMethod::None, Some(_)) => invalid("must be left out: a public client has no secret"),
        (_, Some(secret)) if secret.len() < 32 => invalid("must be random, at least 32 characters"),
        (_, Some(secret)) => Ok(Some(SecretHash::of(secret.as_bytes()))),
        (_, None) if kept.is_some() => Ok(kept),
        (_, None) => invalid("is missing"),
    }
}

/// Removes an application.
pub async fn delete(broker: &Broker, id: &str) -> Result<(), Error> {
    check_id("client", id)?;
    let client = key::client(id).take(&*broker.platform.store).await?.ok_or(AdminError::NotFound)?;
    broker.copies.clients.forget(id);
    if let Some(relay) = client.relay {
        relay::release(broker, id, &relay.control_plane_url).await?;
    }
    Ok(())
}
