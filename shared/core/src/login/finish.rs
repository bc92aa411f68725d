//! The second leg with OpenID Connect: from the identity provider's answer to a person who is known. The first leg's cookie
//! must be in this browser. What follows is in [`super::arrive`].

use vestibule_protocol::oauth::{self, ErrorCode};
use vestibule_protocol::params::Params;

use super::Refusal;
use super::arrive::{Proven, let_in};
use super::checkpoint::Passage;
use super::state::{LoginState, Proof};
use crate::Broker;
use crate::error::{Error, LoginError};
use crate::model::connection::{OidcSettings, ResponseMode};
use crate::seal::Sealed;
use crate::upstream::oidc::{Answer, identify};
use crate::upstream::{self, Target, UpstreamCopy};

/// Finishes a login with the identity provider's answer, which came in this way. `cookie` finds the sealed login of an
/// id, `session` is the handle of the session that the browser has had until now.
pub async fn finish(
    broker: &Broker,
    params: &Params<'_>,
    came_by: ResponseMode,
    cookie: impl FnOnce(&str) -> Option<Sealed>,
    session: Option<&str>,
) -> Result<Passage, Refusal> {
    let id = params.get("state").map_err(oauth::Error::from)?.ok_or(LoginError::UnknownLogin)?;
    let login = LoginState::open(broker, id, &cookie(id).ok_or(LoginError::UnknownLogin)?)?;
    // A code that was to come in a form is in no address, and one that was to come in an address is in nobody's form:
    // whoever has it otherwise did not get it as we asked.
    let Proof::Oidc { verifier, nonce, response_mode } = &login.proof else {
        return Err(LoginError::UpstreamInvalid("an answer in another protocol").into());
    };
    if *response_mode != came_by {
        return Err(LoginError::UpstreamInvalid("an answer in another response mode").into());
    }
    let connection = broker.connection(&login.tenant, &login.connection).await?;
    let connection = connection.filter(|found| found.enabled).ok_or(LoginError::ConnectionUnavailable)?;
    let settings = connection.upstream.oidc().ok_or(LoginError::ConnectionUnavailable)?;
    let target = Target { tenant: &login.tenant, connection: &login.connection, settings };
    let copy = upstream::documents(broker, &target).await?;
    check_issuer(params, settings, &copy)?;
    if params.get("error").map_err(oauth::Error::from)?.is_some() {
        let refused = oauth::Error::new(ErrorCode::AccessDenied, "the identity provider did not sign the person in");
        return Err(Refusal::Reply(login.reply_address(), refused));
    }
    let code = params.get("code").map_err(oauth::Error::from)?.ok_or(LoginError::UpstreamInvalid("no code"))?;
    let identity = identify(broker, &Answer { target, verifier, nonce, code }).await?;
    let_in(broker, &login, &connection, &Proven { identity, ends: None, saml: None }, session).await
}

/// RFC 9207 §2.4: whoever announces that it names itself must do so, and nobody may name somebody else.
pub(super) fn check_issuer(params: &Params<'_>, settings: &OidcSettings, copy: &UpstreamCopy) -> Result<(), Error> {
    match params.get("iss").map_err(oauth::Error::from)? {
        Some(issuer) if settings.issuers().includes(issuer) => Ok(()),
        None if !copy.metadata.authorization_response_iss_parameter_supported => Ok(()),
        _ => Err(LoginError::OtherIssuer.into()),
    }
}
