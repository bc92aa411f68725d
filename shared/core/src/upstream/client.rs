//! `openidconnect`'s client for a connection, and the way of its requests through the platform.
//!
//! Signatures are the platform's ([`super::signature`]). The client is given a key type that verifies nothing
//! ([`PlatformKey`]), so that it cannot be mistaken for the place where that happens, and so that its own arithmetic
//! stays out of the Worker.

use std::pin::Pin;

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreErrorResponseType, CoreGenderClaim, CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm, CoreRevocableToken, CoreRevocationErrorResponse, CoreTokenIntrospectionResponse,
    CoreTokenType,
};
use openidconnect::{
    AsyncHttpClient, AuthType, Client, ClientId, ClientSecret, EmptyExtraTokenFields, EndpointNotSet, EndpointSet,
    HttpRequest, HttpResponse, IdTokenFields, IssuerUrl, JsonWebKeySet, RedirectUrl, StandardErrorResponse,
    StandardTokenResponse, TokenUrl,
};

use super::UpstreamCopy;
use super::reach::Reach;
use super::token::{ExtraClaims, PlatformKey};
use crate::Broker;
use crate::error::{Error, LoginError};
use crate::model::connection::{OidcSettings, UpstreamClientAuth};
use crate::platform::{HttpClient, HttpError};

type Fields = IdTokenFields<
    ExtraClaims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

/// The client, ready to exchange codes.
pub(super) type UpstreamClient = Client<
    ExtraClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    PlatformKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    StandardTokenResponse<Fields, CoreTokenType>,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
    EndpointNotSet,
>;

/// The client of a connection. A secret is needed only where it is sent.
pub(super) fn client(
    broker: &Broker,
    settings: &OidcSettings,
    copy: &UpstreamCopy,
    secret: Option<ClientSecret>,
) -> Result<UpstreamClient, Error> {
    let unusable = |_| Error::from(LoginError::UpstreamInvalid("an address of its metadata is not usable"));
    let metadata = &copy.metadata;
    let issuer = IssuerUrl::new(metadata.issuer.clone()).map_err(unusable)?;
    let redirect =
        RedirectUrl::new(redirect_uri(broker)).map_err(|_| Error::bug("our own callback address is not one"))?;
    let mut client = Client::new(ClientId::new(settings.client_id.clone()), issuer, JsonWebKeySet::new(Vec::new()))
        .set_token_uri(TokenUrl::from_url(metadata.token_endpoint.clone()))
        .set_redirect_uri(redirect)
        .set_auth_type(match settings.client_auth {
            UpstreamClientAuth::ClientSecretBasic => AuthType::BasicAuth,
            // Without a secret, the form names the client and that is all.
            UpstreamClientAuth::ClientSecretPost | UpstreamClientAuth::PrivateKeyJwt | UpstreamClientAuth::None => {
                AuthType::RequestBody
            }
        });
    if let Some(secret) = secret {
        client = client.set_client_secret(secret);
    }
    Ok(client)
}

/// Where providers send people back to.
pub(super) fn redirect_uri(broker: &Broker) -> String {
    format!("{}/oauth2/callback", broker.config.issuer)
}

/// Carries the crate's requests through the platform. A named future, boxed: an `async` closure's would not be known
/// to be `Send` for every lifetime.
pub(super) struct Carrier(pub(super) Reach);

impl<'c> AsyncHttpClient<'c> for Carrier {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move { Ok(self.0.send(request.map(Into::into)).await?.map(Into::into)) })
    }
}
