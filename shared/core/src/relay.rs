//! The relay: signs people in for an application whose control plane, in the browser, holds no library and no secret.
//!
//! The control plane passes `/api/svc/v1/oauth2/…` of its own host on to us. It asks where to send the browser
//! ([`start`]), hands in the code that comes back, and gets tokens as cookies of its host; later it asks for new ones, or
//! for the end ([`session`]). The relay is a public client of the broker like any other: the browser goes through
//! `/oauth2/authorize` and `/oauth2/callback`, and the code is redeemed under the same rules.
//!
//! Which application a call is for is told by the control plane's origin: named in the first call, where nothing is
//! given out, and by the browser's `Origin` header in all others.

pub mod session;
pub mod start;

use std::sync::Arc;

use vestibule_protocol::oauth::relay::origin;
use vestibule_protocol::oauth::{self, ErrorCode};

use crate::Broker;
use crate::error::Error;
use crate::model::client::{Client, RelayCookies};
use crate::token::Caller;

/// A control plane that the relay serves.
pub struct ControlPlane {
    /// What its cookies are called.
    pub cookies: RelayCookies,
    client_id: String,
    client: Arc<Client>,
}

impl ControlPlane {
    /// As whom the relay redeems and refreshes.
    fn caller(&self) -> Caller<'_> {
        Caller { id: &self.client_id, registered: &self.client }
    }
}

/// The control plane from whose pages a call comes, by the call's `Origin`. Every browser sends one with a POST and no
/// page can choose it, so a call from anywhere else is forged (CK-7).
pub async fn calling(broker: &Broker, origin_header: Option<&str>) -> Result<ControlPlane, Error> {
    let refused = oauth::Error::new(ErrorCode::AccessDenied, "the call does not come from a registered control plane");
    let origin = origin_header.and_then(origin).ok_or(refused)?;
    Ok(control_plane(broker, &origin).await?.ok_or(refused)?)
}

/// The control plane at an origin. The route finds the application; the application says whether that still holds.
async fn control_plane(broker: &Broker, origin: &str) -> Result<Option<ControlPlane>, Error> {
    let Some(route) = broker.relay_route(origin).await? else { return Ok(None) };
    let Some(client) = broker.client(&route.client).await? else { return Ok(None) };
    let cookies = client.relay_at(origin).map(|relay| relay.cookies);
    Ok(cookies.map(|cookies| ControlPlane { cookies, client_id: route.client.clone(), client }))
}
