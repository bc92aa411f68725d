//! Whose address it is: the rules by which an address makes two identities one person.
//!
//! Three have to say so: the provider, that it verified the address; the tenant, by owning the domain; the connection,
//! by its switch, which is off unless set. Without any one of them an address is a text like any other.

use crate::Broker;
use crate::error::Error;
use crate::model::routing::domain_of;
use crate::model::sign_in::SignIn;
use crate::model::user::{EmailOwner, Profile, User};
use crate::routing;
use crate::store::record::Stored;
use crate::store::{Expect, Write, key};

/// An address that links, and whose it is.
#[derive(Clone)]
pub(super) struct Trusted {
    /// In lower case.
    pub(super) address: String,
    /// That the tenant still owns the domain: a condition of whatever is done about the address.
    pub(super) domain_is_owned: Write,
    /// Who was found to have it, if anybody was.
    pub(super) owner: Option<Stored<EmailOwner>>,
    /// The same person, unless they are gone.
    pub(super) person: Option<Stored<User>>,
}

impl Trusted {
    /// What the record that says whose the address is must be like.
    pub(super) fn as_read(&self) -> Expect {
        self.owner.as_ref().map_or(Expect::Absent, |owner| Expect::Version(owner.version.clone()))
    }

    /// That all of this still stands.
    pub(super) fn conditions(&self, tenant: &str) -> Vec<Write> {
        vec![self.domain_is_owned.clone(), key::email_owner(tenant, &self.address).check(self.as_read())]
    }
}

/// Whether the connection lets this person in at all: one that names its domains is for their addresses only.
pub(super) fn may_use(sign_in: &SignIn, profile: &Profile) -> bool {
    if sign_in.domains.is_empty() {
        return true;
    }
    let domain = profile.email.as_deref().and_then(domain_of);
    profile.email_verified != Some(false) && domain.is_some_and(|domain| sign_in.names_domain(&domain))
}

/// An address as it is compared. In ASCII only: Unicode has letters that become others in lower case (the Kelvin sign a
/// `k`), and two people must not meet there.
pub(crate) fn plain_address(address: &str) -> Option<String> {
    let plain = address.len() <= 254 && address.bytes().all(|byte| byte.is_ascii_graphic());
    plain.then(|| address.to_ascii_lowercase())
}

/// Gives up the address that links a pushed person, if the directory does not say any more that it is theirs.
pub(crate) fn release_address(user: &mut User) {
    if user.linked_email.as_ref().is_some_and(|linked| !has_address(user, linked)) {
        user.linked_email = None;
    }
}

/// Whether an address, in lower case, is among those that are known of a person.
pub(super) fn has_address(user: &User, address: &str) -> bool {
    user.addresses().filter_map(plain_address).any(|own| own == address)
}

/// The address that the provider says it verified.
pub(super) fn verified(profile: &Profile) -> Option<String> {
    profile.email.as_deref().filter(|_| profile.email_verified == Some(true)).and_then(plain_address)
}

/// The address, as far as provider and connection let it link.
pub(super) fn address(sign_in: &SignIn, profile: &Profile) -> Option<String> {
    verified(profile).filter(|_| sign_in.link_by_email)
}

/// The address with the tenant's word for it. `None` when it is of no domain of the tenant's.
pub(super) async fn trusted(broker: &Broker, tenant: &str, address: String) -> Result<Option<Trusted>, Error> {
    let Some(domain) = domain_of(&address) else { return Ok(None) };
    let Some(claim) = routing::owned_domain(broker, tenant, &domain).await? else { return Ok(None) };
    let domain_is_owned = key::domain_claim(tenant, &domain).check(Expect::Version(claim.version));
    let store = &*broker.platform.store;
    let owner = key::email_owner(tenant, &address).get(store).await?;
    let person = match &owner {
        Some(owner) => key::user(tenant, &owner.value.user).get(store).await?,
        None => None,
    };
    Ok(Some(Trusted { address, domain_is_owned, owner, person }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(email: &str, email_verified: Option<bool>) -> Profile {
        Profile { email: Some(email.to_owned()), email_verified, ..Profile::default() }
    }

    fn linking() -> SignIn {
        SignIn { link_by_email: true, ..SignIn::default() }
    }

    /// RP-6
    #[test]
    fn an_address_links_when_it_is_verified_and_the_switch_is_on() {
        let verified = profile("Alice@Corp.Example", Some(true));
        assert_eq!(address(&linking(), &verified).as_deref(), Some("alice@corp.example"));
        assert_eq!(address(&SignIn::default(), &verified), None);
        for said in [None, Some(false)] {
            assert_eq!(address(&linking(), &profile("alice@corp.example", said)), None);
        }
        assert_eq!(address(&linking(), &Profile::default()), None);
    }

    /// RP-6: no letter becomes another one's lower case.
    #[test]
    fn only_plain_addresses_link() {
        for odd in ["mi\u{212a}e@corp.example", "a b@corp.example", "a\n@corp.example", "é@corp.example"] {
            assert_eq!(address(&linking(), &profile(odd, Some(true))), None, "{odd}");
        }
    }

    #[test]
    fn a_connection_with_domains_is_for_their_people() {
        let limited = SignIn { domains: vec!["corp.example".to_owned()], ..SignIn::default() };
        assert!(may_use(&limited, &profile("alice@CORP.example", None)));
        assert!(may_use(&SignIn::default(), &Profile::default()));
        for other in [
            profile("alice@corp.example", Some(false)),
            profile("alice@corp.example.evil.example", Some(true)),
            profile("alice@sub.corp.example", Some(true)),
            profile("corp.example", Some(true)),
            Profile::default(),
        ] {
            assert!(!may_use(&limited, &other), "{:?}", other.email);
        }
    }
}
