//! The token endpoint: a code for the first tokens ([`redeem`]), a refresh token for the next ([`refresh`]). What a
//! directory gets for itself is in [`crate::scim::access`]. And what can be done with tokens: [`revoke`],
//! [`introspect`].

mod claims;
pub(crate) mod family;
pub mod introspect;
mod issue;
mod redeem;
mod refresh;
pub mod revoke;

use serde::Serialize;
use vestibule_protocol::oauth::client_auth::ClientCredentials;
use vestibule_protocol::oauth::token::TokenRequest;
use vestibule_protocol::oauth::{self, ErrorCode};

pub(crate) use claims::{AccessClaims, IdClaims, for_userinfo, is_access, role, visible};
pub(crate) use issue::grant_id;

use crate::Broker;
use crate::client_auth::authenticate;
use crate::error::Error;
use crate::model::client::Client;
use crate::model::lifetimes::Lifetimes;
use crate::scim::access::oauth::{DirectoryToken, grant};

/// What the token endpoint answers.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Granted {
    /// To an application, about a person.
    Application(Box<TokenResponse>),
    /// To a directory, for itself.
    Directory(DirectoryToken),
}

/// What the client gets (RFC 6749 §5.1).
#[derive(Serialize)]
pub struct TokenResponse {
    /// A JWT for APIs.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: &'static str,
    /// The access token's life, in seconds.
    pub expires_in: i64,
    /// The handle for the next refresh.
    pub refresh_token: String,
    /// What is left of the refresh family's life, in seconds.
    pub refresh_token_expires_in: i64,
    /// A JWT about the person, for the client itself.
    pub id_token: String,
    /// What was granted.
    pub scope: String,
}

/// Answers a token request.
pub async fn exchange(
    broker: &Broker,
    credentials: &ClientCredentials,
    request: TokenRequest<'_>,
) -> Result<Granted, Error> {
    if request == TokenRequest::ClientCredentials
        && let Some(token) = grant(broker, credentials).await?
    {
        return Ok(Granted::Directory(token));
    }
    let registered = authenticate(broker, credentials).await?;
    let client = Caller { id: &credentials.client_id, registered: &registered };
    Ok(Granted::Application(Box::new(exchange_as(broker, client, request).await?)))
}

/// Answers a request of a client that is known: it authenticated, or the relay acts for it.
pub(crate) async fn exchange_as(
    broker: &Broker,
    client: Caller<'_>,
    request: TokenRequest<'_>,
) -> Result<TokenResponse, Error> {
    match request {
        TokenRequest::AuthorizationCode { code, redirect_uri, code_verifier } => {
            redeem::redeem(broker, client, &redeem::Offer { code, redirect_uri, code_verifier }).await
        }
        TokenRequest::RefreshToken { refresh_token, scope } => {
            refresh::refresh(broker, client, refresh_token, scope).await
        }
        TokenRequest::ClientCredentials => {
            Err(oauth::Error::new(ErrorCode::UnauthorizedClient, "client_credentials is for directories only").into())
        }
    }
}

/// A client that is known.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'a> {
    pub(crate) id: &'a str,
    pub(crate) registered: &'a Client,
}

impl Caller<'_> {
    /// Whether it still serves a tenant that is still there: what it holds of any other is worth nothing any more.
    pub(crate) async fn serves(&self, broker: &Broker, tenant: &str) -> Result<bool, Error> {
        Ok(self.lives_at(broker, tenant).await?.is_some())
    }

    /// How long what it gets of a tenant that it serves lives; `None` for any other tenant.
    async fn lives_at(&self, broker: &Broker, tenant: &str) -> Result<Option<Lifetimes>, Error> {
        let served = if self.registered.serves(tenant) { broker.tenant(tenant).await? } else { None };
        Ok(served.map(|tenant| tenant.lifetimes))
    }
}
