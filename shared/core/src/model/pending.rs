//! Sign-ins whose person is known, and that still have to be let through.

use serde::{Deserialize, Serialize};
use vestibule_protocol::time::Timestamp;

use super::saml::SamlName;
use super::session::{Code, ProviderSession, SeenEra};
use super::watch::Watch;

/// What becomes of a sign-in once it is let through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingSignIn {
    /// The code that the application gets, and by that whose session it is.
    pub code: Code,
    /// The application's `state`.
    pub state: Option<String>,
    /// Through which identity provider.
    pub connection: String,
    /// The relay serves the application: its answer says `userState`.
    pub relayed: bool,
    /// When the sign-in began.
    pub began_at: Timestamp,
    /// Whether the session was there before.
    pub continues: bool,
    /// The era in which a new session begins.
    #[serde(default)]
    pub era: SeenEra,
    /// What the provider calls a new session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderSession>,
    /// What a provider that speaks SAML called the person and a new session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saml: Option<SamlName>,
    /// What the person said at the checkpoint.
    pub justification: Option<String>,
    /// Whether it went through the tenant's checkpoint.
    pub passed: bool,
    /// What is kept of the provider with the session that begins, if that can be watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch: Option<Watch>,
}
