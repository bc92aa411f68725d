//! How a connection's sign-outs reach its provider, and the provider's reach us, beside the logout tokens that it may
//! always send.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

/// What a browser does between us and a connection's provider when somebody signs out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogoutSettings {
    /// Whether a sign-out at the provider counts that its page tells us of in a frame (OpenID Connect Front-Channel
    /// Logout 1.0).
    pub front_channel: bool,
    /// Whether whoever signs out here is sent on to the provider, to sign out there too (OpenID Connect RP-Initiated
    /// Logout 1.0).
    pub at_provider: bool,
    /// Where the provider signs people out; by its metadata when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_session_endpoint: Option<Url>,
}
