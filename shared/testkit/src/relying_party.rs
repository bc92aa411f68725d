//! An application that signs people in through the broker, on the certified crate `openidconnect` with its own
//! signature checks: PKCE, nonce, code exchange, refresh, logout. The demo runs on it, and the tests hold the broker's
//! tokens against it.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use bytes::Bytes;
use chrono::DateTime;
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreTokenResponse};
use openidconnect::{
    AccessToken, AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    PkceCodeVerifier, ProviderMetadataWithLogout, RedirectUrl, RefreshToken, RequestTokenError, Scope, TokenResponse,
};
use serde_json::{Map, Value};
use url::Url;
use vestibule_core::platform::{Clock, HttpClient, HttpError};

/// One application at one broker.
#[derive(Clone)]
pub struct RelyingParty {
    /// The broker's issuer identifier.
    pub broker: String,
    /// The application's id.
    pub client_id: String,
    /// Its secret; `None` for a public client.
    pub client_secret: Option<String>,
    /// Where codes arrive.
    pub redirect_uri: String,
    /// The way to the broker.
    pub http: Arc<dyn HttpClient>,
    /// Judges expiry.
    pub clock: Arc<dyn Clock>,
}

/// What has to be remembered between the two legs of a sign-in, in the browser that started it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Comes back with the code.
    pub state: String,
    /// Comes back in the ID token.
    pub nonce: String,
    /// Redeems the code (RFC 7636): 43 to 128 characters.
    pub verifier: String,
}

/// Tokens whose ID token has been verified.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// For APIs.
    pub access_token: String,
    /// Seconds that the access token lives, as the broker said.
    pub expires_in: Option<i64>,
    /// For the next ones.
    pub refresh_token: Option<String>,
    /// As received.
    pub id_token: String,
    /// What the ID token says.
    pub claims: Map<String, Value>,
}

/// Why a leg failed. The text is for the person in front of the demo.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The broker's metadata or keys cannot be had or used.
    #[error("the broker's metadata cannot be read: {0}")]
    Discovery(String),
    /// The broker refused, with this OAuth error code.
    #[error("the broker refused: {0}")]
    Refused(String),
    /// The reply is none, or not one of the protocol.
    #[error("the token endpoint did not answer as it should: {0}")]
    Protocol(String),
    /// The ID token does not hold.
    #[error("the ID token does not hold: {0}")]
    IdToken(String),
}

type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

