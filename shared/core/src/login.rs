//! Signing in, in two legs: [`start`] sends the browser to the identity provider, [`finish`] takes its answer, or
//! [`posted`] that of one which speaks SAML.
//!
//! Between them nothing is stored: the login travels in a sealed cookie of the browser that began it ([`state`]).

mod arrive;
pub mod checkpoint;
pub mod choose;
mod code;
pub mod complete;
mod depart;
pub mod finish;
pub mod initiate;
pub mod posted;
pub mod pushed;
mod resume;
pub mod start;
pub mod state;
pub mod test_login;
pub(crate) mod webhook;

use url::Url;
use vestibule_protocol::oauth;

use self::choose::Question;
use crate::Broker;
use crate::error::Error;

/// Where the application wants its answer: an address that was found registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyAddress {
    /// The registered address.
    pub redirect_uri: String,
    /// The application's `state`, to be given back byte for byte.
    pub state: Option<String>,
}

/// A tenant's look, on the pages that are shown to its people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// What people read.
    pub name: Option<String>,
    /// A picture: an https address.
    pub logo_url: Option<String>,
    /// `#rrggbb`.
    pub colour: Option<String>,
}

pub(crate) async fn look(broker: &Broker, tenant: &str) -> Result<Look, Error> {
    let tenant = broker.tenant(tenant).await?;
    Ok(tenant.map_or_else(Look::default, |tenant| Look {
        name: Some(tenant.name.clone()),
        logo_url: tenant.logo_url.clone(),
        colour: tenant.colour.clone(),
    }))
}

/// Why a leg of a login ends here, and who is told.
#[derive(Debug)]
pub enum Refusal {
    /// The person, on a page: we do not know (yet) whom else to trust.
    Page(Error),
    /// The application, by a redirect to its registered address.
    Reply(ReplyAddress, oauth::Error),
    /// The person, before anything else: which way they sign in is open.
    Ask(Box<Question>),
    /// The person, by a tenant's webhook that has something to say to them.
    Told(Box<Told>),
    /// The browser, by a redirect to an address of ours: it came by a host of a tenant's, where a login cannot end.
    ByIssuer(Url),
}

/// What a tenant's webhook says to somebody whom it does not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The application's name.
    pub application: String,
    /// Whose page it is.
    pub look: Look,
    /// The webhook's words: one line, not ours.
    pub message: String,
    /// The application, with its answer.
    pub back: Url,
}

impl<E: Into<Error>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Page(error.into())
    }
}
