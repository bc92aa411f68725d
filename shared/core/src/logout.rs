//! Signing out here (OpenID Connect RP-Initiated Logout 1.0). The application's ID token says which session; without
//! one, the browser's cookie does, after the person said yes. What the browser does next, for applications and at the
//! provider, is in [`frames`] and [`provider`].

mod frames;
mod provider;

use url::Url;
use vestibule_protocol::jose::TokenType;
use vestibule_protocol::oauth;
use vestibule_protocol::params::Params;

pub use self::provider::onward;
pub(crate) use self::provider::return_address;
use crate::Broker;
use crate::error::Error;
use crate::model::audit::AuditKind;
use crate::model::session::Session;
use crate::saml::sending::Sending;
use crate::seal::Sealed;
use crate::sessions::end::{Ending, end_now};
use crate::store::key::SessionShard;
use crate::token::IdClaims;
use crate::{sessions, signing};

/// What a sign-out comes to.
#[derive(Debug, PartialEq, Eq)]
pub enum SignOut {
    /// Nobody vouches for the request: ask the person, and come back with their yes.
    Ask,
    /// It is done, or there was nothing to end.
    Done {
        /// How the browser goes on: to an address registered for the application, perhaps by way of the provider.
        onward: Option<Sending>,
        /// A cookie for the way back from a provider that speaks SAML: the sign-out's handle, and what it holds.
        held: Option<(String, Sealed)>,
        /// What it loads before that, each in a frame: addresses of the applications that held something in the session.
        frames: Vec<Url>,
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
    let of_cookie = sessions::of_cookie(broker, cookie).await?;
    let location = registered_location(broker, params, client).await?;
    let (meant, ours) = match (hint, of_cookie) {
        (Some(hint), Some(found)) if found.1.subject.session == hint.sid => (Some(found), true),
        (Some(hint), of_cookie) => (of_hint(broker, &hint).await?, of_cookie.is_none()),
        (None, Some(_)) if !confirmed => return Ok(SignOut::Ask),
        (None, of_cookie) => (of_cookie, true),
    };
    let forget_cookie = ours && cookie.is_some();
    let Some((shard, session)) = meant else {
        let onward = location.map(Sending::Redirect);
        return Ok(SignOut::Done { onward, held: None, frames: Vec::new(), forget_cookie });
    };
    let held = end_now(broker, Ending::of(&shard, &session, AuditKind::SignedOut)).await?;
    let frames = frames::frames(broker, held, &session.subject.session).await?;
    let by_way_of = Box::pin(provider::by_way_of(broker, &session, location.as_ref())).await?;
    let (onward, held) = match by_way_of {
        Some((sending, held)) => (Some(sending), held),
        None => (location.map(Sending::Redirect), None),
    };
    Ok(SignOut::Done { onward, held, frames, forget_cookie })
}

/// The session that an ID token names, if it is still there.
async fn of_hint(broker: &Broker, hint: &IdClaims) -> Result<Option<(SessionShard, Session)>, Error> {
    let Some(shard) = sessions::shard_of(broker, &hint.tenant, &hint.sub).await? else { return Ok(None) };
    let found = shard.session(&hint.sub, &hint.sid).get(&*broker.platform.store).await?;
    Ok(found.map(|found| (shard, found.value)))
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

/// Ends the session that the person signs out of, where no browser of theirs goes on from here.
pub(crate) async fn end(broker: &Broker, tenant: &str, user: &str, session: &str) -> Result<(), Error> {
    let Some(shard) = sessions::shard_of(broker, tenant, user).await? else { return Ok(()) };
    let ending = Ending { shard: &shard, user, session, connection: None, kind: AuditKind::SignedOut };
    end_now(broker, ending).await?;
    Ok(())
}
