//! Finding whom a directory pushed, when they sign in for the first time. By which of their names is the connection's
//! setting, because each of them is another trust in its provider.
//!
//! Nobody is found who was pushed for another connection. Whoever has an identity in this connection already is somebody
//! else to its provider: the name was given to another person, and they are refused.

use vestibule_protocol::scim::condition::fold;

use super::Arrival;
use super::join::Found;
use super::link::{Trusted, has_address};
use crate::Broker;
use crate::error::Error;
use crate::model::sign_in::FindsBy;
use crate::model::user::{Owner, Source, User};
use crate::store::record::{RecordKey, Stored};
use crate::store::{Expect, key};

/// What a search came to.
pub(super) enum Search {
    /// The person.
    Found(Box<Found>),
    /// The name is somebody's who has another identity in this connection.
    Taken {
        /// The person.
        user: String,
        /// The name.
        by: FindsBy,
    },
    /// Nobody who was pushed.
    Nobody,
}

/// Looks for the person in the ways that the connection allows, in their order.
pub(super) async fn search(broker: &Broker, arrival: Arrival<'_>, address: Option<&Trusted>) -> Result<Search, Error> {
    let Arrival { tenant, connection, sign_in, identity, .. } = arrival;
    for by in &sign_in.finds_provisioned_by {
        let found = match by {
            FindsBy::ExternalId => {
                let record = key::external_id(tenant, &identity.subject);
                by_name(broker, arrival, &record, |user| user.external_id() == Some(&identity.subject)).await?
            }
            FindsBy::UserName => by_user_name(broker, arrival).await?,
            FindsBy::VerifiedEmail => by_address(broker, arrival, address).await?,
        };
        let Some(found) = found else { continue };
        if found.user.value.identities.iter().any(|name| name.connection == connection) {
            return Ok(Search::Taken { user: found.user.value.id, by: *by });
        }
        return Ok(Search::Found(Box::new(found)));
    }
    Ok(Search::Nobody)
}

/// Whether a directory pushed them, and for this connection if for one.
fn is_for(arrival: Arrival<'_>, user: &User) -> bool {
    let connection = arrival.connection;
    user.source == Source::Scim && user.provisioned_by.as_ref().is_none_or(|own| own == connection)
}

/// Whoever has a name that only one person can have.
async fn by_name(
    broker: &Broker,
    arrival: Arrival<'_>,
    record: &RecordKey<Owner>,
    has_it: impl Fn(&User) -> bool,
) -> Result<Option<Found>, Error> {
    let store = &*broker.platform.store;
    let Some(owner) = record.get(store).await? else { return Ok(None) };
    let user = key::user(arrival.tenant, &owner.value.id).get(store).await?;
    let user = user.filter(|user| is_for(arrival, &user.value) && has_it(&user.value));
    let conditions = vec![record.check(Expect::Version(owner.version))];
    Ok(user.map(|user| Found { user, conditions, owns: None }))
}

/// In ASCII only: Unicode has letters that become others in lower case, and two people must not meet there.
async fn by_user_name(broker: &Broker, arrival: Arrival<'_>) -> Result<Option<Found>, Error> {
    let name = arrival.identity.profile.preferred_username.as_deref();
    let Some(name) = name.filter(|name| name.is_ascii()).map(fold) else { return Ok(None) };
    let record = key::user_name(arrival.tenant, &name);
    by_name(broker, arrival, &record, |user| fold(user.user_name()) == name).await
}

/// Of the people with an address, the first few are looked at: with more, it is nobody's in particular.
const MOST: usize = 20;

/// Whose the address is; where it is nobody's yet, the only one who was pushed with it.
async fn by_address(broker: &Broker, arrival: Arrival<'_>, address: Option<&Trusted>) -> Result<Option<Found>, Error> {
    let Some(trusted) = address else { return Ok(None) };
    let tenant = arrival.tenant;
    let has_it = |user: &User| has_address(user, &trusted.address);
    if let Some(user) = &trusted.person {
        let user = Some(user).filter(|user| is_for(arrival, &user.value) && has_it(&user.value)).cloned();
        return Ok(user.map(|user| Found { user, conditions: trusted.conditions(tenant), owns: None }));
    }
    let store = &*broker.platform.store;
    let prefix = key::addresses(&trusted.address);
    let page = store.list(&key::directory(tenant), &prefix, None, MOST).await?;
    let mut only: Option<Stored<User>> = None;
    for entry in &page.records {
        let id = entry.id.strip_prefix(&prefix).unwrap_or_default();
        let user = key::user(tenant, id).get(store).await?;
        let user = user.filter(|user| is_for(arrival, &user.value) && has_it(&user.value));
        if user.is_some() && only.is_some() {
            return Ok(None);
        }
        only = only.or(user);
    }
    let only = only.filter(|_| page.next.is_none());
    Ok(only.map(|user| {
        // Whoever is found by one address keeps the one that they are linked by already.
        let has_one = user.value.linked_email.is_some();
        let conditions = if has_one { trusted.conditions(tenant) } else { Vec::new() };
        Found { user, conditions, owns: (!has_one).then(|| trusted.clone()) }
    }))
}
