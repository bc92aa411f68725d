//! Test logins: what a provider says of somebody, shown to an administrator and to nobody else.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use vestibule_protocol::time::{Seconds, Timestamp};

use crate::handle::SecretHash;
use crate::seal::Sealed;

/// How long a link is good, and how long what came of it is shown.
pub const TEST_LIFE: Seconds = Seconds(900);

/// A test login of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestLogin {
    /// The connection.
    pub connection: String,
    /// SHA-256 of the link's secret.
    pub secret: SecretHash,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// What came of it.
    pub outcome: Outcome,
}

/// How far a test login is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Outcome {
    /// Nobody followed the link.
    Waiting,
    /// Somebody did, and is at the provider. The link is used up.
    Started,
    /// The provider said these [`TestClaims`], sealed.
    Done {
        /// As JSON.
        claims: Sealed,
    },
    /// It did not work.
    Failed {
        /// Why, in words.
        reason: String,
    },
}

/// What a provider said, without what is secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TestClaims {
    /// In the ID token; empty for a provider that speaks SAML.
    pub id_token: Map<String, Value>,
    /// At userinfo; null if it was not asked.
    pub userinfo: Option<Map<String, Value>>,
    /// In the assertion of a provider that speaks SAML: its attributes under their own names, `sub` for the `NameID`, and more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assertion: Option<Map<String, Value>>,
}
