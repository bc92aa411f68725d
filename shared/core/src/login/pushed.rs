//! Authorization requests that an application sends ahead, over its own connection (RFC 9126). The browser carries
//! only a name for what is asked, good for one start.

use vestibule_protocol::oauth;
use vestibule_protocol::oauth::authorize::{AuthorizationRequest, ReplyTo};
use vestibule_protocol::oauth::client_auth::ClientCredentials;
use vestibule_protocol::oauth::pushed::{parameters, request_uri, secret_of};
use vestibule_protocol::params::Params;
use vestibule_protocol::time::Seconds;

use crate::Broker;
use crate::client_auth::authenticate;
use crate::error::Error;
use crate::handle::{SecretHash, new_secret};
use crate::model::pushed::PushedRequest;
use crate::store::{Expect, key};

/// How long the browser may take to arrive: RFC 9126 §2.2 wants it short.
pub const PUSHED_LIFE: Seconds = Seconds(90);

/// What the application gets.
#[derive(Debug)]
pub struct Pushed {
    /// The name for the request.
    pub request_uri: String,
    /// How long it is good.
    pub expires_in: Seconds,
}

/// Takes a request from its client, after the checks that the authorization endpoint would make (§2.1).
pub async fn push(broker: &Broker, credentials: &ClientCredentials, params: &Params<'_>) -> Result<Pushed, Error> {
    let client = authenticate(broker, credentials).await?;
    if params.get("request_uri").map_err(oauth::Error::from)?.is_some() {
        return Err(oauth::Error::invalid_request("request_uri cannot be pushed").into());
    }
    let parameters = parameters(&credentials.client_id, params)?;
    let read = Params::parse(&parameters).map_err(oauth::Error::from)?;
    if !ReplyTo::parse(&read)?.is_registered(&client.redirect_uris) {
        return Err(oauth::Error::invalid_request("redirect_uri is not registered for this application").into());
    }
    AuthorizationRequest::state(&read)?;
    AuthorizationRequest::parse(&read)?;

    let request_uri = keep(broker, &credentials.client_id, parameters).await?;
    Ok(Pushed { request_uri, expires_in: PUSHED_LIFE })
}

/// Keeps a client's request, and names it.
async fn keep(broker: &Broker, client: &str, parameters: String) -> Result<String, Error> {
    let secret = new_secret(&*broker.platform.random);
    let record = key::pushed_request(client, SecretHash::of(secret.expose()).as_str());
    let until = broker.platform.clock.now() + PUSHED_LIFE;
    let write = record.put_until(&PushedRequest { parameters }, until, Expect::Absent)?;
    broker.platform.store.commit(record.partition(), vec![write]).await?;
    Ok(request_uri(secret.expose()))
}

/// The request behind `request_uri`, if the browser brings one. It is taken: of two starts, one gets it. Parameters
/// beside it do not count (RFC 9101 §5).
pub(super) async fn take(broker: &Broker, params: &Params<'_>) -> Result<Option<PushedRequest>, Error> {
    let Some(name) = params.get("request_uri").map_err(oauth::Error::from)? else { return Ok(None) };
    let refused = oauth::Error::invalid_request("request_uri is unknown, used, too old, or of another application");
    let client = params.get("client_id").map_err(oauth::Error::from)?;
    let client = client.ok_or(oauth::Error::invalid_request("client_id is required"))?;
    if broker.client(client).await?.is_none() {
        return Err(refused.into());
    }
    let secret = secret_of(name).ok_or(refused)?;
    let record = key::pushed_request(client, SecretHash::of(&secret).as_str());
    Ok(Some(record.take(&*broker.platform.store).await?.ok_or(refused)?))
}
