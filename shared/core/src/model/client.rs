//! Applications that people are signed in to.

use serde::{Deserialize, Serialize};
use vestibule_protocol::oauth::client_auth::ClientAuthMethod;

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
    /// Its secret, hashed. `None` for a public client.
    pub secret_hash: Option<SecretHash>,
}

impl Client {
    /// Whether people of `tenant` may sign in to it.
    pub fn serves(&self, tenant: &str) -> bool {
        self.tenants.as_ref().is_none_or(|tenants| tenants.iter().any(|served| served == tenant))
    }
}
