//! Applications that people are signed in to.

use std::collections::BTreeMap;

use jsonwebtoken::jwk::Jwk;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vestibule_protocol::oauth::client_auth::ClientAuthMethod;
use vestibule_protocol::time::Seconds;

use super::session::SESSION_LIFE;
use crate::handle::SecretHash;

/// An application. It serves one, several or all tenants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// What people read.
    pub name: String,
    /// The tenants that it serves; `None` for all.
    pub tenants: Option<Vec<String>>,
    /// Where answers may go, compared character by character.
    pub redirect_uris: Vec<String>,
    /// Where a browser may go after a sign-out, compared character by character.
    pub post_logout_redirect_uris: Vec<String>,
    /// How it proves who it is; the only way that is accepted from it.
    pub client_auth: ClientAuthMethod,
    /// Its secret, hashed. `None` for one that has none.
    pub secret_hash: Option<SecretHash>,
    /// Its public keys, for `private_key_jwt`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<Jwk>,
    /// Where a browser goes when an identity provider begins a login (OpenID Connect Core §4); without one, none can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initiate_login_uri: Option<String>,
    /// Where it is told that a session is over (OpenID Connect Back-Channel Logout 1.0 §2.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    /// What our sign-out page loads in a frame (OpenID Connect Front-Channel Logout 1.0 §2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frontchannel_logout_uri: Option<String>,
    /// Whether that says which session is over, by `iss` and `sid`.
    #[serde(default = "session_required")]
    pub frontchannel_logout_session_required: bool,
    /// Whether it must send its requests ahead.
    #[serde(default)]
    pub require_pushed_requests: bool,
    /// How long its access tokens live.
    #[serde(default = "access_token_life")]
    pub access_token_life: Seconds,
    /// How long its refresh families live; a session's end is theirs too.
    #[serde(default = "refresh_token_life")]
    pub refresh_token_life: Seconds,
    /// Which claims about the person stand in its ID tokens; `None` for those that the scope reveals and those that a
    /// webhook added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token_claims: Option<Vec<String>>,
    /// Which stand in its access tokens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub access_token_claims: Vec<String>,
    /// Which stand in userinfo beside those that the scope reveals and those that a webhook added.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub userinfo_claims: Vec<String>,
    /// What it calls the claims that it names in the three lists, from our names to its own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub claim_names: BTreeMap<String, String>,
    /// That the relay signs people in for its control plane; `None` when it redeems its codes itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relay: Option<Relay>,
}

/// What the relay does for an application. See [`crate::relay`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Relay {
    /// The control plane's origin: scheme, host and port, without a trailing slash. The cookies are for its host.
    pub control_plane_url: String,
    /// What the cookies with the tokens are called.
    pub cookies: RelayCookies,
}

/// Names of the cookies with the tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RelayCookies {
    /// `accessToken` and `refreshToken`, both for every path.
    #[default]
    Plain,
    /// `__Host-accessToken`, which no other host can set, and `__Secure-refreshToken`, for the relay's path alone.
    Prefixed,
}

/// Which application the relay serves at an origin. Counts only while the application names that origin too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayRoute {
    /// The application.
    pub client: String,
}

/// An access token's life where nothing else is set: a day.
pub const fn access_token_life() -> Seconds {
    Seconds(86_400)
}

/// Whether an application is told which session is over, unless it says otherwise: a frame of ours seldom gets its cookies.
pub const fn session_required() -> bool {
    true
}

/// A refresh family's life where nothing else is set: as long as a session's.
pub const fn refresh_token_life() -> Seconds {
    SESSION_LIFE
}

impl Client {
    /// Whether people of `tenant` may sign in to it.
    pub fn serves(&self, tenant: &str) -> bool {
        self.tenants.as_ref().is_none_or(|tenants| tenants.iter().any(|served| served == tenant))
    }

    /// What the relay does for it at `origin`.
    pub fn relay_at(&self, origin: &str) -> Option<&Relay> {
        self.relay.as_ref().filter(|relay| relay.control_plane_url == origin)
    }
}
