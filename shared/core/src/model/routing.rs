//! Names that lead to tenants: e-mail domains, which a tenant proves to own, and hosts.

use serde::{Deserialize, Serialize};
use url::Host;
use vestibule_protocol::time::Timestamp;

/// Whose people a domain or a host leads to. One tenant at a time: the record is its only owner's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// The tenant.
    pub tenant: String,
}

/// A tenant's claim to an e-mail domain. It lies with the tenant's people, so that whatever rests on the ownership is
/// one commit with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainClaim {
    /// To be published in the domain's DNS.
    pub token: String,
    /// When the claim was made.
    pub claimed_at: Timestamp,
    /// How it was found to be true; absent while it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<Verified>,
}

/// How a domain was found to be a tenant's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// When.
    pub at: Timestamp,
    /// Why an administrator says so, where DNS was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub override_reason: Option<String>,
}

/// A domain in the one form in which it is compared: lower case, international names in their ASCII form (RFC 5891).
/// `None` for what is no domain with at least two labels.
pub fn domain(text: &str) -> Option<String> {
    let Ok(Host::Domain(domain)) = Host::parse(text) else { return None };
    let well_formed = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let fine = domain.len() <= 253 && domain.contains('.') && domain.split('.').all(well_formed);
    fine.then_some(domain)
}

/// The domain of an e-mail address.
pub fn domain_of(address: &str) -> Option<String> {
    let (local, domain_part) = address.trim().rsplit_once('@')?;
    if local.is_empty() { None } else { domain(domain_part) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_have_one_form() {
        assert_eq!(domain("Corp.Example").as_deref(), Some("corp.example"));
        assert_eq!(domain("bücher.example").as_deref(), Some("xn--bcher-kva.example"));
        for wrong in ["", "localhost", "corp.example.", ".example", "a..b", "-a.example", "127.0.0.1", "[::1]", "a b.c"]
        {
            assert_eq!(domain(wrong), None, "{wrong}");
        }
        for wrong in ["a_b.example", "a/b.example", "corp.example:443", "a@b.example"] {
            assert_eq!(domain(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_domain_of_an_address_follows_its_last_at() {
        assert_eq!(domain_of(" alice@Corp.example ").as_deref(), Some("corp.example"));
        assert_eq!(domain_of("\"a@evil.example\"@corp.example").as_deref(), Some("corp.example"));
        for wrong in ["alice", "@corp.example", "alice@", "alice@corp", "alice@corp.example@"] {
            assert_eq!(domain_of(wrong), None, "{wrong}");
        }
    }
}
