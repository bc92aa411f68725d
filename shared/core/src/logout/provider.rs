//! Signing out at the identity provider, too (OpenID Connect RP-Initiated Logout 1.0, with us as the relying party). The
//! session here is over before the browser is sent there, so whatever becomes of it there changes nothing here.

use serde::{Deserialize, Serialize};
use url::Url;
use vestibule_protocol::params::Params;
use vestibule_protocol::time::{Seconds, Timestamp};

use crate::Broker;
use crate::error::Error;
use crate::model::session::Session;
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

/// Where providers send browsers back to; registered there.
pub(crate) fn return_address(broker: &Broker) -> String {
    format!("{}/oauth2/signed-out", broker.config.issuer)
}

/// Where the browser signs out at the provider of `session`, and goes on to `onward` from. `None` where the connection
/// does not want that, or nobody knows the address.
pub(super) async fn by_way_of(broker: &Broker, session: &Session, onward: Option<&Url>) -> Result<Option<Url>, Error> {
    let (tenant, connection) = (session.subject.tenant.as_str(), session.connection.as_str());
    let found = broker.connection(tenant, connection).await?;
    let Some(found) = found.filter(|found| found.enabled && found.logout.at_provider) else { return Ok(None) };
    let Some(settings) = found.upstream.oidc() else { return Ok(None) };
    let known = match &found.logout.end_session_endpoint {
        Some(address) => Some(address.clone()),
        None => match documents(broker, &Target { tenant, connection, settings }).await {
            Ok(documents) => documents.metadata.end_session_endpoint.clone(),
            Err(Error::Login(error)) => {
                tracing::warn!(tenant.id = tenant, connection.id = connection, error = %error, "logout.provider_unknown");
                None
            }
            Err(error) => return Err(error),
        },
    };
    let Some(mut there) = known else { return Ok(None) };
    let profile = &session.subject.profile;
    let mut query = there.query_pairs_mut();
    query.append_pair("client_id", &settings.client_id);
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
    Ok(Some(there))
}

/// Where a browser goes on that comes back from a provider. Nowhere, without a `state` of ours that is young enough.
/// Nothing else happens: whoever sends a browser here sends it to an application's own address at most.
pub fn onward(broker: &Broker, params: &Params<'_>) -> Option<Url> {
    let state = Sealed::from_text(params.get("state").ok()??);
    let plain = broker.sealer.open(Purpose::SignOut, PLACE, &state).ok()?;
    let onward: Onward = serde_json::from_slice(&plain).ok()?;
    (!onward.until.has_passed(broker.platform.clock.now())).then_some(onward.to)
}
