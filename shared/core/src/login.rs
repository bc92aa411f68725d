//! Signing in, in two legs: [`start`] sends the browser to the identity provider, [`finish`] takes its answer.
//!
//! Between them nothing is stored: the login travels in a sealed cookie of the browser that began it ([`state`]).

mod choose;
mod code;
pub mod finish;
pub mod pushed;
mod resume;
pub mod start;
pub mod state;
pub mod upstream;

use vestibule_protocol::oauth;

use crate::error::Error;

/// Where the application wants its answer: an address that was found registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyAddress {
    /// The registered address.
    pub redirect_uri: String,
    /// The application's `state`, to be given back byte for byte.
    pub state: Option<String>,
}

/// Why a leg of a login ends here, and who is told.
#[derive(Debug)]
pub enum Refusal {
    /// The person, on a page: we do not know (yet) whom else to trust.
    Page(Error),
    /// The application, by a redirect to its registered address.
    Reply(ReplyAddress, oauth::Error),
}

impl<E: Into<Error>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Page(error.into())
    }
}
