//! What comes with every change: who makes it, the state that the object must be in (RFC 9110 §13.1), and the audit
//! event that the same commit owes.
//!
//! A tag is a keyed fingerprint of the stored record. The condition is looked at on the record as it was read, and the
//! commit rests on the version that was read: between the two nobody else's change is lost.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Put;
use super::caller::Caller;
use crate::Broker;
use crate::audit;
use crate::audit::difference::differences;
use crate::error::{AdminError, Error, Internal};
use crate::model::audit::{AuditKind, ChangeKind};
use crate::model::provisioned::AttributeChange;
use crate::outbox;
use crate::store::record::{RecordKey, Stored};
use crate::store::{Expect, Partition, StoreError, Write};

/// Who changes something, and under which condition.
#[derive(Debug, Clone)]
pub struct Change {
    /// The bearer of the acting token.
    pub by: Caller,
    /// The state that the object must be in.
    pub condition: Condition,
}

/// What `If-Match` and `If-None-Match` ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    /// The object is there, in one of these states.
    pub if_match: Option<Tags>,
    /// The object is not there, or in none of these states.
    pub if_none_match: Option<Tags>,
}

/// A list of entity tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tags {
    /// `*`: any state.
    Any,
    /// These, quotes included, weak ones with their `W/`.
    These(Vec<String>),
}

/// An object as it is shown, with the tag of its state.
#[derive(Debug, Clone)]
pub struct Tagged<T> {
    /// The object.
    pub object: T,
    /// The tag, quotes included.
    pub tag: String,
}

/// What a change does, for the audit log.
pub(crate) struct Done<'a> {
    /// Whose log it goes into.
    pub(crate) tenant: &'a str,
    /// The object's path below `/admin/v1`.
    pub(crate) object: String,
    /// What happened to it.
    pub(crate) change: ChangeKind,
    /// What is different, of what is shown of it: never a secret.
    pub(crate) differences: Vec<AttributeChange>,
}

impl<'a> Done<'a> {
    /// What happened to an object.
    pub(crate) fn new(tenant: &'a str, object: String, change: ChangeKind) -> Self {
        Self { tenant, object, change, differences: Vec::new() }
    }

    /// Says what is different. Both are the object as it is shown.
    pub(crate) fn between<T: Serialize>(mut self, before: Option<&T>, after: &T) -> Self {
        let members = |shown: &T| match serde_json::to_value(shown) {
            Ok(Value::Object(members)) => members,
            _ => Map::new(),
        };
        self.differences = differences(&before.map(members).unwrap_or_default(), &members(after));
        self
    }
}

impl Tags {
    /// Reads a header's value (RFC 9110 §8.8.3, §13.1.1). `None` for what is no list of tags.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text == "*" {
            return Some(Self::Any);
        }
        let well_formed = |tag: &&str| {
            let opaque = tag.strip_prefix("W/").unwrap_or(tag);
            let inner = opaque.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            inner.is_some_and(|inner| inner.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"'))
        };
        let tags: Vec<&str> = text.split(',').map(str::trim).collect();
        tags.iter().all(well_formed).then(|| Self::These(tags.into_iter().map(str::to_owned).collect()))
    }

    /// Whether one of them is of this state. A weak tag promises less than `If-Match` asks for.
    pub fn name(&self, current: &str, weak_counts: bool) -> bool {
        match self {
            Self::Any => true,
            Self::These(tags) => tags.iter().any(|tag| {
                let strong = tag.strip_prefix("W/");
                tag == current || (weak_counts && strong == Some(current))
            }),
        }
    }
}

impl Condition {
    /// Whether it asks for anything.
    pub fn is_some(&self) -> bool {
        self.if_match.is_some() || self.if_none_match.is_some()
    }

    fn check(&self, current: Option<&str>) -> Result<(), AdminError> {
        if let Some(tags) = &self.if_match {
            match current {
                Some(current) if tags.name(current, false) => {}
                Some(_) => return Err(AdminError::Precondition(CHANGED)),
                None => return Err(AdminError::Precondition("If-Match: the object is not there")),
            }
        }
        match (&self.if_none_match, current) {
            (Some(tags), Some(current)) if tags.name(current, true) => {
                Err(AdminError::Precondition("If-None-Match: the object is there already"))
            }
            _ => Ok(()),
        }
    }
}

const CHANGED: &str = "the object is in another state than the request expects: read it again";

