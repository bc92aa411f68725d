//! What the browser tells applications while somebody signs out (OpenID Connect Front-Channel Logout 1.0 §2): addresses
//! of theirs that our page loads, each in a frame.

use std::collections::BTreeSet;

use url::Url;

use crate::Broker;
use crate::error::Error;

/// Most frames on a page. Few people use so many applications, and a browser would not wait for more.
const MOST: usize = 50;

/// The addresses of those applications that have one, saying that `session` is over.
pub(super) async fn frames(broker: &Broker, clients: BTreeSet<String>, session: &str) -> Result<Vec<Url>, Error> {
    let mut frames = Vec::new();
    for client in clients {
        let Some(client) = broker.client(&client).await? else { continue };
        let Some(address) = &client.frontchannel_logout_uri else { continue };
        let mut frame = Url::parse(address).map_err(|_| Error::bug("a registered address is not a URL"))?;
        if client.frontchannel_logout_session_required {
            frame.query_pairs_mut().append_pair("iss", &broker.config.issuer).append_pair("sid", session);
        }
        frames.push(frame);
        if frames.len() == MOST {
            break;
        }
    }
    Ok(frames)
}
