//! The commits of a change of a group: members first, as many commits as they need, and with the last of them the
//! group's own record.

use serde_json::{Map, Value};
use vestibule_protocol::scim;
use vestibule_protocol::scim::ScimType;
use vestibule_protocol::scim::note::Note;

use super::{check_source, none_such};
use crate::audit::difference::differences;
use crate::directory::group;
use crate::error::Error;
use crate::model::audit::ChangeKind;
use crate::model::effect::Effect;
use crate::model::group::{Group, Touch};
use crate::outbox;
use crate::scim::Call;
use crate::scim::audit::{self, Done};
use crate::scim::members::{Move, Moving};
use crate::store::record::Stored;
use crate::store::{Expect, Write, key};

/// A group as it was read.
pub(super) struct Loaded {
    pub(super) group: Stored<Group>,
    /// The state of its members, where that was asked for.
    pub(super) touch: Option<Stored<Touch>>,
    /// Whether it was.
    is_touch_read: bool,
}

impl Loaded {
    pub(super) async fn read(call: &Call<'_>, id: &str, with_touch: bool) -> Result<Self, Error> {
        let found = key::group(call.tenant(), id).get(&*call.broker.platform.store).await?;
        let found = Self { group: found.ok_or_else(none_such)?, touch: None, is_touch_read: false };
        if with_touch { found.with_touch(call).await } else { Ok(found) }
    }

    /// The same, with the state of its members.
    pub(super) async fn with_touch(self, call: &Call<'_>) -> Result<Self, Error> {
        if self.is_touch_read {
            return Ok(self);
        }
        let touch = key::group_touch(call.tenant(), &self.group.value.id).get(&*call.broker.platform.store).await?;
        Ok(Self { touch, is_touch_read: true, ..self })
    }

    /// That nobody came or went since, if that was asked for.
    pub(super) fn touch_stands(&self) -> Expect {
        match (&self.touch, self.is_touch_read) {
            (_, false) => Expect::Any,
            (Some(touch), true) => Expect::Version(touch.version.clone()),
            (None, true) => Expect::Absent,
        }
    }
}

/// A change of a group that is there.
pub(super) struct Change<'a> {
    pub(super) found: &'a Loaded,
    pub(super) after: Group,
    pub(super) moves: &'a [Move],
    pub(super) sent: &'a Value,
    pub(super) notes: Vec<Note>,
}

impl Change<'_> {
    /// Commits it. `has_begun` says afterwards whether anything was: who then has to begin anew does not hold the
    /// request's condition against its own work.
    pub(super) async fn write(&self, call: &Call<'_>, has_begun: &mut bool) -> Result<(), Error> {
        let (broker, tenant) = (call.broker, call.tenant());
        let before = &self.found.group;
        check_source(&before.value)?;
        let moving = Moving { broker, tenant, group: &before.value, sent: self.sent };
        moving.check(self.moves).await?;
        let mut rest = self.moves;
        let mut touch = self.found.touch_stands();
        loop {
            let step = moving.step(rest).await?;
            rest = rest.get(step.taken..).unwrap_or_default();
            let is_changed = rest.is_empty() && self.after.attributes != before.value.attributes;
            let mut writes = step.writes;
            if !writes.is_empty() {
                writes.push(group::touch(broker, tenant, &before.value.id, touch)?);
                touch = Expect::Any;
            }
            if is_changed {
                let after = Group { updated_at: broker.platform.clock.now(), ..self.after.clone() };
                writes.extend(group::update(tenant, before, &after)?);
            } else if !writes.is_empty() {
                // Its name is with everybody who joins: it must still be that.
                let stands = Expect::Version(before.version.clone());
                writes.push(key::group(tenant, &before.value.id).check(stands));
            }
            let is_renamed = is_changed && self.after.display_name() != before.value.display_name();
            let done = self.done(is_changed, rest.is_empty(), step.people);
            let regroup = if is_renamed { Some(self.regroup(call)?) } else { None };
            if !writes.is_empty() {
                writes.push(audit::owe(broker, tenant, call.caller.client(), done)?);
                writes.extend(regroup.iter().map(|regroup| regroup.write.clone()));
                broker.platform.store.commit(&key::directory(tenant), writes).await?;
                *has_begun = true;
            }
            if let Some(regroup) = regroup {
                outbox::settle(broker, &regroup).await?;
            }
            if rest.is_empty() {
                return Ok(());
            }
        }
    }

    fn done(&self, is_changed: bool, is_last: bool, people: Vec<crate::model::provisioned::PersonChange>) -> Done {
        let before = &self.found.group.value;
        let attributes = if is_changed { differences(&before.attributes, &self.after.attributes) } else { Vec::new() };
        let notes = if is_last { self.notes.clone() } else { Vec::new() };
        Done { object: format!("/Groups/{}", before.id), change: ChangeKind::Replaced, attributes, people, notes }
    }

    /// What a new name owes to those who are in the group.
    fn regroup(&self, call: &Call<'_>) -> Result<outbox::Owed, Error> {
        let (tenant, group) = (call.tenant().to_owned(), self.found.group.value.id.clone());
        let effect = Effect::Regroup { tenant, group, by: call.caller.client(), after: None };
        outbox::owe(call.broker, key::directory(call.tenant()), &effect)
    }
}

/// Creates a group with its first members, then brings in the others.
pub(super) async fn create(
    call: &Call<'_>,
    group: &Group,
    moves: &[Move],
    sent: &Value,
    notes: &[Note],
) -> Result<(), Error> {
    let (broker, tenant) = (call.broker, call.tenant());
    let moving = Moving { broker, tenant, group, sent };
    moving.check(moves).await?;
    let step = moving.step(moves).await?;
    let mut writes: Vec<Write> = group::create(tenant, group)?;
    writes.extend(step.writes);
    writes.push(group::touch(broker, tenant, &group.id, Expect::Any)?);
    let done = Done {
        object: format!("/Groups/{}", group.id),
        change: ChangeKind::Created,
        attributes: differences(&Map::new(), &group.attributes),
        people: step.people,
        notes: notes.to_vec(),
    };
    writes.push(audit::owe(broker, tenant, call.caller.client(), done)?);
    broker.platform.store.commit(&key::directory(tenant), writes).await?;
    let rest = moves.get(step.taken..).unwrap_or_default();
    if rest.is_empty() {
        return Ok(());
    }
    for _ in 0..crate::scim::TRIES {
        let found = Loaded::read(call, &group.id, false).await?;
        let after = found.group.value.clone();
        let change = Change { found: &found, after, moves: rest, sent, notes: Vec::new() };
        match change.write(call, &mut true).await {
            Err(Error::Internal(crate::error::Internal::Store(crate::store::StoreError::Conflict))) => {}
            done => return done,
        }
    }
    Err(crate::scim::keeps_changing())
}

/// 409 where another group has the name that only one can have.
pub(super) async fn check_name(call: &Call<'_>, group: &Group) -> Result<(), Error> {
    if group::is_taken(call.broker, call.tenant(), group).await? {
        let detail = "another group has this externalId";
        return Err(scim::Error::new(ScimType::Uniqueness, detail).into());
    }
    Ok(())
}
