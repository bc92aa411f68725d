//! The first call: where to send the browser. Writes nothing; PKCE's secret travels in a sealed cookie of the control
//! plane's host, whose name holds the `state`, for as long as a login may take.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use url::Url;
use vestibule_protocol::oauth;
use vestibule_protocol::oauth::pkce::CodeChallenge;
use vestibule_protocol::oauth::relay::{Asked, StartRequest, authorization_url};
use vestibule_protocol::params::Params;
use vestibule_protocol::time::Timestamp;

use super::control_plane;
use crate::Broker;
use crate::error::Error;
use crate::handle::{new_id, new_secret};
use crate::login::state::LOGIN_LIFE;
use crate::seal::{Purpose, Sealed};

/// Where the browser goes, and what it carries.
#[derive(Debug)]
pub struct Started {
    /// Our authorization endpoint, with the relay's request.
    pub authorization_endpoint: Url,
    /// The login's id: part of the cookie's name, and the request's `state`.
    pub id: String,
    /// The cookie's value.
    pub cookie: Sealed,
}

/// Starts a login for a control plane. Nothing that is not registered gets an answer to follow (AZ-14).
pub async fn start(broker: &Broker, params: &Params<'_>) -> Result<Started, Error> {
    let request = StartRequest::parse(params)?;
    let unknown = oauth::Error::invalid_request("controlPlaneURL is not a registered control plane");
    let plane = control_plane(broker, &request.control_plane).await?.ok_or(unknown)?;
    if !plane.client.redirect_uris.iter().any(|uri| uri == request.redirect_url) {
        return Err(oauth::Error::invalid_request("redirectURL is not registered for this control plane").into());
    }
    if !plane.caller().serves(broker, request.tenant).await? {
        return Err(oauth::Error::invalid_request("tenantName is not one that this application serves").into());
    }
    let random = &*broker.platform.random;
    let id = new_id(random);
    let relayed = Relayed {
        client: plane.client_id,
        tenant: request.tenant.to_owned(),
        redirect_uri: request.redirect_url.to_owned(),
        verifier: URL_SAFE_NO_PAD.encode(new_secret(random).expose()),
        started_at: broker.platform.clock.now(),
    };
    let asked = Asked {
        client_id: &relayed.client,
        redirect_uri: &relayed.redirect_uri,
        tenant: &relayed.tenant,
        code_challenge: &CodeChallenge::of(&relayed.verifier),
        state: &id,
    };
    let authorization_endpoint =
        authorization_url(&broker.config.issuer, &asked).map_err(|_| Error::bug("the issuer is not a URL"))?;
    let cookie = relayed.seal(broker, &id)?;
    Ok(Started { authorization_endpoint, id, cookie })
}

/// A login that the relay began.
#[derive(Serialize, Deserialize)]
pub(super) struct Relayed {
    /// For which application.
    pub(super) client: String,
    /// Of which tenant.
    pub(super) tenant: String,
    /// Where the code goes.
    pub(super) redirect_uri: String,
    /// The secret behind the code challenge.
    pub(super) verifier: String,
    started_at: Timestamp,
}

impl Relayed {
    fn seal(&self, broker: &Broker, id: &str) -> Result<Sealed, Error> {
        let plain = serde_json::to_vec(self).map_err(|_| Error::bug("a relayed login does not serialize"))?;
        Ok(broker.sealer.seal(&*broker.platform.random, Purpose::RelayCookie, id, &plain)?)
    }

    /// The login of this id. A cookie that was changed, is another login's or too old is no login.
    pub(super) fn open(broker: &Broker, id: &str, sealed: &Sealed) -> Option<Self> {
        let plain = broker.sealer.open(Purpose::RelayCookie, id, sealed).ok()?;
        let relayed: Self = serde_json::from_slice(&plain).ok()?;
        let over = (relayed.started_at + LOGIN_LIFE).has_passed(broker.platform.clock.now());
        (!over).then_some(relayed)
    }
}
