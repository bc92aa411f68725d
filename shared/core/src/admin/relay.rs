//! The relay's setting of an application, and the route from a control plane's origin to it.
//!
//! The application's record says what counts; the route only finds it. It is written before the application names the
//! origin and removed after it no longer does, so whatever a crash leaves is a route to an application that names
//! another origin: it leads nowhere, a repetition of the request mends it, and whoever wants the origin may take it.

use schemars::JsonSchema;
use serde::Deserialize;
use vestibule_protocol::oauth::client_auth::ClientAuthMethod;
use vestibule_protocol::oauth::relay::{origin, origin_of};

use super::change::Change;
use super::problems::Problems;
use crate::Broker;
use crate::error::{AdminError, Error};
use crate::model::client::{Relay, RelayCookies, RelayRoute};
use crate::store::{Expect, StoreError, key};

const PLANE: &str = "/relay/control_plane_url";

/// What an administrator sends.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RelayInput {
    /// The control plane's origin, such as `https://your.example.com`. One of the redirect URIs must lie on it.
    pub control_plane_url: String,
    /// What the cookies with the tokens are called.
    #[serde(default)]
    pub cookies: RelayCookies,
}

/// The setting can work: it names an origin, an address to come back to, and a client that needs no secret.
pub(super) fn check(
    problems: &mut Problems,
    sent: &RelayInput,
    redirect_uris: &[String],
    client_auth: ClientAuthMethod,
) -> Option<Relay> {
    // The relay redeems codes for browsers, which hold no secret: PKCE protects them.
    if client_auth != ClientAuthMethod::None {
        problems.add("/client_auth", "must be none for an application with a relay");
    }
    let origin = origin(&sent.control_plane_url).ok_or("must be https (http on loopback) with host and port only");
    let origin = problems.take(PLANE, origin)?;
    if problems.is_read("/redirect_uris") && !redirect_uris.iter().any(|uri| origin_of(uri).as_deref() == Some(&origin))
    {
        problems.add(PLANE, "has none of redirect_uris on it");
    }
    Some(Relay { control_plane_url: origin, cookies: sent.cookies })
}

/// Makes the origin lead to this application, unless it is another one's.
pub(super) async fn claim(broker: &Broker, change: &Change, id: &str, origin: &str) -> Result<(), Error> {
    let store = &*broker.platform.store;
    let record = key::relay_route(origin);
    let expect = match record.get(store).await? {
        None => Expect::Absent,
        Some(found) if found.value.client == id => return Ok(()),
        Some(found) => {
            let holder = key::client(&found.value.client).get(store).await?;
            if holder.is_some_and(|holder| holder.value.relay_at(origin).is_some()) {
                return Err(AdminError::problem(PLANE, "is another application's").into());
            }
            Expect::Version(found.version)
        }
    };
    let write = record.put(&RelayRoute { client: id.to_owned() }, expect)?;
    store.commit(record.partition(), vec![write]).await.map_err(|error| change.lost(error.into()))?;
    broker.copies.relay_routes.forget(origin);
    Ok(())
}

/// Removes the route from the origin to this application, if there is one.
pub(super) async fn release(broker: &Broker, id: &str, origin: &str) -> Result<(), Error> {
    let store = &*broker.platform.store;
    let record = key::relay_route(origin);
    broker.copies.relay_routes.forget(origin);
    let Some(found) = record.get(store).await?.filter(|found| found.value.client == id) else { return Ok(()) };
    match store.commit(record.partition(), vec![record.delete(Expect::Version(found.version))]).await {
        Ok(_) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
