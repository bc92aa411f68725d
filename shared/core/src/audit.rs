//! Writing down what happens. An event is owed by the commit that does it, so that no crash comes between the two.

pub(crate) mod difference;

use crate::Broker;
use crate::error::Error;
use crate::model::audit::{AuditEvent, AuditKind};
use crate::model::effect::Effect;
use crate::origin;
use crate::outbox;
use crate::store::{Partition, Write};

/// Something that happens now, in this request.
pub(crate) fn event(broker: &Broker, kind: AuditKind) -> AuditEvent {
    let time = broker.platform.clock.now();
    AuditEvent { time, kind, user: None, connection: None, client: None, session: None, origin: origin::current() }
}

/// The write that owes an event to a tenant's log; to be part of the commit that does what happened.
pub(crate) fn owe(broker: &Broker, partition: Partition, tenant: &str, event: AuditEvent) -> Result<Write, Error> {
    Ok(outbox::owe(broker, partition, &Effect::Audit { tenant: tenant.to_owned(), event })?.write)
}
