//! Operations on the members of a group. Nobody reads the ten thousand who are in it for that.

use serde_json::Value;

use super::Action;
use super::apply::Draft;
use super::target::{Selection, Target, invalid_path};
use crate::scim::condition::ElementCondition;
use crate::scim::member::{self, Member};
use crate::scim::note::Forgiven;
use crate::scim::{Error, ScimType};

impl Draft<'_> {
    pub(super) fn on_members(&mut self, action: Action, target: &Target<'_>, sent: &Value) -> Result<(), Error> {
        if target.place.sub.is_some() {
            let detail = "members can be added and removed, but their parts can't be changed";
            return Err(Error::new(ScimType::Mutability, detail));
        }
        let attribute = target.place.attribute;
        match (action, &target.selection) {
            (Action::Remove, None) if sent.is_null() => self.members.clear(),
            (Action::Remove, None) => {
                let members = member::parse(attribute, sent, &mut self.notes)?;
                if members.is_empty() {
                    self.notes.add(&attribute.name, Forgiven::NothingRemoved);
                }
                for member in members {
                    self.members.remove(&member.id);
                }
            }
            (Action::Remove, Some(selection)) => {
                for id in ids(selection)? {
                    self.members.remove(&id);
                }
            }
            (Action::Replace, None) => {
                let members = member::parse(attribute, sent, &mut self.notes)?;
                self.members.clear();
                for member in members {
                    self.members.add(member);
                }
            }
            (Action::Add, None) => {
                let members = member::parse(attribute, sent, &mut self.notes)?;
                for member in members {
                    self.members.add(member);
                }
            }
            (Action::Add, Some(selection)) => {
                self.notes.add(&attribute.name, Forgiven::Created);
                for id in ids(selection)? {
                    self.members.add(Member { id, kind: None });
                }
            }
            (Action::Replace, Some(_)) => {
                let detail = "a member can't become another: remove it and add the other";
                return Err(Error::new(ScimType::Mutability, detail));
            }
        }
        Ok(())
    }
}

/// The ids that a filter names: `value eq "a"`, or several joined by `or`. Anything else would need the whole group.
fn ids(selection: &Selection<'_>) -> Result<Vec<String>, Error> {
    named(&selection.condition)
        .ok_or_else(|| invalid_path("members are chosen by members[value eq \"id\"], several joined by or"))
}

fn named(condition: &ElementCondition<'_>) -> Option<Vec<String>> {
    match condition {
        ElementCondition::Any(conditions) => conditions.iter().try_fold(Vec::new(), |mut ids, condition| {
            ids.extend(named(condition)?);
            Some(ids)
        }),
        ElementCondition::Compare(..) => condition.must_equal("value").map(|id| vec![id.to_owned()]),
        ElementCondition::All(_) | ElementCondition::Not(_) | ElementCondition::Present(_) => None,
    }
}
