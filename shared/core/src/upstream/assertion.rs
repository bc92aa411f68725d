//! `private_key_jwt`: we prove who we are to a provider with a token that our published key signs (RFC 7523 §3).

use serde::Serialize;
use vestibule_protocol::jose::TokenType;
use vestibule_protocol::time::{Seconds, Timestamp};

use super::UpstreamCopy;
use crate::Broker;
use crate::error::Error;
use crate::handle::new_id;
use crate::model::connection::{AssertionAudience, OidcSettings, UpstreamClientAuth};
use crate::signing;

/// What the assertion is, in the token request.
pub(super) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How long an assertion counts. Long enough for a request on its way and a clock that is off.
const LIFE: Seconds = Seconds(120);

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    /// Random: a provider accepts each once.
    jti: String,
    iat: Timestamp,
    exp: Timestamp,
}

/// Whom a connection's assertions are for.
pub(super) fn audience<'a>(settings: &OidcSettings, copy: &'a UpstreamCopy) -> &'a str {
    match settings.assertion_audience {
        AssertionAudience::TokenEndpoint => copy.metadata.token_endpoint.as_str(),
        AssertionAudience::Issuer => &copy.metadata.issuer,
    }
}

/// An assertion for one token request, where one is wanted.
pub(super) async fn assertion(
    broker: &Broker,
    client_auth: UpstreamClientAuth,
    client_id: &str,
    audience: &str,
) -> Result<Option<String>, Error> {
    if client_auth != UpstreamClientAuth::PrivateKeyJwt {
        return Ok(None);
    }
    let now = broker.platform.clock.now();
    let claims = Claims {
        iss: client_id,
        sub: client_id,
        aud: audience,
        jti: new_id(&*broker.platform.random),
        iat: now,
        exp: now + LIFE,
    };
    signing::keys(broker).await?.sign(broker, TokenType::ClientAssertion, &claims).await.map(Some)
}
