//! A client that another issuer vouches for (RFC 7523 §2.2), such as a cloud for its own workloads. Nobody keeps a secret
//! then. The issuer's keys are found and kept as those of a connection are, within the tenant's reach.

use vestibule_protocol::oauth::assertion::{ClientAssertion, Trusted};
use vestibule_protocol::oauth::{self, ErrorCode};

use super::spend;
use crate::Broker;
use crate::error::{Error, LoginError};
use crate::model::connection::{
    AssertionAudience, ClaimNames, DEFAULT_SKEW, OidcSettings, RequestSettings, UpstreamClientAuth,
};
use crate::model::scim_access::TrustedIssuer;
use crate::upstream::{Target, documents, verify_signature};

/// Whether a statement is the trusted issuer's about this client of `tenant`. One with a name counts once.
pub(crate) async fn is_vouched_for(
    broker: &Broker,
    (tenant, client): (&str, &str),
    trusted: &TrustedIssuer,
    assertion: &str,
) -> Result<bool, Error> {
    let Ok(assertion) = ClientAssertion::parse(assertion) else { return Ok(false) };
    let audience = trusted.audience.as_deref().unwrap_or(&broker.config.issuer);
    let expected = Trusted { issuer: &trusted.issuer, subject: &trusted.subject, audience };
    // Claims first: a stranger makes us ask nobody.
    if let Err(error) = assertion.check_of_another(expected, broker.platform.clock.now()) {
        tracing::info!(client.id = client, error = %error, "client.assertion_refused");
        return Ok(false);
    }
    let settings = settings(&trusted.issuer);
    // No connection has a dot in its id: the documents lie beside those of connections.
    let name = format!("client.{client}");
    let target = Target { tenant, connection: &name, settings: &settings };
    let signed = async {
        let keys = documents(broker, &target).await?;
        verify_signature(broker, &target, keys, &assertion.compact).await
    };
    if !signed.await.map_err(unavailable)? {
        return Ok(false);
    }
    spend(broker, client, &assertion).await
}

/// That the issuer cannot be asked now is no refusal: the directory tries again.
fn unavailable(error: Error) -> Error {
    match error {
        Error::Login(LoginError::UpstreamUnavailable(reason)) => {
            tracing::warn!(error = reason, "client.issuer_unavailable");
            let words = "the issuer of the client assertion cannot be reached";
            oauth::Error::new(ErrorCode::TemporarilyUnavailable, words).into()
        }
        error => error,
    }
}

/// An issuer as far as its keys need it. Nobody signs in there.
fn settings(issuer: &str) -> OidcSettings {
    OidcSettings {
        issuer: issuer.to_owned(),
        entra_directories: Vec::new(),
        endpoints: None,
        client_id: String::new(),
        client_secret: None,
        client_auth: UpstreamClientAuth::None,
        assertion_audience: AssertionAudience::Issuer,
        scopes: Vec::new(),
        audience: None,
        request: RequestSettings::default(),
        claims: ClaimNames::default(),
        skew: DEFAULT_SKEW,
    }
}
