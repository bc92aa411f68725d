//! Signing out here (OpenID Connect RP-Initiated Logout 1.0). The application's ID token says which session; without
//! one, the browser's cookie does, after the person said yes.

use url::Url;
use vestibule_protocol::jose::TokenType;
use vestibule_protocol::oauth;
use vestibule_protocol::params::Params;

use crate::Broker;
use crate::error::Error;
use crate::model::audit::AuditKind;
use crate::sessions::end::Ending;
use crate::token::IdClaims;
use crate::{sessions, signing};

/// What a sign-out comes to.
#[derive(Debug, PartialEq, Eq)]
pub enum SignOut {
    /// Nobody vouches for the request: ask the person, and come back with their yes.
    Ask,
    /// It is done, or there was nothing to end.
    Done {
        /// Where the application wants the browser: an address registered for it.
        location: Option<Url>,
        /// The browser's cookie names a session that is over.
        forget_cookie: bool,
    },
}

/// Signs out. `cookie` is the browser's session handle; `confirmed` that the person said yes on our own page.
pub async fn sign_out(
    broker: &Broker,
    params: &Params<'_>,
    cookie: Option<&str>,
    confirmed: bool,
) -> Result<SignOut, Error> {
    let hint = match params.get("id_token_hint").map_err(oauth::Error::from)? {
        Some(hint) => Some(read_hint(broker, hint).await?),
        None => None,
    };
    let named = params.get("client_id").map_err(oauth::Error::from)?;
    let client = match (&hint, named) {
        (Some(hint), Some(named)) if hint.aud != named => {
            return Err(oauth::Error::invalid_request("client_id is not the one of id_token_hint").into());
        }
        (Some(hint), _) => Some(hint.aud.as_str()),
        (None, named) => named,
    };
    let of_cookie = sessions::of_cookie(broker, cookie).await?.map(|(_, session)| session.subject);
    let location = registered_location(broker, params, client).await?;
    let ended = match (hint, of_cookie) {
        (Some(hint), of_cookie) => {
            end(broker, &hint.tenant, &hint.sub, &hint.sid).await?;
            of_cookie.is_none_or(|subject| subject.session == hint.sid)
        }
        (None, Some(_)) if !confirmed => return Ok(SignOut::Ask),
        (None, Some(subject)) => {
            end(broker, &subject.tenant, &subject.user, &subject.session).await?;
            true
        }
        (None, None) => true,
    };
    Ok(SignOut::Done { location, forget_cookie: ended && cookie.is_some() })
}

/// An ID token of ours. That it has expired does not matter (§2): it only says which session.
async fn read_hint(broker: &Broker, hint: &str) -> Result<IdClaims, Error> {
    let claims: Option<IdClaims> = signing::verify(broker, TokenType::IdToken, hint).await?;
    let ours = claims.filter(|claims| claims.iss == broker.config.issuer);
    Ok(ours.ok_or(oauth::Error::invalid_request("id_token_hint is not an ID token of this issuer"))?)
}

/// `post_logout_redirect_uri`, if it is registered for the client, with `state` (§3). Otherwise the person stays with
/// us: the address may be anybody's.
async fn registered_location(broker: &Broker, params: &Params<'_>, client: Option<&str>) -> Result<Option<Url>, Error> {
    let Some(asked) = params.get("post_logout_redirect_uri").map_err(oauth::Error::from)? else { return Ok(None) };
    let Some(client) = client else { return Ok(None) };
    let Some(client) = broker.client(client).await? else { return Ok(None) };
    if !client.post_logout_redirect_uris.iter().any(|uri| uri == asked) {
        return Ok(None);
    }
    let mut location = Url::parse(asked).map_err(|_| Error::bug("a registered address is not a URL"))?;
    if let Some(state) = params.get("state").map_err(oauth::Error::from)? {
        location.query_pairs_mut().append_pair("state", state);
    }
    Ok(Some(location))
}

/// Ends the session that the person signs out of.
pub(crate) async fn end(broker: &Broker, tenant: &str, user: &str, session: &str) -> Result<(), Error> {
    let Some(shard) = sessions::shard_of(broker, tenant, user).await? else { return Ok(()) };
    let ending = Ending { shard: &shard, user, session, connection: None, kind: AuditKind::SignedOut };
    sessions::end::end_now(broker, ending).await?;
    Ok(())
}
