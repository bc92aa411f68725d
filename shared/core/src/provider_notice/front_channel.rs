//! A frame in the provider's sign-out page (OpenID Connect Front-Channel Logout 1.0 §3), by which one session ends.
//!
//! Nobody signs it, so anybody can make a browser load it. What protects a session is that its name at the provider, its
//! `sid`, is random and known to the provider and its relying parties only. Browsers keep our cookie from a frame of
//! another site, so the session is found by that name; without one, by the cookie, where the provider is of our own site.

use url::Url;
use vestibule_protocol::oauth;
use vestibule_protocol::params::Params;

use super::received::{connection, refused};
use super::{KIND, end};
use crate::Broker;
use crate::error::Error;
use crate::model::connection::OidcSettings;
use crate::model::effect::Over;
use crate::sessions;
use crate::sessions::end::{Ending, end_now};
use crate::upstream::Target;

/// Shortest name of a session that is taken for a secret, in bytes: 64 random bits in hexadecimal.
const MIN_SID: usize = 16;
const NOT_ON: oauth::Error =
    oauth::Error::invalid_request("the connection does not take sign-outs by the front channel");
const ONE_ALONE: oauth::Error = oauth::Error::invalid_request("iss and sid come together or not at all");

/// What the frame is answered with. It does not say whether there was a session.
#[derive(Debug, PartialEq, Eq)]
pub struct Framed {
    /// The origin of the only site that may frame the answer: the provider's. `null` when its issuer has none.
    pub provider: String,
    /// The browser's cookie names a session that is over.
    pub forget_cookie: bool,
}

/// Ends the session that a connection's provider says is over: the one that `iss` and `sid` name, without both that of
/// `cookie`, if it came through this connection. Of a name that nobody has, nothing is written.
pub async fn signed_out_there(
    broker: &Broker,
    (tenant, id): (&str, &str),
    params: &Params<'_>,
    cookie: Option<&str>,
) -> Result<Framed, Error> {
    let found = connection(broker, tenant, id).await?;
    let Some(settings) = found.upstream.oidc().filter(|_| found.logout.front_channel) else {
        return Err(NOT_ON.into());
    };
    let get = |name| params.get(name).map_err(oauth::Error::from);
    let forget_cookie = match (get("iss")?, get("sid")?) {
        (Some(issuer), Some(sid)) => {
            end_named(broker, &Target { tenant, connection: id, settings }, issuer, sid).await?;
            false
        }
        (None, None) => end_of_cookie(broker, (tenant, id), cookie).await?,
        _ => return Err(ONE_ALONE.into()),
    };
    Ok(Framed { provider: origin(settings), forget_cookie })
}

async fn end_named(broker: &Broker, target: &Target<'_>, issuer: &str, sid: &str) -> Result<(), Error> {
    if !target.settings.issuers().includes(issuer) {
        return Err(refused(target, "iss"));
    }
    // One that can be guessed would let anybody sign everybody out.
    if sid.len() < MIN_SID {
        return Err(refused(target, "sid"));
    }
    let over = Over { issuer: issuer.to_owned(), subject: None, is_identity: false, sid: Some(sid.to_owned()) };
    let mut next = Some(0);
    while let Some(shard) = next {
        next = end(broker, (target.tenant, target.connection), &over, shard).await?;
    }
    Ok(())
}

/// True when the cookie's session came through this connection, and is over now.
async fn end_of_cookie(broker: &Broker, through: (&str, &str), cookie: Option<&str>) -> Result<bool, Error> {
    let Some((shard, session)) = sessions::of_cookie(broker, cookie).await? else { return Ok(false) };
    let meant = (shard.tenant.as_str(), session.connection.as_str()) == through;
    if meant {
        end_now(broker, Ending::of(&shard, &session, KIND)).await?;
    }
    Ok(meant)
}

fn origin(settings: &OidcSettings) -> String {
    Url::parse(&settings.issuer).map_or_else(|_| "null".to_owned(), |issuer| issuer.origin().ascii_serialization())
}
