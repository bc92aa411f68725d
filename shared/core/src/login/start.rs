//! The first leg: from the application's authorization request to the identity provider's login page. Writes nothing.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use url::Url;
use vestibule_protocol::oauth::authorize::{AuthorizationRequest, ReplyTo};
use vestibule_protocol::oauth::{self, ErrorCode};
use vestibule_protocol::params::Params;

use super::state::LoginState;
use super::upstream::Target;
use super::{Refusal, ReplyAddress, choose, upstream};
use crate::Broker;
use crate::error::Error;
use crate::handle::{new_id, new_secret};
use crate::model::client::Client;
use crate::model::connection::{Connection, Upstream};
use crate::seal::Sealed;

/// Where the browser goes, and what it carries.
#[derive(Debug)]
pub struct Started {
    /// The identity provider's authorization endpoint, with our request.
    pub location: Url,
    /// The login's id: part of the cookie's name.
    pub id: String,
    /// The cookie's value.
    pub cookie: Sealed,
}

/// Starts a login for an authorization request that came by `host`, as far as that is known.
pub async fn start(broker: &Broker, params: &Params<'_>, host: Option<&str>) -> Result<Started, Refusal> {
    let (client, reply) = trusted_client(broker, params).await?;
    let refuse = |error: oauth::Error| Refusal::Reply(reply.clone(), error);
    let request = AuthorizationRequest::parse(params).map_err(refuse)?;
    let chosen = choose::choose(broker, &client.client, params, &request, host).await?.map_err(refuse)?;
    let (tenant, connection_id) = (chosen.tenant, chosen.connection);
    let connection = usable(broker.connection(&tenant, &connection_id).await?).map_err(refuse)?;

    let Upstream::Oidc(settings) = &connection.upstream;
    let target = Target { tenant: &tenant, connection: &connection_id, settings };
    let copy = match upstream::documents(broker, &target).await {
        Ok(copy) => copy,
        Err(Error::Login(error)) => {
            tracing::warn!(tenant.id = tenant, connection.id = connection_id, error = %error, "login.upstream_unavailable");
            let description = "the identity provider cannot be reached";
            return Err(refuse(oauth::Error::new(ErrorCode::TemporarilyUnavailable, description)));
        }
        Err(error) => return Err(error.into()),
    };
    let random = &*broker.platform.random;
    let id = new_id(random);
    let verifier = URL_SAFE_NO_PAD.encode(new_secret(random).expose());
    let nonce = new_id(random);
    let asked = upstream::oidc::Asked {
        state: &id,
        nonce: &nonce,
        verifier: &verifier,
        login_hint: request.login_hint.as_deref(),
    };
    let location = upstream::oidc::authorization_url(broker, settings, &copy, &asked)?;
    let login = LoginState {
        tenant,
        connection: connection_id,
        verifier,
        nonce,
        started_at: broker.platform.clock.now(),
        client: client.id,
        redirect_uri: reply.redirect_uri,
        state: reply.state,
        client_nonce: request.nonce,
        code_challenge: request.code_challenge,
        scope: request.scope,
    };
    let cookie = login.seal(broker, &id)?;
    Ok(Started { location, id, cookie })
}

struct TrustedClient {
    id: String,
    client: Arc<Client>,
}

/// Until the client is known and the address is registered for it, nothing is redirected (RFC 6749 §4.1.2.1).
async fn trusted_client(broker: &Broker, params: &Params<'_>) -> Result<(TrustedClient, ReplyAddress), Refusal> {
    let asked = ReplyTo::parse(params)?;
    let client = broker.client(asked.client_id).await?;
    let client = client.ok_or(oauth::Error::invalid_request("client_id is not a registered application"))?;
    if !asked.is_registered(&client.redirect_uris) {
        return Err(oauth::Error::invalid_request("redirect_uri is not registered for this application").into());
    }
    let state = AuthorizationRequest::state(params)?;
    let reply = ReplyAddress { redirect_uri: asked.redirect_uri.to_owned(), state };
    Ok((TrustedClient { id: asked.client_id.to_owned(), client }, reply))
}

const fn unknown_connection() -> oauth::Error {
    oauth::Error::invalid_request("connection is not one of the tenant's")
}

fn usable(connection: Option<Arc<Connection>>) -> Result<Arc<Connection>, oauth::Error> {
    connection.filter(|connection| connection.enabled).ok_or(unknown_connection())
}
