//! The people of a tenant: found by identity at a login, created at their first, switched on and off.

pub(crate) mod group;
mod link;
pub(crate) mod person;
pub(crate) mod profile;
pub(crate) mod tally;

use std::collections::BTreeMap;

use serde_json::Map;
use vestibule_protocol::oidc::groups::Groups;

use self::link::Trusted;
use crate::Broker;
use crate::admin::change::Change;
use crate::error::{Error, Internal, LoginError};
use crate::handle::new_id;
use crate::login::state::LoginState;
use crate::login::upstream::oidc::Identity;
use crate::model::access::Access;
use crate::model::effect::{AuditEvent, AuditKind, Effect};
use crate::model::sign_in::SignIn;
use crate::model::user::{EmailOwner, IdentityLink, IdentityName, Source, User};
use crate::outbox;
use crate::store::record::Stored;
use crate::store::{Expect, StoreError, Write, key};

/// How often a commit that lost a race is tried anew.
const TRIES: usize = 5;

/// Who came, in which login, through a connection that is offered how.
struct Arrival<'a> {
    login: &'a LoginState,
    sign_in: &'a SignIn,
    identity: &'a Identity,
}

/// The person behind an identity, with what the provider says of them now. Identity is (connection, issuer, subject);
/// an address links under the rules of [`link`] only. Created if they were never seen; refused if inactive.
pub(crate) async fn admit(
    broker: &Broker,
    login: &LoginState,
    sign_in: &SignIn,
    identity: &Identity,
) -> Result<User, Error> {
    if !link::may_use(sign_in, &identity.profile) {
        return Err(LoginError::OtherDomain.into());
    }
    let address = link::address(sign_in, &identity.profile);
    for _ in 0..TRIES {
        let attempt = match find(broker, login, identity).await? {
            Some(found) => refresh(broker, Arrival { login, sign_in, identity }, found, address.clone()).await,
            None => join(broker, login, identity, address.clone()).await,
        };
        match attempt {
            // Two first logins at once, or two that bring news: whoever lost looks again.
            Err(Error::Internal(Internal::Store(StoreError::Conflict))) => {}
            done => return done,
        }
    }
    Err(StoreError::Busy("the person's record keeps changing".to_owned()).into())
}

async fn find(broker: &Broker, login: &LoginState, identity: &Identity) -> Result<Option<Stored<User>>, Error> {
    let store = &*broker.platform.store;
    let link = key::identity(&login.tenant, &login.connection, &identity.issuer, &identity.subject);
    let Some(link) = link.get(store).await? else { return Ok(None) };
    let user = key::user(&login.tenant, &link.value.user).get(store).await?;
    user.map(Some).ok_or(Error::bug("an identity points to nobody"))
}

/// Somebody who comes again. `address` is theirs, as far as it may link at all.
async fn refresh(
    broker: &Broker,
    Arrival { login, sign_in, identity }: Arrival<'_>,
    found: Stored<User>,
    address: Option<String>,
) -> Result<User, Error> {
    let mut user = found.value.clone();
    if !user.active {
        return refuse(broker, login, &user.id).await;
    }
    let news = user.groups != identity.groups;
    let mut writes = Vec::new();
    if sign_in.link_by_email && user.linked_email != address {
        // Whose address it is not any more must not be linked by it: it may become somebody else's.
        if let Some(old) = user.linked_email.take() {
            writes.push(key::email_owner(&login.tenant, &old).delete(Expect::Any));
        }
        if let Some(address) = address
            && let Some(trusted) = link::trusted(broker, &login.tenant, address).await?
            && trusted.owner.is_none()
        {
            writes.extend(own(&mut user, login, trusted)?);
        }
    }
    learn(&mut user, identity);
    if user != found.value {
        user.updated_at = broker.platform.clock.now();
        writes.extend(person::update(&login.tenant, &found, &user)?);
        if news {
            writes.extend(overage(broker, login, &user)?);
        }
        broker.platform.store.commit(&key::directory(&login.tenant), writes).await?;
    }
    Ok(user)
}

