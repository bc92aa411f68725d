//! Revocation (RFC 7009): a client gives up what it holds. Any token of a family will do, and all of the family end with
//! it: the grant at once, access tokens in the hands of others within the time that the status list takes to reach them.

use vestibule_protocol::oauth;
use vestibule_protocol::oauth::client_auth::ClientCredentials;
use vestibule_protocol::params::Params;

use super::family::{self, Shown};
use crate::Broker;
use crate::client_auth::authenticate;
use crate::error::Error;
use crate::model::audit::AuditKind;

/// Revokes the token of a request. What is no token, or is another client's, is left alone, and the answer is the same
/// (§2.2). `token_type_hint` is not needed: every token says what it is.
pub async fn revoke(broker: &Broker, credentials: &ClientCredentials, params: &Params<'_>) -> Result<(), Error> {
    authenticate(broker, credentials).await?;
    match Shown::read(broker, asked(params)?).await? {
        Some(shown) => family::end(broker, shown.family(), &credentials.client_id, AuditKind::GrantRevoked).await,
        None => Ok(()),
    }
}

/// The token that a request of this kind is about.
pub(super) fn asked<'a>(params: &'a Params<'_>) -> Result<&'a str, Error> {
    params.get("token_type_hint").map_err(oauth::Error::from)?;
    let token = params.get("token").map_err(oauth::Error::from)?;
    Ok(token.ok_or(oauth::Error::invalid_request("token is missing"))?)
}
