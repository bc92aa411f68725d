//! Members of groups. A group may have ten thousand: members are never part of the group's own record, and a PATCH
//! yields what to add and to remove instead of a new list.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Error;
use super::note::Notes;
use super::schema::{Attribute, Mutability};
use super::value;

/// Somebody in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The id of the user or group.
    pub id: String,
    /// `User` or `Group` as it was sent; what the id really names is for the directory to say.
    pub kind: Option<String>,
}

/// What happens to the members of a group. What was asked last about somebody counts, so the order of the changes does
/// not matter any more and each may be applied again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberChanges {
    clears: bool,
    changes: BTreeMap<String, Option<Member>>,
}

impl MemberChanges {
    /// Whether those who were in the group and are not in [`Self::added`] leave it.
    pub fn clears(&self) -> bool {
        self.clears
    }

    /// Who is in the group afterwards.
    pub fn added(&self) -> impl Iterator<Item = &Member> {
        self.changes.values().flatten()
    }

    /// The ids of those who are not in the group afterwards. None if everybody leaves anyway.
    pub fn removed(&self) -> impl Iterator<Item = &str> {
        self.changes.iter().filter(|(_, member)| member.is_none()).map(|(id, _)| id.as_str())
    }

    /// Whether nothing happens.
    pub fn is_empty(&self) -> bool {
        !self.clears && self.changes.is_empty()
    }

    pub(super) fn add(&mut self, member: Member) {
        self.changes.insert(member.id.clone(), Some(member));
    }

    pub(super) fn remove(&mut self, id: &str) {
        if self.clears {
            self.changes.remove(id);
        } else {
            self.changes.insert(id.to_owned(), None);
        }
    }

    pub(super) fn clear(&mut self) {
        self.clears = true;
        self.changes.clear();
    }
}

/// The members that a request lists, each once.
pub(super) fn parse(attribute: &Attribute, sent: &Value, notes: &mut Notes) -> Result<Vec<Member>, Error> {
    let name = &attribute.name;
    let mut members = BTreeMap::new();
    let sent = match sent {
        Value::Null => &[],
        Value::Array(members) => members.as_slice(),
        only => {
            notes.add(name, super::note::Forgiven::Wrapped);
            std::slice::from_ref(only)
        }
    };
    let is_written = |name: &str| attribute.sub(name).is_none_or(|part| part.mutability != Mutability::ReadOnly);
    let owned = |(name, value): (&String, &Value)| (name.clone(), value.clone());
    for sent in sent {
        // Okta repeats everybody's name; that we know it ourselves is nothing to note.
        let sent = match sent {
            Value::Object(parts) => {
                Value::Object(parts.iter().filter(|(name, _)| is_written(name)).map(owned).collect())
            }
            other => other.clone(),
        };
        // Dropping somebody who is not named well would take rights away without a word.
        let member = value::one(name, attribute, &sent, notes)?;
        let id = member.as_ref().and_then(|member| member.get("value")).and_then(Value::as_str);
        let id = id.ok_or_else(|| Error::invalid_value("every member must have a value, which is an id"))?.to_owned();
        let kind = member.as_ref().and_then(|member| member.get("type")).and_then(Value::as_str).map(str::to_owned);
        members.insert(id.clone(), Member { id, kind });
    }
    Ok(members.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SC-19
    #[test]
    fn what_was_asked_last_counts() {
        let member = |id: &str| Member { id: id.to_owned(), kind: None };
        let mut changes = MemberChanges::default();
        assert!(changes.is_empty());
        changes.add(member("a"));
        changes.remove("a");
        changes.remove("b");
        changes.add(member("b"));
        assert_eq!(changes.added().map(|member| member.id.as_str()).collect::<Vec<_>>(), ["b"]);
        assert_eq!(changes.removed().collect::<Vec<_>>(), ["a"]);
        changes.clear();
        changes.add(member("c"));
        changes.add(member("d"));
        changes.remove("c");
        assert!(changes.clears() && changes.removed().next().is_none());
        assert_eq!(changes.added().map(|member| member.id.as_str()).collect::<Vec<_>>(), ["d"]);
    }
}
