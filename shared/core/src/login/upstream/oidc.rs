//! OpenID Connect with the identity provider: our request, the exchange of its code, and what it says of the person.
//!
//! `openidconnect` speaks the protocol; signatures are the platform's ([`super::token`]). Its client is given a key
//! type that verifies nothing ([`PlatformKey`]), so that it cannot be mistaken for the place where that happens, and so
//! that its own arithmetic stays out of the Worker.

use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreErrorResponseType, CoreGenderClaim, CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm, CoreResponseType, CoreRevocableToken, CoreRevocationErrorResponse,
    CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AsyncHttpClient, AuthType, AuthUrl, AuthenticationFlow, AuthorizationCode, Client, ClientId, ClientSecret,
    CsrfToken, EmptyExtraTokenFields, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IdTokenClaims,
    IdTokenFields, IssuerUrl, JsonWebKeySet, LocalizedClaim, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, StandardErrorResponse, StandardTokenResponse,
    TokenResponse, TokenUrl, UserInfoClaims, UserInfoError, UserInfoUrl,
};
use url::Url;
use vestibule_protocol::oauth::prompt::Prompt;
use vestibule_protocol::time::{Seconds, Timestamp};

use super::token::{Expected, ExtraClaims, PlatformKey, verify_id_token};
use super::{Target, UpstreamCopy, documents};
use crate::Broker;
use crate::error::{Error, LoginError};
use crate::login::state::LoginState;
use crate::model::connection::{OidcSettings, UpstreamClientAuth};
use crate::model::session::AuthenticationMethod;
use crate::model::user::Profile;
use crate::platform::{HttpClient, HttpError};
use crate::seal::Purpose;

type Fields = IdTokenFields<
    ExtraClaims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

type UpstreamClient = Client<
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
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
    EndpointNotSet,
>;

type UserInfo = UserInfoClaims<ExtraClaims, CoreGenderClaim>;

/// What an identity provider said of a person, verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The provider.
    pub issuer: String,
    /// Its name for the person.
    pub subject: String,
    /// Who they are.
    pub profile: Profile,
    /// When they proved it, if it says so.
    pub auth_time: Option<Timestamp>,
    /// How, as far as it says.
    pub method: AuthenticationMethod,
}

/// The moving parts of our authorization request.
pub struct Asked<'a> {
    /// Comes back with the answer.
    pub state: &'a str,
    /// Comes back in the ID token.
    pub nonce: &'a str,
    /// The secret behind our PKCE challenge.
    pub verifier: &'a str,
    /// Who is probably signing in.
    pub login_hint: Option<&'a str>,
    /// Whether the application insists on asking the person.
    pub prompt: &'a Prompt,
    /// How long ago the person may have proved who they are.
    pub max_age: Option<Seconds>,
}

/// Where to send the browser. PKCE S256 and a nonce are always in it.
pub(crate) fn authorization_url(
    broker: &Broker,
    settings: &OidcSettings,
    copy: &UpstreamCopy,
    asked: &Asked<'_>,
) -> Result<Url, Error> {
    let client = client(broker, settings, copy, None)?;
    let (state, nonce) = (CsrfToken::new(asked.state.to_owned()), Nonce::new(asked.nonce.to_owned()));
    let verifier = PkceCodeVerifier::new(asked.verifier.to_owned());
    let mut request = client
        .authorize_url(AuthenticationFlow::<CoreResponseType>::AuthorizationCode, || state, || nonce)
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
    // The crate adds `openid` itself.
    for scope in settings.scopes.iter().filter(|scope| *scope != "openid") {
        request = request.add_scope(Scope::new(scope.clone()));
    }
    if let Some(hint) = asked.login_hint {
        request = request.add_extra_param("login_hint", hint);
    }
    if let Prompt::Ask(prompt) = asked.prompt {
        request = request.add_extra_param("prompt", prompt.as_str());
    }
    if let Some(max_age) = asked.max_age {
        request = request.add_extra_param("max_age", max_age.0.to_string());
    }
    Ok(request.url().0)
}

/// Exchanges the provider's code, verifies its ID token, and asks userinfo. The login says which connection.
pub(crate) async fn identify(
    broker: &Broker,
    login: &LoginState,
    settings: &OidcSettings,
    code: &str,
) -> Result<Identity, Error> {
    let target = Target { tenant: &login.tenant, connection: &login.connection, settings };
    let copy = documents(broker, &target).await?;
    let place = secret_place(&login.tenant, &login.connection);
    let secret = broker.sealer.open(Purpose::Record, &place, &settings.client_secret)?;
    let secret = String::from_utf8(secret).map_err(|_| Error::bug("a client secret is not text"))?;
    let client = client(broker, settings, &copy, Some(ClientSecret::new(secret)))?;
    let carrier = Carrier(Arc::clone(&broker.platform.http));

    let tokens = client
        .exchange_code(AuthorizationCode::new(code.to_owned()))
        .set_pkce_verifier(PkceCodeVerifier::new(login.verifier.clone()))
        .request_async(&carrier)
        .await
        .map_err(|error| exchange_failed(&error))?;
    let id_token = tokens.id_token().ok_or(LoginError::UpstreamInvalid("no ID token"))?;
    let expected = Expected { target, nonce: &login.nonce };
    let userinfo_endpoint = copy.metadata.userinfo_endpoint.clone();
    let claims = verify_id_token(broker, &expected, copy, id_token, tokens.access_token()).await?;
    let subject = claims.subject().clone();
    let mut profile = profile_of!(claims);
    if let Some(endpoint) = userinfo_endpoint {
        let client = client.set_user_info_url(UserInfoUrl::from_url(endpoint));
        let request = client.user_info(tokens.access_token().clone(), Some(subject.clone()));
        let answer: Result<UserInfo, _> = request.request_async(&carrier).await;
        let userinfo = answer.map_err(|error| userinfo_failed(&error))?;
        profile = merge(profile, profile_of!(userinfo));
    }
    let (auth_time, method) = authentication(claims);
    Ok(Identity { issuer: settings.issuer.clone(), subject: subject.to_string(), profile, auth_time, method })
}

