//! The second leg with SAML: from a response that was posted to a connection's assertion consumer service to a person who is
//! known. The first leg's cookie must be in this browser; a response that comes without one is [`mod@unasked`]'s.

mod unasked;

use vestibule_protocol::oauth::{self, ErrorCode};
use vestibule_protocol::params::Params;
use vestibule_protocol::saml::{Assertion, Refused, failure, posted};

use self::unasked::unasked;
use super::Refusal;
use super::arrive::{Proven, let_in};
use super::checkpoint::Passage;
use super::state::{LOGIN_LIFE, LoginState, Proof};
use crate::Broker;
use crate::error::{Error, LoginError};
use crate::model::connection::Connection;
use crate::saml::response::{Answered, assertion, spend};
use crate::saml::start::request_id;
use crate::saml::{Target, person};
use crate::seal::Sealed;

/// The connection that something was posted to.
#[derive(Clone, Copy)]
struct Place<'a> {
    target: Target<'a>,
    connection: &'a Connection,
}

/// Takes what was posted to the assertion consumer service of a tenant's connection. `cookie` finds the sealed login of an
/// id, `session` is the handle of the session that the browser has had until now.
pub async fn finish(
    broker: &Broker,
    (tenant, id): (&str, &str),
    params: &Params<'_>,
    cookie: impl FnOnce(&str) -> Option<Sealed>,
    session: Option<&str>,
) -> Result<Passage, Refusal> {
    let connection = broker.connection(tenant, id).await?;
    let connection = connection.filter(|found| found.enabled).ok_or(LoginError::ConnectionUnavailable)?;
    let settings = connection.upstream.saml().ok_or(LoginError::ConnectionUnavailable)?;
    let place = Place { target: Target { tenant, connection: id, settings }, connection: &connection };
    let relay_state = params.get("RelayState").map_err(oauth::Error::from)?;
    let Some((login, sealed)) = relay_state.and_then(|login| Some((login, cookie(login)?))) else {
        return unasked(broker, place, params, session).await;
    };
    let state = LoginState::open(broker, login, &sealed)?;
    if state.proof != Proof::Saml || state.tenant != tenant || state.connection != id {
        return Err(LoginError::UnknownLogin.into());
    }
    answered(broker, place, (login, &state), params, session).await
}

/// The answer to a login of this browser.
async fn answered(
    broker: &Broker,
    Place { target, connection }: Place<'_>,
    (id, login): (&str, &LoginState),
    params: &Params<'_>,
    session: Option<&str>,
) -> Result<Passage, Refusal> {
    let (request, text) = (request_id(id), message(params)?);
    let assertion = match assertion(broker, &target, &text, Some(&request)).await {
        // Providers do not sign refusals. Whoever sends this one knows the ids of login and request, and gains nothing.
        Err(Error::Login(LoginError::Saml(Refused::Status))) => {
            let failure = failure(&text).filter(|failure| failure.in_response_to.as_ref() == Some(&request));
            let failure = failure.ok_or(LoginError::Saml(Refused::Status))?;
            tracing::info!(connection.id = target.connection, status = failure.status, "login.refused_by_provider");
            let refused =
                oauth::Error::new(ErrorCode::AccessDenied, "the identity provider did not sign the person in");
            return Err(Refusal::Reply(login.reply_address(), refused));
        }
        read => read?,
    };
    let answered = Answered { request: &request, until: login.started_at + LOGIN_LIFE };
    spend(broker, &target, &assertion, Some(answered)).await?;
    let_in(broker, login, connection, &proven(&target, assertion)?, session).await
}

/// The message in the form.
pub(super) fn message(params: &Params<'_>) -> Result<String, Error> {
    let field = params.get("SAMLResponse").map_err(oauth::Error::from)?;
    let text = field.ok_or(Refused::Shape("one SAMLResponse")).and_then(posted);
    text.map_err(|refused| LoginError::Saml(refused).into())
}

/// Whom an assertion is about.
fn proven(target: &Target<'_>, assertion: Assertion) -> Result<Proven, Error> {
    let identity = person::identity(target.settings, &assertion)?;
    Ok(Proven { identity, ends: assertion.session_ends, saml: Some(person::name(assertion)) })
}
