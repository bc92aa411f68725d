//! A login in progress: sealed into a cookie of the browser that began it, for ten minutes.
//!
//! The cookie's name holds the login's id, which is also the `state`, or the `RelayState`, that the provider gives back. So the
//! answer finds its login, only in the same browser, and several tabs do not disturb each other.

use serde::{Deserialize, Serialize};
use vestibule_protocol::oauth::acr::Classes;
use vestibule_protocol::oauth::pkce::CodeChallenge;
use vestibule_protocol::oauth::scope::Scope;
use vestibule_protocol::time::{Seconds, Timestamp};

use super::ReplyAddress;
use crate::Broker;
use crate::error::{Error, LoginError};
use crate::model::connection::ResponseMode;
use crate::seal::{Purpose, Sealed};

/// How long a login may take.
pub const LOGIN_LIFE: Seconds = Seconds(600);

/// What a provider's answer is held against, in the protocol that it speaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// OpenID Connect.
    Oidc {
        /// The secret of our PKCE toward the identity provider.
        verifier: String,
        /// What the ID token must hold.
        nonce: String,
        /// How the answer must come.
        response_mode: ResponseMode,
    },
    /// SAML. The request's id follows from the login's.
    Saml,
}

impl Proof {
    /// How the answer comes.
    pub const fn response_mode(&self) -> ResponseMode {
        match self {
            Self::Oidc { response_mode, .. } => *response_mode,
            Self::Saml => ResponseMode::FormPost,
        }
    }
}

/// What the second leg must know again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginState {
    /// The tenant.
    pub tenant: String,
    /// The connection that the browser was sent to; the answer counts for no other.
    pub connection: String,
    /// What the answer is held against.
    pub proof: Proof,
    /// When the login began.
    pub started_at: Timestamp,
    /// The application.
    pub client: String,
    /// Where its answer goes.
    pub redirect_uri: String,
    /// Its `state`.
    pub state: Option<String>,
    /// Its nonce.
    pub client_nonce: Option<String>,
    /// Its PKCE challenge.
    pub code_challenge: CodeChallenge,
    /// What it asked for.
    pub scope: Scope,
    /// How old the person's proof may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<Seconds>,
    /// The class of authentication that is a condition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<Classes>,
    /// The only person who will do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_user: Option<String>,
    /// The handle of an invitation that was opened in this browser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<String>,
    /// The relay serves it: its answer says `userState`.
    #[serde(default)]
    pub relayed: bool,
}

impl LoginState {
    /// The application's address.
    pub fn reply_address(&self) -> ReplyAddress {
        ReplyAddress { redirect_uri: self.redirect_uri.clone(), state: self.state.clone() }
    }

    /// Seals this login under its id.
    pub fn seal(&self, broker: &Broker, id: &str) -> Result<Sealed, Error> {
        let plain = serde_json::to_vec(self).map_err(|_| Error::bug("a login does not serialize"))?;
        Ok(broker.sealer.seal(&*broker.platform.random, Purpose::LoginCookie, id, &plain)?)
    }

    /// Opens the login of this id. A cookie that was changed, is another login's or too old is no login.
    pub fn open(broker: &Broker, id: &str, sealed: &Sealed) -> Result<Self, LoginError> {
        let plain = broker.sealer.open(Purpose::LoginCookie, id, sealed).map_err(|_| LoginError::UnknownLogin)?;
        let login: Self = serde_json::from_slice(&plain).map_err(|_| LoginError::UnknownLogin)?;
        if (login.started_at + LOGIN_LIFE).has_passed(broker.platform.clock.now()) {
            return Err(LoginError::UnknownLogin);
        }
        Ok(login)
    }
}
