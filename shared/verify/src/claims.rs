//! What an access token says.

use serde::Deserialize;
use serde_json::{Map, Value};

/// The claims of a token that was verified (RFC 9068 §2.2).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Claims {
    /// The person: Vestibule's own id, for good.
    pub sub: String,
    /// Whose customer they are.
    pub tenant: String,
    /// Their session.
    pub sid: String,
    /// The application that got the token.
    pub client_id: String,
    /// What was granted, separated by spaces.
    pub scope: String,
    /// When it was made, in seconds since 1970.
    pub iat: i64,
    /// When it ends.
    pub exp: i64,
    /// Its name.
    pub jti: String,
    /// All others, such as those that the application's `access_token_claims` name.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

impl Claims {
    /// Whether the token was granted this scope.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scope.split(' ').any(|granted| granted == scope)
    }

    /// Whether `roles` names this role. The application has to ask for the claim in its registration.
    pub fn has_role(&self, role: &str) -> bool {
        let roles = self.more.get("roles").and_then(Value::as_array);
        roles.is_some_and(|roles| roles.iter().any(|one| one == role))
    }
}
