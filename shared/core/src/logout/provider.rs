//! Signing out at the identity provider, too (OpenID Connect RP-Initiated Logout 1.0, with us as the relying party; for a
//! provider that speaks SAML, [`crate::saml::logout`]). The session here is over before the browser is sent there, so
//! whatever becomes of it there changes nothing here.

use serde::{Deserialize, Serialize};
use url::Url;
use vestibule_protocol::params::Params;
use vestibule_protocol::time::{Seconds, Timestamp};

use crate::Broker;
use crate::error::Error;
use crate::model::connection::Upstream;
use crate::model::session::Session;
use crate::saml;
use crate::saml::logout::ours::{self, Leaving};
use crate::saml::sending::Sending;
use crate::seal::{Purpose, Sealed};
use crate::upstream::{Target, documents};

/// How long somebody may take at the provider, whose page may ask them.
const LIFE: Seconds = Seconds(600);
/// Where all of it is sealed for.
const PLACE: &str = "sign-out";

/// Where the browser goes on when it comes back. It is sealed into `state`: nobody can read it or make one, and it names
/// an address that was registered for the application.
#[derive(Serialize, Deserialize)]
struct Onward {
    to: Url,
    until: Timestamp,
}

/// How the browser leaves, and a cookie that it takes along: the handle and what is sealed.
pub(super) type Way = (Sending, Option<(String, Sealed)>);

/// Where providers send browsers back to; registered there.
pub(crate) fn return_address(broker: &Broker) -> String {
    format!("{}/oauth2/signed-out", broker.config.issuer)
}

/// How the browser signs out at the provider of `session`, and goes on to `onward` from. `None` where the connection does
/// not want that, or nobody knows the address.
pub(super) async fn by_way_of(broker: &Broker, session: &Session, onward: Option<&Url>) -> Result<Option<Way>, Error> {
    let (tenant, connection) = (session.subject.tenant.as_str(), session.connection.as_str());
    let found = broker.connection(tenant, connection).await?;
    let Some(found) = found.filter(|found| found.enabled && found.logout.at_provider) else { return Ok(None) };
    let way = match (&found.upstream, &session.saml) {
        (Upstream::Oidc(settings), _) => {
            let known = found.logout.end_session_endpoint.as_ref();
            end_session(broker, &Target { tenant, connection, settings }, session, (known, onward)).await
        }
        (Upstream::Saml(settings), Some(name)) => {
            let target = saml::Target { tenant, connection, settings };
            let leaving = Box::pin(ours::request(broker, &target, name, onward)).await;
            leaving.map(|leaving| leaving.map(|Leaving { request, handle, sealed }| (request, Some((handle, sealed)))))
        }
        (Upstream::Saml(_), None) => Ok(None),
    };
    match way {
        Err(Error::Login(error)) => {
            tracing::warn!(tenant.id = tenant, connection.id = connection, error = %error, "logout.provider_unknown");
            Ok(None)
        }
        way => way,
    }
}

/// The way by the provider's end-session endpoint: `known`, or that of its metadata.
async fn end_session(
    broker: &Broker,
    target: &Target<'_>,
    session: &Session,
    (known, onward): (Option<&Url>, Option<&Url>),
) -> Result<Option<Way>, Error> {
    let known = match known {
        Some(address) => Some(address.clone()),
        None => documents(broker, target).await?.metadata.end_session_endpoint.clone(),
    };
    let Some(mut there) = known else { return Ok(None) };
    let profile = &session.subject.profile;
    let mut query = there.query_pairs_mut();
    query.append_pair("client_id", &target.settings.client_id);
    query.append_pair("post_logout_redirect_uri", &return_address(broker));
    if let Some(hint) = profile.preferred_username.as_ref().or(profile.email.as_ref()) {
        query.append_pair("logout_hint", hint);
    }
    if let Some(to) = onward {
        let onward = Onward { to: to.clone(), until: broker.platform.clock.now() + LIFE };
        let plain = serde_json::to_vec(&onward).map_err(|_| Error::bug("an address does not serialize"))?;
        let state = broker.sealer.seal(&*broker.platform.random, Purpose::SignOut, PLACE, &plain)?;
        query.append_pair("state", state.as_str());
    }
    drop(query);
    Ok(Some((Sending::Redirect(there), None)))
}

/// Where a browser goes on that comes back from a provider. Nowhere, without a `state` of ours that is young enough.
/// Nothing else happens: whoever sends a browser here sends it to an application's own address at most.
pub fn onward(broker: &Broker, params: &Params<'_>) -> Option<Url> {
    let state = Sealed::from_text(params.get("state").ok()??);
    let plain = broker.sealer.open(Purpose::SignOut, PLACE, &state).ok()?;
    let onward: Onward = serde_json::from_slice(&plain).ok()?;
    (!onward.until.has_passed(broker.platform.clock.now())).then_some(onward.to)
}
