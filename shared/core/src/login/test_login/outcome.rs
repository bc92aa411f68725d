//! What came of a test login: written down for a quarter of an hour, and said in words.

use crate::Broker;
use crate::error::{Error, LoginError};
use crate::model::test_login::{Outcome, TEST_LIFE, TestClaims, TestLogin};
use crate::seal::{Purpose, Sealed};
use crate::store::record::Stored;
use crate::store::{Expect, StoreError, key};

/// Writes down how far a test login is; it ends a quarter of an hour later. `false` if somebody else wrote meanwhile.
pub(super) async fn record(
    broker: &Broker,
    (tenant, id): (&str, &str),
    found: Stored<TestLogin>,
    outcome: Outcome,
) -> Result<bool, Error> {
    let expires_at = broker.platform.clock.now() + TEST_LIFE;
    let test = TestLogin { expires_at, outcome, ..found.value };
    let record = key::test_login(tenant, id);
    let write = record.put_until(&test, expires_at, Expect::Version(found.version))?;
    match broker.platform.store.commit(record.partition(), vec![write]).await {
        Ok(_) => Ok(true),
        Err(StoreError::Conflict) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Where claims are sealed.
fn place((tenant, id): (&str, &str)) -> String {
    format!("tenant/{tenant}/test-login/{id}")
}

pub(super) fn seal(broker: &Broker, name: (&str, &str), claims: &TestClaims) -> Result<Sealed, Error> {
    let plain = serde_json::to_vec(claims).map_err(|_| Error::bug("claims do not serialize"))?;
    Ok(broker.sealer.seal(&*broker.platform.random, Purpose::Record, &place(name), &plain)?)
}

/// The claims that a test login brought, opened; `None` as long as it brought none.
pub(crate) fn claims(broker: &Broker, name: (&str, &str), test: &TestLogin) -> Result<Option<TestClaims>, Error> {
    let Outcome::Done { claims } = &test.outcome else { return Ok(None) };
    let plain = broker.sealer.open(Purpose::Record, &place(name), claims)?;
    serde_json::from_slice(&plain).map(Some).map_err(|_| Error::bug("sealed claims are not readable"))
}

/// Why it did not work, for an administrator; `None` where that is our own fault.
pub(super) fn reason(error: &Error) -> Option<String> {
    Some(match error {
        Error::Login(LoginError::OtherIssuer) => {
            "The answer came from another issuer than the connection's.".to_owned()
        }
        Error::Login(LoginError::UpstreamDenied(code)) => {
            format!("The identity provider refused: {code}. Its own log says more.")
        }
        Error::Login(LoginError::UpstreamUnavailable(reason)) => {
            format!("The identity provider cannot be used: {reason}.")
        }
        Error::Login(LoginError::UpstreamInvalid(rule)) => {
            format!("The identity provider's answer breaks a rule: {rule}.")
        }
        Error::Login(LoginError::Saml(refused)) => format!("The identity provider's answer is refused: {refused}."),
        Error::Login(LoginError::ConnectionUnavailable) => "The connection or its tenant was removed.".to_owned(),
        Error::OAuth(error) => format!("The answer is not readable: {}.", error.description),
        // The other reasons of logins are about a person: a test login looks for none.
        Error::Login(_) | Error::Admin(_) | Error::Scim(_) | Error::Internal(_) => return None,
    })
}

/// A registered error code (RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6). What else a provider writes is not repeated.
pub(super) fn registered(code: &str) -> &'static str {
    const CODES: [&str; 15] = [
        "invalid_request",
        "unauthorized_client",
        "access_denied",
        "unsupported_response_type",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
        "interaction_required",
        "login_required",
        "account_selection_required",
        "consent_required",
        "invalid_request_uri",
        "invalid_request_object",
        "request_not_supported",
        "unmet_authentication_requirements",
    ];
    CODES.into_iter().find(|known| *known == code).unwrap_or("an error code that is not registered")
}
