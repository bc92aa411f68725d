//! How a connection is offered to people: to whom, where, on what button, and whether it leads to accounts that others
//! made.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What decides whether a connection is offered, and what it looks like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SignIn {
    /// What its button says; `Continue with` and the connection's name when left out. 1 to 60 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub button_text: Option<String>,
    /// A picture on the button: an https address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub button_image_url: Option<String>,
    /// E-mail domains whose people sign in through it, in lower case; empty for all. Whoever comes back from the
    /// provider with another address is refused.
    pub domains: Vec<String>,
    /// Hosts on which it is offered, in lower case; empty for all.
    pub hosts: Vec<String>,
    /// Whether somebody who comes through it for the first time is the person whom another connection, with the same
    /// switch on, knows under the same verified address of a domain that the tenant owns.
    pub link_by_email: bool,
    /// By which of their names somebody whom a directory pushed is found when they come through it for the first time;
    /// the first that leads to somebody counts. Each trusts this provider with more: leave out what it must not decide.
    pub finds_provisioned_by: Vec<FindsBy>,
    /// Whether the groups that its provider names become groups of the tenant's directory, with the people whom it says to
    /// be in them. Only sign-ins change those groups. Switched off, the next sign-in takes a person out of them.
    pub import_groups: bool,
}

/// A name by which somebody whom a directory pushed is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindsBy {
    /// Their `externalId` is what the provider names them by (the claim of `unique_id_claim`), to the letter.
    ExternalId,
    /// Their `userName` is the provider's `preferred_username`, in any case. At many providers people choose that one
    /// themselves.
    UserName,
    /// The address is theirs, under the rules of `link_by_email`, which has to be on.
    VerifiedEmail,
}

impl Default for SignIn {
    fn default() -> Self {
        Self {
            button_text: None,
            button_image_url: None,
            domains: Vec::new(),
            hosts: Vec::new(),
            link_by_email: false,
            finds_provisioned_by: vec![FindsBy::ExternalId, FindsBy::VerifiedEmail],
            import_groups: false,
        }
    }
}

impl SignIn {
    /// Whether it is offered on this host. One that has its hosts is offered on no other, and not where none is known.
    pub fn is_for_host(&self, host: Option<&str>) -> bool {
        self.hosts.is_empty() || host.is_some_and(|host| self.hosts.iter().any(|allowed| allowed == host))
    }

    /// Whether people of this e-mail domain may use it; one that is not known yet may still turn out to be right.
    pub fn is_for_domain(&self, domain: Option<&str>) -> bool {
        self.domains.is_empty() || domain.is_none_or(|domain| self.names_domain(domain))
    }

    /// Whether the domain is one of its own by name.
    pub fn names_domain(&self, domain: &str) -> bool {
        self.domains.iter().any(|allowed| allowed == domain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(domains: &[&str], hosts: &[&str]) -> SignIn {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        SignIn { domains: owned(domains), hosts: owned(hosts), ..SignIn::default() }
    }

    #[test]
    fn without_limits_it_is_for_everybody() {
        let all = only(&[], &[]);
        assert!(all.is_for_host(None) && all.is_for_host(Some("a.example")));
        assert!(all.is_for_domain(None) && all.is_for_domain(Some("a.example")));
    }

    #[test]
    fn limits_hold_for_whole_names() {
        let some = only(&["corp.example"], &["login.corp.example"]);
        assert!(some.is_for_host(Some("login.corp.example")) && some.is_for_domain(Some("corp.example")));
        assert!(some.is_for_domain(None), "the address may still be the right one");
        for other in ["example", "x.corp.example", "corp.example.evil.example"] {
            assert!(!some.is_for_domain(Some(other)) && !some.is_for_host(Some(other)), "{other}");
        }
        assert!(!some.is_for_host(None));
    }
}
