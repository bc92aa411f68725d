//! Scopes (RFC 6749 §3.3; OpenID Connect Core §5.4).

use serde::{Deserialize, Serialize};

use super::{Error, ErrorCode};

/// What an application can ask for.
pub const SUPPORTED: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// What a directory is granted for itself, by client credentials. No application can ask for it: no token that was made
/// for a person ever has it.
pub const SCIM_SCOPE: &str = "scim";

/// A set of scopes that we know, in the order of [`SUPPORTED`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scope(String);

impl Scope {
    /// Reads a `scope` parameter. Scopes that we do not know are ignored (RFC 6749 §3.3); characters that no scope
    /// may have are an error.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let legal = |byte: u8| matches!(byte, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        if !text.bytes().all(legal) {
            return Err(Error::new(ErrorCode::InvalidScope, "scope has characters that are not allowed"));
        }
        Ok(Self::of(|scope| text.split(' ').any(|asked| asked == scope)))
    }

    /// Whether `scope` is in the set.
    pub fn has(&self, scope: &str) -> bool {
        self.0.split(' ').any(|member| member == scope)
    }

    /// The scopes in both sets.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self::of(|scope| self.has(scope) && other.has(scope))
    }

    /// The set, space-separated.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of(wanted: impl Fn(&str) -> bool) -> Self {
        Self(SUPPORTED.into_iter().filter(|scope| wanted(scope)).collect::<Vec<_>>().join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_scopes_are_ignored_and_the_order_is_ours() {
        let scope = Scope::parse("email foo openid").unwrap();
        assert_eq!(scope.as_str(), "openid email");
        assert!(scope.has("email") && !scope.has("foo") && !scope.has("profile"));
    }

    #[test]
    fn forbidden_characters_are_an_error() {
        for wrong in ["openid \"", "open\\id", "öffnen", "a\nb"] {
            assert!(Scope::parse(wrong).is_err(), "{wrong}");
        }
    }

    /// TK-7
    #[test]
    fn a_narrowed_scope_never_grows() {
        let granted = Scope::parse("openid email").unwrap();
        assert_eq!(granted.and(&Scope::parse("openid profile").unwrap()).as_str(), "openid");
    }
}
