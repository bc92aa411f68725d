//! Removing a person: their record, all that leads to them, their memberships, their sessions.

use super::person;
use crate::Broker;
use crate::error::Error;
use crate::model::effect::Effect;
use crate::model::user::User;
use crate::outbox;
use crate::store::record::Stored;
use crate::store::{Write, key};

/// Removes a person as they were read, and ends every session of theirs before this returns; their gate stays closed.
/// They are in no group any more then, either. `audit` says who did it. A conflict when they are not as they were read.
pub(crate) async fn remove(broker: &Broker, tenant: &str, found: &Stored<User>, audit: Write) -> Result<(), Error> {
    let partition = key::directory(tenant);
    let (tenant_id, user) = (tenant.to_owned(), found.value.id.clone());
    let align = Effect::AlignGate { tenant: tenant_id.clone(), user: user.clone() };
    let mut owed = vec![outbox::owe(broker, partition.clone(), &align)?];
    let groups: Vec<String> = found.value.member_of.keys().cloned().collect();
    if !groups.is_empty() {
        let depart = Effect::Depart { tenant: tenant_id, user, groups };
        owed.push(outbox::owe(broker, partition.clone(), &depart)?);
    }
    let mut writes = person::remove(tenant, found)?;
    writes.push(audit);
    writes.extend(owed.iter().map(|owed| owed.write.clone()));
    broker.platform.store.commit(&partition, writes).await?;
    for owed in &owed {
        outbox::settle(broker, owed).await?;
    }
    Ok(())
}
