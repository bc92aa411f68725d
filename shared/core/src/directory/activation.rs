//! Switching people on and off.

use super::TRIES;
use crate::Broker;
use crate::admin::change::Change;
use crate::error::Error;
use crate::model::effect::{AuditEvent, AuditKind, Effect};
use crate::model::user::User;
use crate::outbox;
use crate::store::{StoreError, key};

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
