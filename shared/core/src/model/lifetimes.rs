//! How long a tenant lets sessions and tokens live. Where an application sets a life too, the shorter of both counts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vestibule_protocol::time::Seconds;

use super::session::SESSION_LIFE;

/// An ID token's life where nothing else is set. It says who signed in; it opens nothing.
pub const ID_TOKEN_LIFE: Seconds = Seconds(3_600);

/// A session's life where nobody can be asked whether its person is still active, unless set: half a day.
pub const UNWATCHED_LIFE: Seconds = Seconds(43_200);

/// A tenant's lives, in seconds; what is left out is as long as it is anyway.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Lifetimes {
    /// Of access tokens, from a minute to a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token: Option<Seconds>,
    /// Of refresh families, from ten minutes to seven days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<Seconds>,
    /// Of ID tokens, from a minute to a day; an hour unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<Seconds>,
    /// Of sessions, from ten minutes to seven days. Nothing in a session outlasts it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Seconds>,
    /// Of sessions whose identity provider gave no refresh token, so that nobody can be asked whether the person is still
    /// active: from ten minutes to seven days; twelve hours unless set. Never longer than `session`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_unwatched: Option<Seconds>,
    /// How long a session may go without a sign-in or a refresh; no limit unless set. Longer than access tokens live:
    /// an application that is used asks for the next one then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_idle: Option<Seconds>,
}

impl Lifetimes {
    /// Whether nothing is set.
    pub fn are_unset(&self) -> bool {
        *self == Self::default()
    }

    /// Access tokens of an application that gives them `client`.
    pub fn access_token(&self, client: Seconds) -> Seconds {
        self.access_token.map_or(client, |life| life.min(client))
    }

    /// Refresh families of an application that gives them `client`.
    pub fn refresh_token(&self, client: Seconds) -> Seconds {
        self.refresh_token.map_or(client, |life| life.min(client))
    }

    /// ID tokens.
    pub fn id_token(&self) -> Seconds {
        self.id_token.unwrap_or(ID_TOKEN_LIFE)
    }

    /// Sessions that begin now, if they can be watched.
    pub fn session(&self) -> Seconds {
        self.session.unwrap_or(SESSION_LIFE)
    }

    /// The others, and those that cannot be any more, from when somebody last vouched for them.
    pub fn session_unwatched(&self) -> Seconds {
        self.session_unwatched.unwrap_or(UNWATCHED_LIFE).min(self.session())
    }
}
