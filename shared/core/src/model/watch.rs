//! What is kept of a session's identity provider, so that it can be asked again whether it still vouches for the person.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vestibule_protocol::time::{Seconds, Timestamp};

use super::session::EndReason;
use crate::seal::Sealed;

/// A session that is watched. Made with the session, changed by its examinations, removed when it ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// The connection.
    pub connection: String,
    /// The provider, as its tokens name it.
    pub issuer: String,
    /// The provider's name for the person: the claim that the connection set as unique id.
    pub subject: String,
    /// The `sub` of its tokens about them.
    pub sub: String,
    /// Which claims it spoke of the last time that everything was read, as a hash of their names. A document with the same
    /// ones says everything by itself.
    pub outline: String,
    /// Its [`ProviderTokens`], sealed for this record. None where only a status probe can be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Sealed>,
    /// When the provider last vouched for the person; at first, the sign-in.
    pub vouched_at: Timestamp,
    /// From when on the session is examined again.
    pub due_at: Timestamp,
    /// Who examines it now. One that has ended was lost, and perhaps an answer of the provider with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
    /// Whether a new refresh token may have been lost: then a refusal of the one that is kept says nothing.
    #[serde(default)]
    pub answer_lost: bool,
    /// Examinations in a row that told nothing.
    #[serde(default)]
    pub failures: u32,
    /// Why the last one told nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
    /// When the session ends if nobody vouches for the person any more. Only where the provider refused the refresh token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Timestamp>,
    /// What was found, to be carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<Decided>,
}

/// An examination under way. Of several that would begin, one takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Random.
    pub id: String,
    /// From then on, whoever took it is taken for dead.
    pub ends_at: Timestamp,
}

/// What a provider gave us for a session. Sealed wherever it is kept.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderTokens {
    /// What gets the next ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// With what userinfo can be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token: Option<String>,
    /// Until when, by the provider's own word; without one, the access token is not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_ends_at: Option<Timestamp>,
}

/// Tokens are in no log.
impl fmt::Debug for ProviderTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProviderTokens(…)")
    }
}

/// Why an examination told nothing. None of these ever ends a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// No complete answer came in time, or the egress policy forbids to ask.
    Unreachable,
    /// It answered with a status of its own trouble, or one that makes no sense.
    Failing,
    /// It asked to be asked less often (429).
    Busy,
    /// It does not know us, or not by this secret.
    ClientRefused,
    /// Its answer cannot be read, or breaks a rule.
    Unusable,
    /// The connection is disabled or gone.
    Disconnected,
    /// It refused the refresh token, and nobody says whether the person is active.
    Unvouched,
}

impl Trouble {
    /// Its name, for logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Failing => "failing",
            Self::Busy => "busy",
            Self::ClientRefused => "client_refused",
            Self::Unusable => "unusable",
            Self::Disconnected => "disconnected",
            Self::Unvouched => "unvouched",
        }
    }
}

/// Trouble, and for how long the provider wants to be left alone (RFC 9110 §10.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delay {
    /// Why.
    pub trouble: Trouble,
    /// Its `Retry-After`.
    pub retry_after: Option<Seconds>,
}

impl From<Trouble> for Delay {
    fn from(trouble: Trouble) -> Self {
        Self { trouble, retry_after: None }
    }
}

/// A decision, and when it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// What is to be done.
    pub decision: Decision,
    /// When that was found.
    pub at: Timestamp,
}

/// What an examination found. Written down before it is carried out: a crash in between forgets nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// This session ends; its person may sign in again.
    End(EndReason),
    /// The person may not sign in any more.
    Decommission(Evidence),
}

/// What said that a person is inactive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// The connection's status probe.
    StatusProbe,
    /// With the refresh token, the provider refused the access token that it had given, before its time.
    TokensRefused,
    /// Userinfo refused an access token that the provider had just given.
    FreshTokenRefused,
}