/// When and how the person proved who they are, bounded: it goes into our tokens.
fn authentication(claims: &IdTokenClaims<ExtraClaims, CoreGenderClaim>) -> (Option<Timestamp>, AuthenticationMethod) {
    let auth_time = claims.auth_time().map(|at| Timestamp::from_seconds(at.timestamp()));
    let short = |text: &String| (1..=128).contains(&text.len());
    let acr = claims.auth_context_ref().map(|acr| acr.to_string()).filter(short);
    let amr = claims.auth_method_refs().into_iter().flatten().map(|amr| amr.to_string()).filter(short).take(16);
    (auth_time, AuthenticationMethod { acr, amr: amr.collect() })
}

/// Where a connection's client secret is sealed.
pub(crate) fn secret_place(tenant: &str, connection: &str) -> String {
    format!("tenant/{tenant}/connection/{connection}/client_secret")
}

/// The crate has compared userinfo's `sub` with the ID token's (OpenID Connect Core §5.3.2).
fn userinfo_failed(error: &UserInfoError<HttpError>) -> LoginError {
    match error {
        UserInfoError::Request(error) => LoginError::UpstreamUnavailable(error.to_string()),
        UserInfoError::Response(..) => LoginError::UpstreamUnavailable("userinfo failed".to_owned()),
        UserInfoError::ClaimsVerification(_) => LoginError::UpstreamInvalid("userinfo is of another subject"),
        _ => LoginError::UpstreamInvalid("userinfo is not readable"),
    }
}

fn client(
    broker: &Broker,
    settings: &OidcSettings,
    copy: &UpstreamCopy,
    secret: Option<ClientSecret>,
) -> Result<UpstreamClient, Error> {
    let unusable = |_| Error::from(LoginError::UpstreamInvalid("an address of its metadata is not usable"));
    let metadata = &copy.metadata;
    let issuer = IssuerUrl::new(metadata.issuer.clone()).map_err(unusable)?;
    let redirect = format!("{}/oauth2/callback", broker.config.issuer);
    let redirect = RedirectUrl::new(redirect).map_err(|_| Error::bug("our own callback address is not one"))?;
    let mut client = Client::new(ClientId::new(settings.client_id.clone()), issuer, JsonWebKeySet::new(Vec::new()))
        .set_auth_uri(AuthUrl::from_url(metadata.authorization_endpoint.clone()))
        .set_token_uri(TokenUrl::from_url(metadata.token_endpoint.clone()))
        .set_redirect_uri(redirect)
        .set_auth_type(match settings.client_auth {
            UpstreamClientAuth::ClientSecretBasic => AuthType::BasicAuth,
            UpstreamClientAuth::ClientSecretPost => AuthType::RequestBody,
        });
    if let Some(secret) = secret {
        client = client.set_client_secret(secret);
    }
    Ok(client)
}

/// Carries the crate's requests through the platform. A named future, boxed: an `async` closure's would not be known
/// to be `Send` for every lifetime.
struct Carrier(Arc<dyn HttpClient>);

impl<'c> AsyncHttpClient<'c> for Carrier {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move { Ok(self.0.send(request.map(Into::into)).await?.map(Into::into)) })
    }
}

/// A refused code is the provider's word; everything else is an outage. What it wrote stays out of our texts.
fn exchange_failed(error: &RequestTokenError<HttpError, StandardErrorResponse<CoreErrorResponseType>>) -> LoginError {
    match error {
        RequestTokenError::ServerResponse(answer) => LoginError::UpstreamDenied(match answer.error() {
            CoreErrorResponseType::InvalidGrant => "invalid_grant",
            CoreErrorResponseType::InvalidClient => "invalid_client",
            CoreErrorResponseType::UnauthorizedClient => "unauthorized_client",
            CoreErrorResponseType::InvalidRequest => "invalid_request",
            _ => "an error at the token endpoint",
        }),
        RequestTokenError::Request(error) => LoginError::UpstreamUnavailable(error.to_string()),
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            LoginError::UpstreamUnavailable("the token endpoint's answer is not readable".to_owned())
        }
    }
}

/// The profile in an ID token or in userinfo: two types of the crate with the same accessors.
macro_rules! profile_of {
    ($claims:expr) => {
        Profile {
            email: $claims.email().map(|email| email.to_string()),
            email_verified: $claims.email_verified(),
            name: unlocalized($claims.name()),
            given_name: unlocalized($claims.given_name()),
            family_name: unlocalized($claims.family_name()),
            preferred_username: $claims.preferred_username().map(|name| name.to_string()),
        }
    };
}
use profile_of;

fn unlocalized<T: Deref<Target = String>>(claim: Option<&LocalizedClaim<T>>) -> Option<String> {
    claim.and_then(|claim| claim.get(None)).map(|value| value.to_string())
}

/// Userinfo is the fresher of the two, where it says anything. An address and whether it is verified go together.
fn merge(token: Profile, userinfo: Profile) -> Profile {
    let (email, email_verified) = match userinfo.email {
        Some(email) => (Some(email), userinfo.email_verified),
        None => (token.email, token.email_verified),
    };
    Profile {
        email,
        email_verified,
        name: userinfo.name.or(token.name),
        given_name: userinfo.given_name.or(token.given_name),
        family_name: userinfo.family_name.or(token.family_name),
        preferred_username: userinfo.preferred_username.or(token.preferred_username),
    }
}