/// Takes over what a provider says of somebody. Who somebody is whom a directory pushed, the directory says; that an
/// address of theirs is verified, the provider.
fn learn(user: &mut User, identity: &Identity) {
    user.groups = identity.groups.clone();
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
fn overage(broker: &Broker, login: &LoginState, user: &User) -> Result<Option<Write>, Error> {
    if user.groups != Groups::Overage {
        return Ok(None);
    }
    owe(broker, login, AuditKind::GroupsOverage, &user.id).map(Some)
}

/// An identity that was never seen: somebody whose address it has, or somebody new.
async fn join(
    broker: &Broker,
    login: &LoginState,
    identity: &Identity,
    address: Option<String>,
) -> Result<User, Error> {
    let trusted = match address {
        Some(address) => link::trusted(broker, &login.tenant, address).await?,
        None => None,
    };
    match trusted {
        Some(Trusted { address, domain_is_owned, owner: Some(owner) }) => {
            let still_theirs = key::email_owner(&login.tenant, &address).check(Expect::Version(owner.version));
            let conditions = vec![domain_is_owned, still_theirs];
            connect(broker, login, identity, &owner.value.user, conditions).await
        }
        free => create(broker, login, identity, free).await,
    }
}

/// Gives an identity to a person who is there. In one commit with what makes the address theirs.
async fn connect(
    broker: &Broker,
    login: &LoginState,
    identity: &Identity,
    owner: &str,
    conditions: Vec<Write>,
) -> Result<User, Error> {
    let record = key::user(&login.tenant, owner);
    let found = record.get(&*broker.platform.store).await?.ok_or(Error::bug("an address points to nobody"))?;
    let mut user = found.value.clone();
    if !user.active {
        return refuse(broker, login, &user.id).await;
    }
    learn(&mut user, identity);
    user.updated_at = broker.platform.clock.now();
    let mut writes = conditions;
    writes.push(identify(login, identity, &mut user)?);
    writes.extend(person::update(&login.tenant, &found, &user)?);
    writes.push(owe(broker, login, AuditKind::IdentityLinked, &user.id)?);
    writes.extend(overage(broker, login, &user)?);
    broker.platform.store.commit(record.partition(), writes).await?;
    Ok(user)
}

async fn create(
    broker: &Broker,
    login: &LoginState,
    identity: &Identity,
    address: Option<Trusted>,
) -> Result<User, Error> {
    let now = broker.platform.clock.now();
    let mut user = User {
        id: new_id(&*broker.platform.random),
        active: true,
        profile: identity.profile.clone(),
        groups: identity.groups.clone(),
        linked_email: None,
        source: Source::Login,
        attributes: Map::new(),
        identities: Vec::new(),
        member_of: BTreeMap::new(),
        access: Access::default(),
        created_at: now,
        updated_at: now,
    };
    profile::into_attributes(&mut user);
    profile::name(broker, &login.tenant, &mut user).await?;
    let mut writes = match address {
        Some(trusted) => own(&mut user, login, trusted)?.into(),
        None => Vec::new(),
    };
    writes.push(identify(login, identity, &mut user)?);
    writes.extend(person::create(broker, &login.tenant, &user).await?);
    writes.push(owe(broker, login, AuditKind::UserCreated, &user.id)?);
    writes.extend(overage(broker, login, &user)?);
    broker.platform.store.commit(&key::directory(&login.tenant), writes).await?;
    Ok(user)
}

/// Makes an address that is nobody's this person's.
fn own(user: &mut User, login: &LoginState, trusted: Trusted) -> Result<[Write; 2], Error> {
    let owner = EmailOwner { user: user.id.clone() };
    let owns = key::email_owner(&login.tenant, &trusted.address).put(&owner, Expect::Absent)?;
    user.linked_email = Some(trusted.address);
    Ok([owns, trusted.domain_is_owned])
}

/// Gives a person an identity; to be part of the commit that writes them.
fn identify(login: &LoginState, identity: &Identity, user: &mut User) -> Result<Write, Error> {
    let Identity { issuer, subject, .. } = identity;
    let link = IdentityLink { user: user.id.clone(), issuer: issuer.clone(), subject: subject.clone() };
    user.identities.push(IdentityName {
        connection: login.connection.clone(),
        issuer: issuer.clone(),
        subject: subject.clone(),
    });
    let record = key::identity(&login.tenant, &login.connection, &identity.issuer, &identity.subject);
    Ok(record.put(&link, Expect::Absent)?)
}

async fn refuse(broker: &Broker, login: &LoginState, user: &str) -> Result<User, Error> {
    let owed = owe(broker, login, AuditKind::SignInRefused, user)?;
    broker.platform.store.commit(&key::directory(&login.tenant), vec![owed]).await?;
    Err(LoginError::Inactive.into())
}

fn owe(broker: &Broker, login: &LoginState, kind: AuditKind, user: &str) -> Result<Write, Error> {
    let audit = Effect::Audit { tenant: login.tenant.clone(), event: event(broker, login, kind, user) };
    Ok(outbox::owe(broker, key::directory(&login.tenant), &audit)?.write)
}

fn event(broker: &Broker, login: &LoginState, kind: AuditKind, user: &str) -> AuditEvent {
    AuditEvent {
        time: broker.platform.clock.now(),
        kind,
        user: Some(user.to_owned()),
        connection: Some(login.connection.clone()),
        client: Some(login.client.clone()),
        session: None,
    }
}

/// Switches a person on or off. Off ends every session of theirs: the commit owes it, and it is done before this
/// returns. `None` when there is no such person.
pub(crate) async fn set_active(
    broker: &Broker,
    change: &Change,
    tenant: &str,
    user: &str,
    active: bool,
) -> Result<Option<User>, Error> {
    let record = key::user(tenant, user);
    for _ in 0..TRIES {
        let Some(found) = record.get(&*broker.platform.store).await? else { return Ok(None) };
        let (_, expect) = change.expect(broker, Some(&found))?;
        let mut changed = found.value;
        if changed.active == active {
            return Ok(Some(changed));
        }
        let now = broker.platform.clock.now();
        changed.active = active;
        changed.updated_at = now;
        let administrator = Some(change.by.administrator.clone());
        let kind = if active {
            AuditKind::UserActivated { administrator }
        } else {
            AuditKind::UserDeactivated { administrator }
        };
        let event =
            AuditEvent { time: now, kind, user: Some(user.to_owned()), connection: None, client: None, session: None };
        let align = Effect::AlignGate { tenant: tenant.to_owned(), user: user.to_owned() };
        let align = outbox::owe(broker, record.partition().clone(), &align)?;
        let audit = Effect::Audit { tenant: tenant.to_owned(), event };
        let audit = outbox::owe(broker, record.partition().clone(), &audit)?;
        let write = record.put(&changed, expect)?;
        match broker.platform.store.commit(record.partition(), vec![write, align.write.clone(), audit.write]).await {
            Ok(()) => {
                outbox::settle(broker, &align).await?;
                return Ok(Some(changed));
            }
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::Busy("the person's record keeps changing".to_owned()).into())
}
