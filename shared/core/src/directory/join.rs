//! An identity that was never seen. It becomes somebody who is there already: whom a directory pushed, or who has its
//! address. Otherwise the tenant's road decides whether somebody new comes of it.

use std::collections::BTreeMap;

use serde_json::Map;

use super::invited::{self, Accepted};
use super::link::{self, Trusted};
use super::pushed::{self, Search};
use super::{Arrival, import, known, person, profile};
use crate::Broker;
use crate::error::{Error, LoginError};
use crate::handle::new_id;
use crate::mapping::Standing;
use crate::model::access::Access;
use crate::model::audit::{AuditKind, WhyUnknown};
use crate::model::provisioning::Mode;
use crate::model::user::{EmailOwner, IdentityLink, IdentityName, Source, User};
use crate::store::record::Stored;
use crate::store::{Expect, Write, key};

/// Somebody who is there, for an identity that is not theirs yet.
pub(super) struct Found {
    /// The person.
    pub(super) user: Stored<User>,
    /// What makes the identity theirs, as it was read: the commit rests on it.
    pub(super) conditions: Vec<Write>,
    /// The address by which they were found, where it is nobody's: it becomes theirs.
    pub(super) owns: Option<Trusted>,
}

/// Who somebody new is, besides what their provider says.
struct Newcomer {
    /// Our id of them.
    id: String,
    source: Source,
    access: Access,
    /// Their address, where it links.
    address: Option<Trusted>,
    /// What else happens in the commit that creates them.
    also: Vec<Write>,
}

/// Finds the person, or creates them. `unseen` is the state of the identity's record.
pub(super) async fn join(broker: &Broker, arrival: Arrival<'_>, unseen: Expect) -> Result<User, Error> {
    let Arrival { tenant, sign_in, identity, .. } = arrival;
    let address = match link::address(sign_in, &identity.profile) {
        Some(address) => link::trusted(broker, tenant, address).await?,
        None => None,
    };
    match pushed::search(broker, arrival, address.as_ref()).await? {
        Search::Found(found) => return connect(broker, arrival, unseen, *found).await,
        Search::Taken { user, by } => {
            let kind = AuditKind::LinkRefused { by };
            return arrival.refuse(broker, kind, Some(&user), LoginError::NotProvisioned).await;
        }
        Search::Nobody => {}
    }
    let address = match address {
        Some(mut trusted) => match trusted.person.take() {
            // Whom a directory pushed is found above, or not by this connection.
            Some(user) if user.value.source == Source::Scim => None,
            Some(user) => {
                let conditions = trusted.conditions(tenant);
                return connect(broker, arrival, unseen, Found { user, conditions, owns: None }).await;
            }
            None => Some(trusted),
        },
        None => None,
    };
    // As it is now: the road may have been closed a moment ago.
    let settings = key::tenant(tenant).get(&*broker.platform.store).await?;
    let settings = settings.ok_or(LoginError::ConnectionUnavailable)?.value;
    let id = new_id(&*broker.platform.random);
    match settings.provisioning.mode {
        Mode::JustInTime => {
            let access = Access::default();
            let newcomer = Newcomer { id, source: Source::Login, access, address, also: Vec::new() };
            create(broker, arrival, unseen, newcomer).await
        }
        Mode::Scim => {
            let kind = AuditKind::UnknownPersonRefused { reason: WhyUnknown::NotPushed };
            arrival.refuse(broker, kind, None, LoginError::NotProvisioned).await
        }
        Mode::InviteOnly => match invited::accept(broker, arrival, &id).await? {
            Ok(Accepted { access, writes }) => {
                let newcomer = Newcomer { id, source: Source::Invitation, access, address, also: writes };
                create(broker, arrival, unseen, newcomer).await
            }
            Err(reason) => {
                let kind = AuditKind::UnknownPersonRefused { reason };
                arrival.refuse(broker, kind, None, LoginError::NotInvited).await
            }
        },
    }
}

/// Gives an identity to a person who is there. In one commit with what makes it theirs.
async fn connect(broker: &Broker, arrival: Arrival<'_>, unseen: Expect, found: Found) -> Result<User, Error> {
    let Found { user: found, conditions: mut writes, owns } = found;
    let mut user = found.value.clone();
    if !user.active {
        return known::refuse_inactive(broker, arrival, &user).await;
    }
    known::learn(&mut user, arrival);
    if arrival.reevaluate(broker, &mut user).await? == Standing::NoRole {
        return arrival.refuse_without_role(broker, Some(&user.id)).await;
    }
    user.updated_at = broker.platform.clock.now();
    if let Some(address) = owns {
        writes.extend(own(&mut user, arrival.tenant, address)?);
    }
    writes.push(identify(arrival, &mut user, unseen)?);
    writes.extend(person::update(arrival.tenant, &found, &user)?);
    writes.push(arrival.owe(broker, AuditKind::IdentityLinked, Some(&user.id))?);
    writes.extend(known::overage(broker, arrival, &user)?);
    import::commit(broker, arrival, &user, writes).await?;
    Ok(user)
}

async fn create(broker: &Broker, arrival: Arrival<'_>, unseen: Expect, newcomer: Newcomer) -> Result<User, Error> {
    let Arrival { tenant, connection, identity, .. } = arrival;
    let Newcomer { id, source, access, address, also: mut writes } = newcomer;
    let now = broker.platform.clock.now();
    let mut user = User {
        id,
        active: true,
        profile: identity.profile.clone(),
        groups: identity.groups.clone(),
        groups_from: Some(connection.to_owned()),
        linked_email: None,
        source,
        provisioned_by: None,
        attributes: Map::new(),
        identities: Vec::new(),
        member_of: BTreeMap::new(),
        mapped_attributes: identity.attributes.clone(),
        access,
        created_at: now,
        updated_at: now,
    };
    if arrival.reevaluate(broker, &mut user).await? == Standing::NoRole {
        return arrival.refuse_without_role(broker, None).await;
    }
    profile::into_attributes(&mut user);
    profile::name(broker, tenant, &mut user).await?;
    if let Some(address) = address {
        writes.extend(own(&mut user, arrival.tenant, address)?);
    }
    writes.push(identify(arrival, &mut user, unseen)?);
    writes.extend(person::create(tenant, &user)?);
    writes.push(arrival.owe(broker, AuditKind::UserCreated, Some(&user.id))?);
    writes.extend(known::overage(broker, arrival, &user)?);
    import::commit(broker, arrival, &user, writes).await?;
    Ok(user)
}

/// Makes an address that is nobody's this person's.
pub(super) fn own(user: &mut User, tenant: &str, trusted: Trusted) -> Result<[Write; 2], Error> {
    let owner = EmailOwner { user: user.id.clone() };
    let owns = key::email_owner(tenant, &trusted.address).put(&owner, trusted.as_read())?;
    user.linked_email = Some(trusted.address);
    Ok([owns, trusted.domain_is_owned])
}

/// Gives a person the identity; to be part of the commit that writes them.
fn identify(arrival: Arrival<'_>, user: &mut User, unseen: Expect) -> Result<Write, Error> {
    let connection = arrival.connection.to_owned();
    let (issuer, subject) = (arrival.identity.issuer.clone(), arrival.identity.subject.clone());
    let record = key::identity(arrival.tenant, &connection, &issuer, &subject);
    let link = IdentityLink { user: user.id.clone(), issuer: issuer.clone(), subject: subject.clone() };
    user.identities.push(IdentityName { connection, issuer, subject });
    Ok(record.put(&link, unseen)?)
}
