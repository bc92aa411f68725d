//! Somebody who comes again: found by their identity, and brought up to date with what their provider says.

use vestibule_protocol::oidc::groups::Groups;

use super::{Arrival, import, join, link, person, profile};
use crate::Broker;
use crate::error::{Error, LoginError};
use crate::mapping::Standing;
use crate::model::audit::AuditKind;
use crate::model::user::{IdentityLink, Source, User};
use crate::store::record::Stored;
use crate::store::{Expect, Write, key};

/// What is known of an identity.
pub(super) enum Sighting {
    /// Whose it is.
    Known(Box<Stored<User>>),
    /// It is nobody's. The commit that gives it to somebody must find its record like this: absent, or as it was left by
    /// a person who is gone.
    New(Expect),
}

pub(super) async fn find(broker: &Broker, arrival: Arrival<'_>) -> Result<Sighting, Error> {
    let Arrival { tenant, connection, identity, .. } = arrival;
    let store = &*broker.platform.store;
    let link = key::identity(tenant, connection, &identity.issuer, &identity.subject);
    let Some((link, user)) = link.follow::<User>(store, IdentityLink::USER, key::USER).await? else {
        return Ok(Sighting::New(Expect::Absent));
    };
    Ok(user.map_or(Sighting::New(Expect::Version(link.version)), |user| Sighting::Known(Box::new(user))))
}

/// The person with what is said of them now.
pub(super) async fn refresh(broker: &Broker, arrival: Arrival<'_>, found: Stored<User>) -> Result<User, Error> {
    if !found.value.active {
        return refuse_inactive(broker, arrival, &found.value).await;
    }
    let (user, standing) = update(broker, arrival, found).await?;
    // What is theirs no more was written down first: it goes even if they do not come in.
    match standing {
        Standing::Admitted => Ok(user),
        Standing::NoRole => arrival.refuse_without_role(broker, Some(&user.id)).await,
    }
}

/// Writes down what is said of a person now, if it is news.
pub(super) async fn update(
    broker: &Broker,
    arrival: Arrival<'_>,
    found: Stored<User>,
) -> Result<(User, Standing), Error> {
    let Arrival { tenant, sign_in, identity, .. } = arrival;
    let mut user = found.value.clone();
    let news = user.groups != identity.groups;
    // Which addresses somebody has whom a directory pushed, the directory says.
    let theirs = |address: &String| user.source != Source::Scim || link::has_address(&user, address);
    let address = link::address(sign_in, &identity.profile).filter(theirs);
    let mut writes = Vec::new();
    if sign_in.link_by_email && user.linked_email != address {
        user.linked_email = None;
        if let Some(address) = address
            && let Some(trusted) = link::trusted(broker, tenant, address).await?
            && trusted.owner.is_none()
        {
            writes.extend(join::own(&mut user, tenant, trusted)?);
        }
    }
    learn(&mut user, arrival);
    let standing = arrival.reevaluate(broker, &mut user).await?;
    if user != found.value || import::is_due(arrival, &user) {
        user.updated_at = broker.platform.clock.now();
        writes.extend(person::update(tenant, &found, &user)?);
        if news {
            writes.extend(overage(broker, arrival, &user)?);
        }
        import::commit(broker, arrival, &user, writes).await?;
    }
    Ok((user, standing))
}

/// Takes over what a provider says of somebody. Who somebody is whom a directory pushed, the directory says; that an
/// address of theirs is verified, the provider.
pub(super) fn learn(user: &mut User, arrival: Arrival<'_>) {
    let identity = arrival.identity;
    user.groups = identity.groups.clone();
    user.groups_from = Some(arrival.connection.to_owned());
    user.mapped_attributes = identity.attributes.clone();
    if user.source == Source::Scim {
        if user.profile.email == identity.profile.email {
            user.profile.email_verified = identity.profile.email_verified;
        }
    } else if user.profile != identity.profile {
        user.profile = identity.profile.clone();
        profile::into_attributes(user);
    }
}

/// The event that a person's groups are too many to know, where they are.
pub(super) fn overage(broker: &Broker, arrival: Arrival<'_>, user: &User) -> Result<Option<Write>, Error> {
    if user.groups != Groups::Overage {
        return Ok(None);
    }
    arrival.owe(broker, AuditKind::GroupsOverage, Some(&user.id)).map(Some)
}

/// Turns away whoever was deactivated. In every mode alike, and with a page that says nothing of an account.
pub(super) async fn refuse_inactive(broker: &Broker, arrival: Arrival<'_>, user: &User) -> Result<User, Error> {
    arrival.refuse(broker, AuditKind::SignInRefused, Some(&user.id), LoginError::Inactive).await
}
