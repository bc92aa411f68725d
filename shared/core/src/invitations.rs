//! Opening an invitation: the page behind its link, and what the browser takes along from there.
//!
//! Programs open links too, so looking changes nothing. Going on puts the invitation into a sealed cookie; the login that
//! starts in this browser within half an hour carries it to the callback, and only there, by whoever proves to have the
//! address, it is accepted (`directory/invited.rs`).

use serde::{Deserialize, Serialize};
use url::Url;
use vestibule_protocol::time::{Seconds, Timestamp};

use crate::Broker;
use crate::error::{Error, LoginError};
use crate::handle::{TenantHandle, TenantHandleKind};
use crate::login::initiate::beginning;
use crate::login::{Look, look};
use crate::model::provisioning::Mode;
use crate::seal::{Purpose, Sealed};
use crate::store::key;

/// How long a browser remembers that an invitation was opened in it.
pub const OPENED_LIFE: Seconds = Seconds(1800);
/// Where the cookie's text is sealed for.
const PLACE: &str = "invitation";

/// What the page says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Welcome {
    /// Whose page it is.
    pub look: Look,
    /// The name of the application where the person begins.
    pub application: Option<String>,
}

/// What a browser takes along.
#[derive(Debug)]
pub struct Opened {
    /// The cookie's value.
    pub cookie: Sealed,
    /// Where the browser goes; nowhere where the application has no address for that.
    pub to: Option<Url>,
    /// What the page says there.
    pub welcome: Welcome,
}

/// What stands in the cookie.
#[derive(Serialize, Deserialize)]
struct Remembered {
    handle: String,
    at: Timestamp,
}

/// Looks at the invitation of a link. One that is not open to its bearer looks like one that never was.
pub async fn look_at(broker: &Broker, link: Option<&str>) -> Result<Welcome, Error> {
    let (welcome, _, _) = read(broker, link).await?;
    Ok(welcome)
}

/// Takes the invitation of a link along, to the application where it begins.
pub async fn open(broker: &Broker, link: Option<&str>) -> Result<Opened, Error> {
    let (welcome, handle, start) = read(broker, link).await?;
    let to = match start {
        Some(start) => {
            let enabled = broker.enabled_connections(&handle.tenant).await?;
            let only = if let [only] = enabled.as_slice() { Some(only.id.as_str()) } else { None };
            Some(beginning(broker, &start, &handle.tenant, only)?)
        }
        None => None,
    };
    let remembered = Remembered { handle: handle.to_text(), at: broker.platform.clock.now() };
    let plain = serde_json::to_vec(&remembered).map_err(|_| Error::bug("a cookie does not serialize"))?;
    let cookie = broker.sealer.seal(&*broker.platform.random, Purpose::InvitationCookie, PLACE, &plain)?;
    Ok(Opened { cookie, to, welcome })
}

/// The invitation behind a link, with the address at which its application begins a login.
async fn read(broker: &Broker, link: Option<&str>) -> Result<(Welcome, TenantHandle, Option<String>), Error> {
    let handle = link.and_then(|link| TenantHandle::parse(TenantHandleKind::Invitation, link));
    let handle = handle.ok_or(LoginError::InvitationOver)?;
    let tenant = broker.tenant(&handle.tenant).await?;
    tenant.filter(|tenant| tenant.provisioning.mode == Mode::InviteOnly).ok_or(LoginError::InvitationOver)?;
    let found = key::invitation(&handle.tenant, &handle.id).get(&*broker.platform.store).await?;
    let now = broker.platform.clock.now();
    let found = found.filter(|found| found.value.is_open_to(handle.secret.expose(), now));
    let invitation = found.ok_or(LoginError::InvitationOver)?.value;
    let client = match &invitation.client {
        Some(client) => broker.client(client).await?.filter(|client| client.serves(&handle.tenant)),
        None => None,
    };
    let application = client.as_ref().map(|client| client.name.clone());
    let start = client.and_then(|client| client.initiate_login_uri.clone());
    Ok((Welcome { look: look(broker, &handle.tenant).await?, application }, handle, start))
}

/// The handle of the invitation that was opened in a browser a short while ago, if it is one of this tenant.
pub(crate) fn opened(broker: &Broker, cookie: &Sealed, tenant: &str) -> Option<String> {
    let plain = broker.sealer.open(Purpose::InvitationCookie, PLACE, cookie).ok()?;
    let Remembered { handle, at } = serde_json::from_slice(&plain).ok()?;
    let fresh = !(at + OPENED_LIFE).has_passed(broker.platform.clock.now());
    let of_tenant = TenantHandle::parse(TenantHandleKind::Invitation, &handle)?.tenant == tenant;
    (fresh && of_tenant).then_some(handle)
}
