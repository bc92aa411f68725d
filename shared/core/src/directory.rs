//! The people of a tenant: found by identity at a login, created at their first, switched on and off.

use vestibule_protocol::oidc::groups::Groups;

use crate::Broker;
use crate::error::{Error, LoginError};
use crate::handle::new_id;
use crate::login::state::LoginState;
use crate::login::upstream::oidc::Identity;
use crate::model::effect::{AuditEvent, AuditKind, Effect};
use crate::model::user::{IdentityLink, User};
use crate::outbox;
use crate::store::record::Stored;
use crate::store::{Expect, StoreError, Write, key};

/// How often a commit that lost a race is tried anew.
const TRIES: usize = 5;

/// The person behind an identity, with what the provider says of them now. Identity is (connection, issuer, subject);
/// an e-mail address links nobody. Created if they were never seen; refused if inactive.
pub(crate) async fn admit(broker: &Broker, login: &LoginState, identity: &Identity) -> Result<User, Error> {
    for _ in 0..TRIES {
        let attempt = match find(broker, login, identity).await? {
            Some(found) => refresh(broker, login, identity, found).await,
            None => create(broker, login, identity).await,
        };
        match attempt {
            // Two first logins at once, or two that bring news: whoever lost looks again.
            Err(Error::Internal(crate::error::Internal::Store(StoreError::Conflict))) => {}
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

async fn refresh(broker: &Broker, login: &LoginState, identity: &Identity, found: Stored<User>) -> Result<User, Error> {
    let mut user = found.value;
    if !user.active {
        let event = event(broker, login, AuditKind::SignInRefused, &user.id);
        let partition = key::directory(&login.tenant);
        let owed = outbox::owe(broker, partition.clone(), &Effect::Audit { tenant: login.tenant.clone(), event })?;
        broker.platform.store.commit(&partition, vec![owed.write]).await?;
        return Err(LoginError::Inactive.into());
    }
    if user.profile != identity.profile || user.groups != identity.groups {
        let news = user.groups != identity.groups;
        user.profile = identity.profile.clone();
        user.groups = identity.groups.clone();
        user.updated_at = broker.platform.clock.now();
        let record = key::user(&login.tenant, &user.id);
        let mut writes = vec![record.put(&user, Expect::Version(found.version))?];
        if news {
            writes.extend(overage(broker, login, &user)?);
        }
        broker.platform.store.commit(record.partition(), writes).await?;
    }
    Ok(user)
}

/// The event that a person's groups are too many to know, where they are.
fn overage(broker: &Broker, login: &LoginState, user: &User) -> Result<Option<Write>, Error> {
    if user.groups != Groups::Overage {
        return Ok(None);
    }
    let event = event(broker, login, AuditKind::GroupsOverage, &user.id);
    let effect = Effect::Audit { tenant: login.tenant.clone(), event };
    Ok(Some(outbox::owe(broker, key::directory(&login.tenant), &effect)?.write))
}

async fn create(broker: &Broker, login: &LoginState, identity: &Identity) -> Result<User, Error> {
    let now = broker.platform.clock.now();
    let id = new_id(&*broker.platform.random);
    let user = User {
        id,
        active: true,
        profile: identity.profile.clone(),
        groups: identity.groups.clone(),
        created_at: now,
        updated_at: now,
    };
    let link =
        IdentityLink { user: user.id.clone(), issuer: identity.issuer.clone(), subject: identity.subject.clone() };
    let partition = key::directory(&login.tenant);
    let event = event(broker, login, AuditKind::UserCreated, &user.id);
    let mut writes = vec![
        key::user(&login.tenant, &user.id).put(&user, Expect::Absent)?,
        key::identity(&login.tenant, &login.connection, &identity.issuer, &identity.subject)
            .put(&link, Expect::Absent)?,
        outbox::owe(broker, partition.clone(), &Effect::Audit { tenant: login.tenant.clone(), event })?.write,
    ];
    writes.extend(overage(broker, login, &user)?);
    broker.platform.store.commit(&partition, writes).await?;
    Ok(user)
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
pub(crate) async fn set_active(broker: &Broker, tenant: &str, user: &str, active: bool) -> Result<Option<User>, Error> {
    let record = key::user(tenant, user);
    for _ in 0..TRIES {
        let Some(found) = record.get(&*broker.platform.store).await? else { return Ok(None) };
        let mut changed = found.value;
        if changed.active == active {
            return Ok(Some(changed));
        }
        let now = broker.platform.clock.now();
        changed.active = active;
        changed.updated_at = now;
        let kind = if active { AuditKind::UserActivated } else { AuditKind::UserDeactivated };
        let event =
            AuditEvent { time: now, kind, user: Some(user.to_owned()), connection: None, client: None, session: None };
        let align = Effect::AlignGate { tenant: tenant.to_owned(), user: user.to_owned() };
        let align = outbox::owe(broker, record.partition().clone(), &align)?;
        let audit = Effect::Audit { tenant: tenant.to_owned(), event };
        let audit = outbox::owe(broker, record.partition().clone(), &audit)?;
        let write = record.put(&changed, Expect::Version(found.version))?;
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