impl Change {
    /// Holds the condition against the object as it was read, and says what a commit must find.
    pub(crate) fn expect<T: Serialize>(
        &self,
        broker: &Broker,
        found: Option<&Stored<T>>,
    ) -> Result<(Put, Expect), Error> {
        let current = found.map(|found| tag(broker, &found.value)).transpose()?;
        self.condition.check(current.as_deref())?;
        Ok(found
            .map_or((Put::Created, Expect::Absent), |found| (Put::Replaced, Expect::Version(found.version.clone()))))
    }

    /// Applies writes to a partition, together with the event that says who did what.
    pub(crate) async fn commit(
        &self,
        broker: &Broker,
        partition: &Partition,
        mut writes: Vec<Write>,
        done: Done<'_>,
    ) -> Result<(), Error> {
        writes.push(self.owe(broker, partition, done).await?);
        broker.platform.store.commit(partition, writes).await.map(drop).map_err(|error| self.lost(error.into()))
    }

    /// Removes a record that must be there.
    pub(crate) async fn remove<T: Serialize + DeserializeOwned>(
        &self,
        broker: &Broker,
        record: &RecordKey<T>,
        done: Done<'_>,
    ) -> Result<T, Error> {
        let found = record.get(&*broker.platform.store).await?.ok_or(AdminError::NotFound)?;
        let (_, expect) = self.expect(broker, Some(&found))?;
        self.commit(broker, record.partition(), vec![record.delete(expect)], done).await?;
        Ok(found.value)
    }

    /// The event, to be part of the commit that does it. The partition is one that the tick looks at.
    pub(crate) async fn owe(&self, broker: &Broker, partition: &Partition, done: Done<'_>) -> Result<Write, Error> {
        outbox::register(broker, partition).await?;
        let Done { tenant, object, change, differences } = done;
        let kind = AuditKind::Configured { object, change, administrator: self.by.administrator.clone(), differences };
        audit::owe(broker, partition.clone(), tenant, audit::event(broker, kind))
    }

    /// A change that lost a race: its condition holds no more, or it is the administrator's to repeat.
    pub(crate) fn lost(&self, error: Error) -> Error {
        match error {
            Error::Internal(Internal::Store(StoreError::Conflict)) if self.condition.is_some() => {
                AdminError::Precondition(CHANGED).into()
            }
            Error::Internal(Internal::Store(StoreError::Conflict)) => AdminError::Conflict.into(),
            error => error,
        }
    }
}

impl Put {
    /// What the audit log says of it.
    pub(crate) const fn kind(self) -> ChangeKind {
        match self {
            Self::Created => ChangeKind::Created,
            Self::Replaced => ChangeKind::Replaced,
        }
    }
}

/// The tag of a record's state.
pub(crate) fn tag<T: Serialize>(broker: &Broker, record: &T) -> Result<String, Error> {
    let text = serde_json::to_vec(record).map_err(|_| Error::bug("a record that is no JSON"))?;
    Ok(format!("\"{}\"", broker.sealer.fingerprint(&text)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn these(tags: &[&str]) -> Tags {
        Tags::These(tags.iter().map(|tag| (*tag).to_owned()).collect())
    }

    #[test]
    fn lists_of_tags_are_read() {
        assert_eq!(Tags::parse(" * "), Some(Tags::Any));
        assert_eq!(Tags::parse("\"a\""), Some(these(&["\"a\""])));
        assert_eq!(Tags::parse("\"a\" , W/\"b\""), Some(these(&["\"a\"", "W/\"b\""])));
        for wrong in ["", "a", "\"a", "a\"", "\"a\",", "\"a\" \"b\"", "w/\"a\"", "*, \"a\"", "\""] {
            assert_eq!(Tags::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn conditions_hold_as_the_specification_says() {
        let if_match = |text| Condition { if_match: Tags::parse(text), if_none_match: None };
        let if_none_match = |text| Condition { if_match: None, if_none_match: Tags::parse(text) };
        let (there, gone) = (Some("\"a\""), None);
        for (condition, current, holds) in [
            (Condition::default(), there, true),
            (Condition::default(), gone, true),
            (if_match("\"a\""), there, true),
            (if_match("\"b\", \"a\""), there, true),
            (if_match("*"), there, true),
            (if_match("\"b\""), there, false),
            (if_match("W/\"a\""), there, false),
            (if_match("\"a\""), gone, false),
            (if_match("*"), gone, false),
            (if_none_match("*"), gone, true),
            (if_none_match("\"a\""), gone, true),
            (if_none_match("\"b\""), there, true),
            (if_none_match("*"), there, false),
            (if_none_match("W/\"a\""), there, false),
        ] {
            assert_eq!(condition.check(current).is_ok(), holds, "{condition:?} {current:?}");
        }
    }
}
