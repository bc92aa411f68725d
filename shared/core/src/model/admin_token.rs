//! Administrators' tokens, and what they let their bearer do.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serialize};
use vestibule_protocol::time::Timestamp;

use super::is_id;
use crate::handle::SecretHash;

/// An administrator's token, but for its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminToken {
    /// What people call it.
    pub name: String,
    /// What it lets its bearer do: the sum of these.
    pub scopes: Vec<Scope>,
    /// SHA-256 of its secret.
    pub secret: SecretHash,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When it was last seen, to the hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
}

/// A permission: `deployment`, `deployment:read`, `tenant:{id}` or `tenant:{id}:read`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub struct Scope {
    /// The tenant that it is for; `None` for everything.
    pub tenant: Option<String>,
    /// Whether it is for looking only.
    pub read_only: bool,
}

impl Scope {
    /// Everything.
    pub const DEPLOYMENT: Self = Self { tenant: None, read_only: false };

    /// Whether a tenant is in sight.
    pub fn covers(&self, tenant: &str) -> bool {
        self.tenant.as_ref().is_none_or(|own| own == tenant)
    }
}

/// A text that is no permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no scope")]
pub struct NoScope;

const FORMS: &str = "a scope: deployment, deployment:read, tenant:{id} or tenant:{id}:read";

impl FromStr for Scope {
    type Err = NoScope;

    fn from_str(text: &str) -> Result<Self, NoScope> {
        let mut parts = text.split(':');
        let tenant = match (parts.next(), parts.clone().next()) {
            (Some("deployment"), _) => None,
            (Some("tenant"), Some(tenant)) if is_id(tenant) => parts.next().map(str::to_owned),
            _ => return Err(NoScope),
        };
        match (parts.next(), parts.next()) {
            (None, _) => Ok(Self { tenant, read_only: false }),
            (Some("read"), None) => Ok(Self { tenant, read_only: true }),
            _ => Err(NoScope),
        }
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|NoScope| D::Error::invalid_value(Unexpected::Other("text"), &FORMS))
    }
}

/// As a text of one of the four forms.
impl JsonSchema for Scope {
    fn schema_name() -> Cow<'static, str> {
        "Scope".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^(deployment|tenant:[a-z0-9-]{1,40})(:read)?$" })
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.to_string()
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.tenant {
            None => f.write_str("deployment")?,
            Some(tenant) => write!(f, "tenant:{tenant}")?,
        }
        f.write_str(if self.read_only { ":read" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_one_of_four_texts() {
        for text in ["deployment", "deployment:read", "tenant:acme", "tenant:acme:read", "tenant:read"] {
            assert_eq!(text.parse::<Scope>().map(|scope| scope.to_string()).as_deref(), Ok(text));
        }
        for wrong in [
            "",
            "read",
            ":read",
            "Deployment",
            "deployment:write",
            "deployment:read:read",
            "tenant",
            "tenant:",
            "tenant::read",
            "tenant:*",
            "tenant:a b",
            "tenant:ACME",
            "tenant:acme:write",
            "tenant:acme:read:read",
            " deployment",
        ] {
            assert_eq!(wrong.parse::<Scope>(), Err(NoScope), "{wrong}");
        }
    }
}