impl RelyingParty {
    /// The broker's authorization URL for this sign-in. `extra` are more parameters, such as `tenant`.
    pub async fn start(&self, pending: &Pending, extra: &[(&str, &str)]) -> Result<Url, Error> {
        let client = self.client(&self.metadata().await?)?;
        let verifier = PkceCodeVerifier::new(pending.verifier.clone());
        let (state, nonce) = (pending.state.clone(), pending.nonce.clone());
        let mut request = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, || CsrfToken::new(state), || Nonce::new(nonce))
            .add_scope(Scope::new("email".to_owned()))
            .add_scope(Scope::new("profile".to_owned()))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        for (name, value) in extra {
            request = request.add_extra_param(*name, *value);
        }
        Ok(request.url().0)
    }

    /// Redeems the code and verifies the ID token, nonce included.
    pub async fn finish(&self, pending: &Pending, code: &str) -> Result<Tokens, Error> {
        let client = self.client(&self.metadata().await?)?;
        let http = |request| send(Arc::clone(&self.http), request);
        let response = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|error| Error::Discovery(error.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(pending.verifier.clone()))
            .request_async(&http)
            .await
            .map_err(refusal)?;
        self.verified(&client, &response, Some(&Nonce::new(pending.nonce.clone())))
    }

    /// Trades a refresh token for new tokens.
    pub async fn refresh(&self, refresh_token: &str) -> Result<Tokens, Error> {
        let client = self.client(&self.metadata().await?)?;
        let http = |request| send(Arc::clone(&self.http), request);
        let token = RefreshToken::new(refresh_token.to_owned());
        let response = client
            .exchange_refresh_token(&token)
            .map_err(|error| Error::Discovery(error.to_string()))?
            .request_async(&http)
            .await
            .map_err(refusal)?;
        self.verified(&client, &response, None)
    }

    /// Where a browser goes to sign out, to come back to `back_to`.
    pub async fn logout_url(&self, id_token: &str, back_to: &str, state: &str) -> Result<Url, Error> {
        let metadata = self.metadata().await?;
        let endpoint = metadata.additional_metadata().end_session_endpoint.as_ref();
        let mut url =
            endpoint.ok_or_else(|| Error::Discovery("it has no end_session_endpoint".to_owned()))?.url().clone();
        url.query_pairs_mut()
            .append_pair("id_token_hint", id_token)
            .append_pair("post_logout_redirect_uri", back_to)
            .append_pair("state", state);
        Ok(url)
    }

    /// Discovery and keys, afresh each time: a new signing key is seen at once.
    async fn metadata(&self) -> Result<ProviderMetadataWithLogout, Error> {
        let http = |request| send(Arc::clone(&self.http), request);
        let issuer = IssuerUrl::new(self.broker.clone()).map_err(|error| Error::Discovery(error.to_string()))?;
        ProviderMetadataWithLogout::discover_async(issuer, &http).await.map_err(|error| Error::Discovery(chain(&error)))
    }

    fn client(&self, metadata: &ProviderMetadataWithLogout) -> Result<Client, Error> {
        let redirect =
            RedirectUrl::new(self.redirect_uri.clone()).map_err(|error| Error::Protocol(error.to_string()))?;
        let secret = self.client_secret.clone().map(ClientSecret::new);
        let client =
            CoreClient::from_provider_metadata(metadata.clone(), ClientId::new(self.client_id.clone()), secret);
        Ok(client.set_redirect_uri(redirect))
    }

    fn verified(&self, client: &Client, response: &CoreTokenResponse, nonce: Option<&Nonce>) -> Result<Tokens, Error> {
        let wrong = |text: &dyn std::fmt::Display| Error::IdToken(text.to_string());
        let id_token = response.id_token().ok_or_else(|| wrong(&"there is none"))?;
        let clock = Arc::clone(&self.clock);
        let verifier = client
            .id_token_verifier()
            .set_time_fn(move || DateTime::from_timestamp(clock.now().seconds(), 0).unwrap_or_default());
        let check_nonce = |claimed: Option<&Nonce>| match (nonce, claimed) {
            (Some(sent), Some(claimed)) if sent.secret() == claimed.secret() => Ok(()),
            (Some(_), _) => Err("the nonce is another".to_owned()),
            // A refreshed ID token may leave it out (OpenID Connect Core §12.2).
            (None, _) => Ok(()),
        };
        let claims = id_token.claims(&verifier, check_nonce).map_err(|error| wrong(&chain(&error)))?;
        if let Some(expected) = claims.access_token_hash() {
            let algorithm = id_token.signing_alg().map_err(|error| wrong(&error))?;
            let key = id_token.signing_key(&verifier).map_err(|error| wrong(&error))?;
            let actual = AccessTokenHash::from_token(response.access_token(), algorithm, key);
            if actual.map_err(|error| wrong(&error))? != *expected {
                return Err(wrong(&"at_hash belongs to another access token"));
            }
        }
        let id_token = id_token.to_string();
        Ok(Tokens {
            access_token: AccessToken::secret(response.access_token()).clone(),
            expires_in: response.expires_in().and_then(|life| i64::try_from(life.as_secs()).ok()),
            refresh_token: response.refresh_token().map(|token| token.secret().clone()),
            claims: payload(&id_token).ok_or_else(|| wrong(&"its claims are not an object"))?,
            id_token,
        })
    }
}

/// The claims of a compact token, unverified.
pub fn payload(token: &str) -> Option<Map<String, Value>> {
    let bytes = BASE64URL.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&bytes).ok()
}

async fn send(http: Arc<dyn HttpClient>, request: HttpRequest) -> Result<HttpResponse, HttpError> {
    Ok(http.send(request.map(Bytes::from)).await?.map(|body| body.to_vec()))
}

fn refusal<E: std::error::Error + 'static>(
    error: RequestTokenError<E, openidconnect::StandardErrorResponse<openidconnect::core::CoreErrorResponseType>>,
) -> Error {
    match error {
        RequestTokenError::ServerResponse(response) => Error::Refused(response.error().to_string()),
        other => Error::Protocol(chain(&other)),
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
