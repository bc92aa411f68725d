//! The audit event that every commit of a directory owes.

use vestibule_protocol::scim::note::Note;

use super::access::ScimCaller;
use crate::Broker;
use crate::error::Error;
use crate::model::audit::{AuditEvent, AuditKind, ChangeKind};
use crate::model::provisioned::{AttributeChange, Membership, PersonChange, Provisioned, Provisioner, Rights};
use crate::model::user::User;
use crate::store::{Write, key};

/// What a commit did.
pub(super) struct Done {
    pub(super) object: String,
    pub(super) change: ChangeKind,
    pub(super) attributes: Vec<AttributeChange>,
    pub(super) people: Vec<PersonChange>,
    pub(super) notes: Vec<Note>,
}

impl ScimCaller {
    /// Who acts, for the audit log.
    pub(super) fn client(&self) -> Provisioner {
        Provisioner { id: self.id.clone(), name: self.name.clone() }
    }
}

/// The event, to be part of the commit in the tenant's directory that does it.
pub(super) fn owe(broker: &Broker, tenant: &str, by: Provisioner, done: Done) -> Result<Write, Error> {
    let Done { object, change, attributes, people, notes } = done;
    let user = object.strip_prefix("/Users/").map(str::to_owned);
    let kind = AuditKind::Provisioned(Box::new(Provisioned { object, change, by, attributes, people, notes }));
    let event = AuditEvent { user, ..crate::audit::event(broker, kind) };
    crate::audit::owe(broker, key::directory(tenant), tenant, event)
}

/// What a change meant for a person; `None` when it meant nothing.
pub(super) fn person(before: &User, after: &User, membership: Option<Membership>) -> Option<PersonChange> {
    let gained = Rights::missing(&after.access, &before.access);
    let lost = Rights::missing(&before.access, &after.access);
    let is_told = membership.is_some() || !gained.is_empty() || !lost.is_empty();
    is_told.then(|| PersonChange { user: after.id.clone(), membership, gained, lost })
}
