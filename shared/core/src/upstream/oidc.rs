//! OpenID Connect with the identity provider, second half: the exchange of its code, and what it says of the person.

use std::collections::BTreeMap;
use std::sync::Arc;

use openidconnect::core::CoreErrorResponseType;
use openidconnect::{
    AuthorizationCode, ClientSecret, OAuth2TokenResponse, PkceCodeVerifier, RequestTokenError, StandardErrorResponse,
    TokenResponse,
};
use serde_json::Value;
use vestibule_protocol::oidc::claims::Claims;
use vestibule_protocol::oidc::groups::Groups;
use vestibule_protocol::time::{Seconds, Timestamp};

use super::assertion::{ASSERTION_TYPE, assertion, audience};
use super::client::{Carrier, client};
use super::kept::{Kept, kept_tokens, outline};
use super::person::{Said, attributes, unique_id};
use super::reach::Reach;
use super::token::{Expected, Verified, verify_id_token};
use super::{Target, documents, userinfo};
use crate::Broker;
use crate::error::{Error, LoginError};
use crate::model::connection::ClaimNames;
use crate::model::session::AuthenticationMethod;
use crate::model::user::Profile;
use crate::model::watch::ProviderTokens;
use crate::platform::HttpError;
use crate::seal::Purpose;

/// What an identity provider said of a person, verified.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Identity {
    /// The provider. From a template, the issuer of the person's directory.
    pub issuer: String,
    /// Its name for the person: `sub`, or the connection's unique-id claim.
    pub subject: String,
    /// Who they are.
    pub profile: Profile,
    /// When they proved it, if it says so.
    pub auth_time: Option<Timestamp>,
    /// How, as far as it says.
    pub method: AuthenticationMethod,
    /// Which groups they are in.
    pub groups: Groups,
    /// Whatever else the connection keeps of them.
    pub attributes: BTreeMap<String, Value>,
    /// Everything that was said, for the tenant's rules. Never stored, never logged.
    pub claims: Claims,
    /// With what the provider can be asked again.
    pub kept: Kept,
}

/// A provider's code, with what it must be redeemed with.
pub(crate) struct Answer<'a> {
    pub(crate) target: Target<'a>,
    /// The secret of our PKCE.
    pub(crate) verifier: &'a str,
    /// What the ID token must hold.
    pub(crate) nonce: &'a str,
    pub(crate) code: &'a str,
}

/// Who the person behind the provider's code is.
pub(crate) async fn identify(broker: &Broker, answer: &Answer<'_>) -> Result<Identity, Error> {
    let (verified, more, tokens) = redeem(broker, answer).await?;
    let outline = outline(Some(&verified.claims), more.as_ref());
    let kept = Kept { sub: verified.subject, outline, tokens };
    let said = (&verified.claims, more.as_ref());
    let identity = identity_of(&answer.target.settings.claims, said, &verified.issuer, kept);
    let identity = identity.ok_or(LoginError::UpstreamInvalid("no usable unique-id claim"))?;
    Ok(Identity { auth_time: verified.auth_time, method: verified.method, ..identity })
}

/// What ID token and userinfo, or an assertion alone, say of a person; `None` without a usable unique-id claim.
pub(crate) fn identity_of(
    names: &ClaimNames,
    (id_token, userinfo): (&Claims, Option<&Claims>),
    issuer: &str,
    kept: Kept,
) -> Option<Identity> {
    let subject = unique_id(&names.unique_id, id_token, userinfo)?;
    let Said { profile, groups, claims } = Said::new(id_token, userinfo, names);
    Some(Identity {
        issuer: issuer.to_owned(),
        subject,
        profile,
        auth_time: None,
        method: AuthenticationMethod::default(),
        groups,
        attributes: attributes(&claims, names),
        claims,
        kept,
    })
}

/// Exchanges the code, verifies the ID token, and asks userinfo.
async fn redeem(broker: &Broker, answer: &Answer<'_>) -> Result<(Verified, Option<Claims>, ProviderTokens), Error> {
    let (target, settings) = (answer.target, answer.target.settings);
    let copy = documents(broker, &target).await?;
    let client = client(broker, settings, &copy, client_secret(broker, &target)?)?;
    let carrier = Carrier(Reach::of(broker, target.tenant).await?);
    let mut exchange = client
        .exchange_code(AuthorizationCode::new(answer.code.to_owned()))
        .set_pkce_verifier(PkceCodeVerifier::new(answer.verifier.to_owned()));
    if let Some(assertion) =
        assertion(broker, settings.client_auth, &settings.client_id, audience(settings, &copy)).await?
    {
        exchange = exchange
            .add_extra_param("client_assertion_type", ASSERTION_TYPE)
            .add_extra_param("client_assertion", assertion);
    }
    let tokens = exchange.request_async(&carrier).await.map_err(|error| exchange_failed(&error))?;
    let id_token = tokens.id_token().ok_or(LoginError::UpstreamInvalid("no ID token"))?;
    let expected = Expected { target, nonce: Some(answer.nonce), max_age: settings.request.max_age };
    let verified = verify_id_token(broker, &expected, Arc::clone(&copy), id_token, tokens.access_token()).await?;
    let more = match &copy.metadata.userinfo_endpoint {
        Some(endpoint) => {
            let asked = userinfo::Asked { endpoint, access_token: tokens.access_token(), subject: &verified.subject };
            Some(userinfo::ask(broker, &target, Arc::clone(&copy), &asked).await?)
        }
        None => None,
    };
    let refresh_token = tokens.refresh_token().map(|token| token.secret().clone());
    let expires_in = tokens.expires_in().map(|life| Seconds(i64::try_from(life.as_secs()).unwrap_or(i64::MAX)));
    let now = broker.platform.clock.now();
    let kept = kept_tokens(refresh_token, tokens.access_token().secret(), expires_in, now);
    Ok((verified, more, kept))
}

/// What the provider's ID token and userinfo say, verified, and nothing made of it.
pub(crate) async fn claims(broker: &Broker, answer: &Answer<'_>) -> Result<(Claims, Option<Claims>), Error> {
    let (verified, more, _) = redeem(broker, answer).await?;
    Ok((verified.claims, more))
}

/// Where a connection's client secret is sealed.
pub(crate) fn secret_place(tenant: &str, connection: &str) -> String {
    format!("tenant/{tenant}/connection/{connection}/client_secret")
}

/// Our secret at the provider, where one is used.
pub(super) fn client_secret(broker: &Broker, target: &Target<'_>) -> Result<Option<ClientSecret>, Error> {
    let sealed = target.settings.client_secret.as_ref().filter(|_| target.settings.client_auth.needs_secret());
    let Some(sealed) = sealed else { return Ok(None) };
    let place = secret_place(target.tenant, target.connection);
    let secret = broker.sealer.open(Purpose::Record, &place, sealed)?;
    let secret = String::from_utf8(secret).map_err(|_| Error::bug("a client secret is not text"))?;
    Ok(Some(ClientSecret::new(secret)))
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
