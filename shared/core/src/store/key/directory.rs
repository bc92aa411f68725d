//! What lies in a tenant's directory: people and groups, and the indexes by which they are found.

use super::hash_parts;
use crate::model::group::{Group, Member, Touch};
use crate::model::invitation::Invitation;
use crate::model::routing::DomainClaim;
use crate::model::user::{EmailOwner, IdentityLink, Owner, User};
use crate::store::Partition;
use crate::store::record::RecordKey;

/// The partition of a tenant's people.
pub fn directory(tenant: &str) -> Partition {
    Partition::new(format!("directory:{tenant}"))
}

/// What the ids of people start with.
pub const USER: &str = "user#";

/// A person.
pub fn user(tenant: &str, user: &str) -> RecordKey<User> {
    RecordKey::new(directory(tenant), format!("{USER}{user}"))
}

/// Who a person of an identity provider is here: identity is (connection, issuer, subject).
pub fn identity(tenant: &str, connection: &str, issuer: &str, subject: &str) -> RecordKey<IdentityLink> {
    let hash = hash_parts(&[issuer, subject]);
    RecordKey::new(directory(tenant), format!("identity#{connection}#{hash}"))
}

/// The person behind a verified address, in lower case, of a domain that the tenant owns.
pub fn email_owner(tenant: &str, address: &str) -> RecordKey<EmailOwner> {
    RecordKey::new(directory(tenant), format!("email#{}", hash_parts(&[address])))
}

/// Who has a user name. `folded` is the name as it is compared, without case.
pub fn user_name(tenant: &str, folded: &str) -> RecordKey<Owner> {
    RecordKey::new(directory(tenant), format!("user-name#{}", hash_parts(&[folded])))
}

/// Whom the directory calls so. Case matters.
pub fn external_id(tenant: &str, external_id: &str) -> RecordKey<Owner> {
    RecordKey::new(directory(tenant), format!("external-id#{}", hash_parts(&[external_id])))
}

/// What the ids of those who have an address start with. Several people may: it is no [`email_owner`].
pub fn addresses(folded: &str) -> String {
    format!("address#{}#", hash_parts(&[folded]))
}

/// That a person has an address.
pub fn address(tenant: &str, folded: &str, user: &str) -> RecordKey<()> {
    RecordKey::new(directory(tenant), format!("{}{user}", addresses(folded)))
}

/// What the ids of invitations start with.
pub const INVITATION: &str = "invitation#";

/// An invitation.
pub fn invitation(tenant: &str, invitation: &str) -> RecordKey<Invitation> {
    RecordKey::new(directory(tenant), format!("{INVITATION}{invitation}"))
}

/// The invitation that waits for the holder of an address, in lower case.
pub fn invited(tenant: &str, address: &str) -> RecordKey<Owner> {
    RecordKey::new(directory(tenant), format!("invited#{}", hash_parts(&[address])))
}

/// What the ids of groups start with.
pub const GROUP: &str = "group#";

/// A group.
pub fn group(tenant: &str, group: &str) -> RecordKey<Group> {
    RecordKey::new(directory(tenant), format!("{GROUP}{group}"))
}

/// When a group's members last changed.
pub fn group_touch(tenant: &str, group: &str) -> RecordKey<Touch> {
    RecordKey::new(directory(tenant), format!("touch#{group}"))
}

/// Which group the directory calls so. Case matters.
pub fn group_external_id(tenant: &str, external_id: &str) -> RecordKey<Owner> {
    RecordKey::new(directory(tenant), format!("group-external-id#{}", hash_parts(&[external_id])))
}

/// What the ids of groups of a name start with: several may have it.
pub fn groups_named(folded: &str) -> String {
    format!("group-name#{}#", hash_parts(&[folded]))
}

/// That a group has a name.
pub fn group_name(tenant: &str, folded: &str, group: &str) -> RecordKey<()> {
    RecordKey::new(directory(tenant), format!("{}{group}", groups_named(folded)))
}

/// The group that stands for what a connection's provider calls a group. Case matters.
pub fn imported_group(tenant: &str, connection: &str, name: &str) -> RecordKey<Owner> {
    RecordKey::new(directory(tenant), format!("imported-group#{connection}#{}", hash_parts(&[name])))
}

/// What the ids of a group's members start with.
pub fn members_of(group: &str) -> String {
    format!("member#{group}#")
}

/// That a person is in a group.
pub fn member(tenant: &str, group: &str, user: &str) -> RecordKey<Member> {
    RecordKey::new(directory(tenant), format!("{}{user}", members_of(group)))
}

/// What the ids of a kind's tallies start with. The kind is [`USER`] or [`GROUP`].
pub fn tallies(kind: &str) -> String {
    format!("tally#{kind}")
}

/// How many objects of a kind have ids that begin with the first character of this one. In the order of the ids: the
/// tallies before one say how many objects come before its own.
pub fn tally(tenant: &str, kind: &str, id: &str) -> RecordKey<i64> {
    let first: String = id.chars().take(1).collect();
    RecordKey::new(directory(tenant), format!("{}{first}", tallies(kind)))
}

/// What the ids of claims to domains start with.
pub const DOMAIN_CLAIM: &str = "domain#";

/// A tenant's claim to an e-mail domain.
pub fn domain_claim(tenant: &str, domain: &str) -> RecordKey<DomainClaim> {
    RecordKey::new(directory(tenant), format!("{DOMAIN_CLAIM}{domain}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RP-6: no two of (connection, issuer, subject) share a record, whatever characters they hold.
    #[test]
    fn identities_do_not_run_into_each_other() {
        let id = |connection, issuer, subject| identity("t", connection, issuer, subject).id().to_owned();
        let first = id("c", "https://idp", "a#b");
        for other in [
            id("c", "https://idp", "a"),
            id("c", "https://idpa", "#b"),
            id("d", "https://idp", "a#b"),
            id("c", "https://idp", "A#b"),
        ] {
            assert_ne!(first, other);
        }
    }
}
