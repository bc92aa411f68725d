//! A response that nobody here asked for, from a tile of the provider's portal. It is refused unless the connection is set to
//! take it; then it leads to an application's own login, which it does not replace.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use url::Url;
use vestibule_protocol::oauth;
use vestibule_protocol::params::Params;
use vestibule_protocol::saml::Refused;

use super::{Place, message, proven};
use crate::Broker;
use crate::directory::{self, Arrival};
use crate::error::{Error, LoginError};
use crate::login::Refusal;
use crate::login::arrive::begin;
use crate::login::checkpoint::Passage;
use crate::login::complete::{Finished, SessionCookie, begin_unasked};
use crate::login::initiate::{beginning, place_in};
use crate::model::connection::{IdpInitiated, IdpInitiatedMode};
use crate::model::is_id;
use crate::saml::Target;
use crate::saml::response::{assertion, spend};

/// Takes it as the connection is set to.
pub(super) async fn unasked(
    broker: &Broker,
    place: Place<'_>,
    params: &Params<'_>,
    session: Option<&str>,
) -> Result<Passage, Refusal> {
    let relay_state = params.get("RelayState").map_err(oauth::Error::from)?;
    let Some(initiated) = &place.target.settings.idp_initiated else {
        let is_late = relay_state.is_some_and(is_login);
        return Err(if is_late { LoginError::UnknownLogin } else { LoginError::Saml(Refused::Unsolicited) }.into());
    };
    let (client, location) = destination(broker, &place.target, initiated, relay_state).await?;
    let session = match initiated.mode {
        IdpInitiatedMode::Restart => None,
        IdpInitiatedMode::Accept => Some(accept(broker, place, &client, params, session).await?),
    };
    Ok(Passage::Done(Finished { location, session }))
}

/// Whether a `RelayState` is one of ours: the id of a login, whose cookie is gone. A fresh start for such an answer could go
/// round in circles in a browser that keeps no cookies.
fn is_login(relay_state: &str) -> bool {
    URL_SAFE_NO_PAD.decode(relay_state).is_ok_and(|bytes| bytes.len() == 16)
}

/// Which application, and its address for a login that a provider begins. The `RelayState` is anybody's: it can choose
/// another application of the tenant, or a page of the application itself, and nothing else.
async fn destination(
    broker: &Broker,
    target: &Target<'_>,
    initiated: &IdpInitiated,
    relay_state: Option<&str>,
) -> Result<(String, Url), Error> {
    let start = async |client: &str| {
        let application = broker.client(client).await?.filter(|found| found.serves(target.tenant));
        let start = application.as_ref().and_then(|found| found.initiate_login_uri.as_deref());
        start.map(|start| beginning(broker, start, target.tenant, Some(target.connection))).transpose()
    };
    if let Some(named) = relay_state.filter(|named| is_id(named))
        && let Some(start) = start(named).await?
    {
        return Ok((named.to_owned(), start));
    }
    if relay_state.is_some_and(is_login) {
        return Err(LoginError::UnknownLogin.into());
    }
    let nowhere = oauth::Error::invalid_request(
        "the application that this connection leads to does not serve the tenant, or has no initiate_login_uri",
    );
    let mut start = start(&initiated.client).await?.ok_or(nowhere)?;
    if let Some(page) = relay_state.and_then(|page| place_in(&start, page).ok()) {
        start.query_pairs_mut().append_pair("target_link_uri", page.as_str());
    }
    Ok((initiated.client.clone(), start))
}

/// Begins a session. The application's own login goes on from it, and through the tenant's checkpoint.
async fn accept(
    broker: &Broker,
    Place { target, connection }: Place<'_>,
    client: &str,
    params: &Params<'_>,
    session: Option<&str>,
) -> Result<SessionCookie, Error> {
    let assertion = assertion(broker, &target, &message(params)?, None).await?;
    spend(broker, &target, &assertion, None).await?;
    let proven = proven(&target, assertion)?;
    let arrival = Arrival {
        tenant: target.tenant,
        connection: target.connection,
        client: Some(client),
        invitation: None,
        sign_in: &connection.sign_in,
        identity: &proven.identity,
    };
    // As at a login: a person may be deactivated meanwhile.
    for _ in 0..3 {
        let user = directory::admit(broker, arrival).await?;
        let beginning = begin(broker, (target.tenant, target.connection, connection), &proven, user).await?;
        if let Some(cookie) = begin_unasked(broker, beginning, client, session).await? {
            return Ok(cookie);
        }
    }
    Err(LoginError::Inactive.into())
}
