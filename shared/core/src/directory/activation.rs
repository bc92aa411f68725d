//! Switching people on and off. Whoever may not be signed in any more is out everywhere: the commit that makes the person
//! inactive owes the end of everything that they have, and the one event that says why.

use super::{TRIES, person};
use crate::Broker;
use crate::admin::change::Change;
use crate::audit;
use crate::error::Error;
use crate::model::audit::{Administrator, AuditKind, Cause};
use crate::model::effect::Effect;
use crate::model::user::User;
use crate::outbox::{self, Owed};
use crate::sessions;
use crate::store::record::Stored;
use crate::store::{StoreError, Write, key};

/// Why somebody is decommissioned, for the audit log.
#[derive(Clone, Default)]
pub(crate) struct Because {
    pub(crate) cause: Cause,
    pub(crate) administrator: Option<Administrator>,
    /// Whose identity provider, or directory, said so.
    pub(crate) connection: Option<String>,
}

/// What the commit owes that switches somebody on or off.
pub(crate) struct Switch {
    gate: Owed,
    event: Option<Write>,
}

impl Switch {
    /// Off: the gate closes, every session ends.
    pub(crate) fn off(broker: &Broker, tenant: &str, user: &str, because: Because) -> Result<Self, Error> {
        let Because { cause, administrator, connection } = because;
        let kind = AuditKind::UserDeactivated { cause, administrator };
        Self::owe(broker, tenant, user, Some((kind, connection)))
    }

    /// On: the gate opens. Who did it is for an event to say, this one or one that the commit has anyway.
    pub(crate) fn on(broker: &Broker, tenant: &str, user: &str, kind: Option<AuditKind>) -> Result<Self, Error> {
        Self::owe(broker, tenant, user, kind.map(|kind| (kind, None)))
    }

    fn owe(
        broker: &Broker,
        tenant: &str,
        user: &str,
        kind: Option<(AuditKind, Option<String>)>,
    ) -> Result<Self, Error> {
        let align = Effect::AlignGate { tenant: tenant.to_owned(), user: user.to_owned() };
        let event = kind.map(|(kind, connection)| {
            let event = audit::event(broker, kind).about(user).through(connection.as_deref());
            audit::owe(broker, key::directory(tenant), tenant, event)
        });
        Ok(Self { gate: outbox::owe(broker, key::directory(tenant), &align)?, event: event.transpose()? })
    }

    /// To be part of the commit in the tenant's directory.
    pub(crate) fn writes(&self) -> impl Iterator<Item = Write> {
        std::iter::once(self.gate.write.clone()).chain(self.event.clone())
    }

    /// After that commit. Nobody is told that it happened before this returns.
    pub(crate) async fn settle(&self, broker: &Broker) -> Result<(), Error> {
        outbox::settle(broker, &self.gate).await
    }
}

/// Switches a person on or off for an administrator. `None` when there is no such person.
pub(crate) async fn set_active(
    broker: &Broker,
    change: &Change,
    tenant: &str,
    user: &str,
    active: bool,
) -> Result<Option<User>, Error> {
    let administrator = Some(change.by.administrator.clone());
    let check = |found: &Stored<User>| change.expect(broker, Some(found)).map(drop);
    if !active {
        return decommission(broker, tenant, user, &Because { administrator, ..Because::default() }, check).await;
    }
    for _ in 0..TRIES {
        let Some(found) = key::user(tenant, user).get(&*broker.platform.store).await? else { return Ok(None) };
        check(&found)?;
        if found.value.active {
            return Ok(Some(found.value));
        }
        let kind = AuditKind::UserActivated { administrator: administrator.clone() };
        let switch = Switch::on(broker, tenant, user, Some(kind))?;
        if let Some(switched) = commit(broker, tenant, &found, switch).await? {
            return Ok(Some(switched));
        }
    }
    Err(keeps_changing())
}

/// Decommissions a person whom `check` does not object to, whatever else happens to them meanwhile; every session of
/// theirs has ended when this returns. Whoever is inactive stays so, and their gate is closed. `None` when there is no
/// such person.
pub(crate) async fn decommission(
    broker: &Broker,
    tenant: &str,
    user: &str,
    because: &Because,
    check: impl Fn(&Stored<User>) -> Result<(), Error> + Send,
) -> Result<Option<User>, Error> {
    for _ in 0..TRIES {
        let Some(found) = key::user(tenant, user).get(&*broker.platform.store).await? else { return Ok(None) };
        check(&found)?;
        if !found.value.active {
            // Perhaps whoever switched them off died before their sessions were ended.
            sessions::align_gate(broker, tenant, user).await?;
            return Ok(Some(found.value));
        }
        let switch = Switch::off(broker, tenant, user, because.clone())?;
        if let Some(switched) = commit(broker, tenant, &found, switch).await? {
            return Ok(Some(switched));
        }
    }
    Err(keeps_changing())
}

fn keeps_changing() -> Error {
    StoreError::Busy("the person's record keeps changing".to_owned()).into()
}

/// Switches a person as they were read to the other state. `None` when they are not as they were read.
async fn commit(broker: &Broker, tenant: &str, found: &Stored<User>, switch: Switch) -> Result<Option<User>, Error> {
    let mut switched = found.value.clone();
    switched.active = !switched.active;
    switched.updated_at = broker.platform.clock.now();
    let mut writes = person::update(tenant, found, &switched)?;
    writes.extend(switch.writes());
    match broker.platform.store.commit(&key::directory(tenant), writes).await {
        Ok(_) => {
            switch.settle(broker).await?;
            Ok(Some(switched))
        }
        Err(StoreError::Conflict) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
