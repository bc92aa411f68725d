//! Whoever signs out here signs out at the provider too (saml-profiles §4.4.3.1). The session here is over before the browser
//! leaves, so nothing rests on the provider's answer but where the browser goes on to: that is sealed into a cookie, whose
//! name is the `RelayState`.

use serde::{Deserialize, Serialize};
use url::Url;
use vestibule_protocol::saml::{Binding, LogoutAnswer, LogoutRequest, LogoutStatus, NameId, Refused};
use vestibule_protocol::time::Timestamp;

use super::{LOGOUT_LIFE, Message, Outcome, Target, endpoint};
use crate::Broker;
use crate::error::{Error, LoginError};
use crate::handle::new_id;
use crate::model::saml::SamlName;
use crate::saml::names::Names;
use crate::saml::parties::parties;
use crate::saml::sending::{Outgoing, Sending};
use crate::saml::start::request_id;
use crate::seal::{Purpose, Sealed};

/// A browser that leaves for the provider.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Leaving {
    /// Our request.
    pub(crate) request: Sending,
    /// The sign-out's handle: the name of its cookie.
    pub(crate) handle: String,
    /// What the cookie holds.
    pub(crate) sealed: Sealed,
}

/// Where the browser goes on when it comes back.
#[derive(Serialize, Deserialize)]
struct Onward {
    to: Option<Url>,
    until: Timestamp,
}

fn place(target: &Target<'_>, handle: &str) -> String {
    format!("saml/{}/{}/{handle}", target.tenant, target.connection)
}

/// Our request to sign somebody out whom the provider calls `name`. `None` if it takes no such requests.
pub(crate) async fn request(
    broker: &Broker,
    target: &Target<'_>,
    name: &SamlName,
    onward: Option<&Url>,
) -> Result<Option<Leaving>, Error> {
    let parties = parties(broker, target).await?;
    let Some(endpoint) = endpoint(&parties, Binding::Redirect) else { return Ok(None) };
    let (random, now) = (&*broker.platform.random, broker.platform.clock.now());
    let handle = new_id(random);
    let name = name.clone();
    let request = LogoutRequest {
        id: request_id(&handle),
        issued_at: now,
        destination: endpoint.location.clone(),
        issuer: Names::of(broker, target).entity_id,
        name_id: NameId {
            value: name.value,
            format: name.format,
            name_qualifier: name.name_qualifier,
            sp_name_qualifier: name.sp_name_qualifier,
        },
        session_indexes: name.session_index.into_iter().collect(),
        ends: Some(now + LOGOUT_LIFE),
    };
    let message = Outgoing {
        binding: endpoint.binding,
        location: &endpoint.location,
        xml: request.to_xml(),
        id: &request.id,
        is_response: false,
        relay_state: Some(&handle),
    };
    let sending = message.send(broker, Some(&parties.signer)).await?;
    let onward = Onward { to: onward.cloned(), until: now + LOGOUT_LIFE };
    let plain = serde_json::to_vec(&onward).map_err(|_| Error::bug("an address does not serialize"))?;
    let sealed = broker.sealer.seal(random, Purpose::SignOut, &place(target, &handle), &plain)?;
    Ok(Some(Leaving { request: sending, handle, sealed }))
}

/// The provider's answer to our request. It counts in the browser that left with the request, once. Some providers do not sign
/// it; a signature that is there must be right.
pub(super) async fn answered(
    broker: &Broker,
    target: &Target<'_>,
    message: &Message,
    held: Option<&Sealed>,
) -> Result<Outcome, Error> {
    let unknown = || LoginError::Saml(Refused::InResponseTo);
    let handle = message.relay_state.clone().ok_or_else(unknown)?;
    let plain = held.and_then(|held| broker.sealer.open(Purpose::SignOut, &place(target, &handle), held).ok());
    let onward: Onward = plain.and_then(|plain| serde_json::from_slice(&plain).ok()).ok_or_else(unknown)?;
    if onward.until.has_passed(broker.platform.clock.now()) {
        return Err(LoginError::Saml(Refused::Expired).into());
    }
    let content = match message.verified(broker, target).await {
        Err(Error::Login(LoginError::Saml(Refused::Unsigned))) => message.xml.clone(),
        content => content?,
    };
    let (names, issuer) = (Names::of(broker, target), &target.settings.idp_entity_id);
    let answer = LogoutAnswer::read(&content, &names.slo, issuer, &request_id(&handle)).map_err(LoginError::Saml)?;
    if answer.status != LogoutStatus::Success {
        let Target { tenant, connection, .. } = *target;
        tracing::info!(tenant.id = tenant, connection.id = connection, status = ?answer.status, "logout.not_everywhere");
    }
    Ok(Outcome::Left { location: onward.to, handle })
}
