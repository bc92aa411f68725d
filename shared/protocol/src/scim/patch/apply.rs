//! One operation after the other, on a copy of the resource.

use serde_json::{Map, Value};

use super::Action;
use super::elements;
use super::target::{PatchPath, Target, invalid_path};
use crate::scim::member::MemberChanges;
use crate::scim::note::{Forgiven, Notes};
use crate::scim::resource::{self, MEMBERS};
use crate::scim::schema::{Attribute, Kind, Mutability, Place, ResourceType, Returned, Schema};
use crate::scim::value;
use crate::scim::{Error, ScimType};

/// A resource that is being changed.
pub(super) struct Draft<'s> {
    pub(super) resource_type: &'s ResourceType,
    pub(super) kept: Map<String, Value>,
    pub(super) members: MemberChanges,
    pub(super) notes: Notes,
}

impl<'s> Draft<'s> {
    pub(super) fn new(resource_type: &'s ResourceType, before: &Value, notes: Notes) -> Self {
        let kept = before.as_object().cloned().unwrap_or_default();
        Self { resource_type, kept, members: MemberChanges::default(), notes }
    }

    /// An operation with a path. What only we write is refused there.
    pub(super) fn at_path(&mut self, action: Action, path: &str, sent: &Value) -> Result<(), Error> {
        if let Some(extension) = self.resource_type.extension(path) {
            return self.whole_extension(action, extension, sent);
        }
        let target = PatchPath::parse(path)?.resolve(self.resource_type)?;
        if is_read_only(&target.place) {
            let detail = format!("{} is read-only", target.place.name());
            return Err(Error::new(ScimType::Mutability, detail));
        }
        self.at(action, &target, sent)
    }

    /// An operation without a path: an object whose keys are attributes, or whole paths. What only we write is ignored
    /// there as in a PUT: Okta repeats the id.
    pub(super) fn without_path(&mut self, action: Action, sent: &Value) -> Result<(), Error> {
        let sent =
            sent.as_object().ok_or_else(|| Error::invalid_value("without a path the value must be an object"))?;
        for (key, sent) in sent {
            match self.resource_type.extension(key) {
                Some(extension) => self.whole_extension(action, extension, sent)?,
                None if self.resource_type.is_core(key) => self.without_path_in_core(action, sent)?,
                None => self.at_key(action, key, sent)?,
            }
        }
        Ok(())
    }

    /// `{"urn:…:core:2.0:User": {…}}`: the core schema's attributes written like an extension's.
    fn without_path_in_core(&mut self, action: Action, sent: &Value) -> Result<(), Error> {
        let sent = sent.as_object().ok_or_else(|| Error::invalid_value("a schema's value must be an object"))?;
        sent.iter().try_for_each(|(key, sent)| self.at_key(action, key, sent))
    }

    fn at_key(&mut self, action: Action, key: &str, sent: &Value) -> Result<(), Error> {
        let path = match PatchPath::parse(key) {
            Ok(path) if path.is_known(self.resource_type) => path,
            // Meant as a path with a filter, so the mistake is worth telling.
            Err(error) if key.contains('[') => return Err(error),
            Ok(_) | Err(_) => {
                self.notes.add(key, Forgiven::Unknown);
                return Ok(());
            }
        };
        let target = path.resolve(self.resource_type)?;
        if is_read_only(&target.place) {
            resource::note_read_only(&target.place.name(), &mut self.notes);
            return Ok(());
        }
        // A part of a value that a filter chooses is set by both alike, but only `add` makes the value where there is none.
        // Whoever sends paths as keys can't say which of them is new.
        let is_chosen_part = target.selection.is_some() && target.place.sub.is_some();
        let action = if is_chosen_part { Action::Add } else { action };
        self.at(action, &target, sent)
    }

    /// All attributes of an extension, or those that the value names.
    fn whole_extension(&mut self, action: Action, extension: &Schema, sent: &Value) -> Result<(), Error> {
        match sent {
            _ if action == Action::Remove => {
                self.kept.remove(&extension.id);
                Ok(())
            }
            Value::Null => {
                self.kept.remove(&extension.id);
                Ok(())
            }
            Value::Object(sent) => {
                sent.iter().try_for_each(|(key, sent)| self.at_key(action, &format!("{}:{key}", extension.id), sent))
            }
            _ => Err(Error::invalid_value(format!("{} must be an object", extension.id))),
        }
    }

    fn at(&mut self, action: Action, target: &Target<'s>, sent: &Value) -> Result<(), Error> {
        let place = &target.place;
        if self.resource_type.kind() == Kind::Group && place.extension.is_none() && place.attribute.name == MEMBERS {
            return self.on_members(action, target, sent);
        }
        if place.attribute.returned == Returned::Never {
            self.notes.add(&place.name(), Forgiven::Password);
            return Ok(());
        }
        let notes = &mut self.notes;
        let holder = match place.extension {
            None => &mut self.kept,
            Some(extension) => {
                let holder = self.kept.entry(extension.id.clone()).or_insert_with(|| Map::new().into());
                holder.as_object_mut().ok_or_else(|| invalid_path(format!("{} is no object", extension.id)))?
            }
        };
        if place.attribute.multi_valued {
            elements::operate(holder, action, target, sent, notes)?;
        } else {
            operate_on_one(holder, action, place, sent, notes)?;
        }
        if let Some(extension) = place.extension
            && self.kept.get(&extension.id).and_then(Value::as_object).is_some_and(Map::is_empty)
        {
            self.kept.remove(&extension.id);
        }
        Ok(())
    }
}

/// An operation on an attribute that has one value.
fn operate_on_one(
    holder: &mut Map<String, Value>,
    action: Action,
    place: &Place<'_>,
    sent: &Value,
    notes: &mut Notes,
) -> Result<(), Error> {
    let attribute = place.attribute;
    let name = place.name();
    match (action, place.sub) {
        (Action::Remove, None) => {
            if holder.remove(&attribute.name).is_none() {
                notes.add(&name, Forgiven::NothingRemoved);
            }
        }
        (Action::Remove, Some(sub)) => set_part(holder, attribute, sub, None),
        (Action::Add | Action::Replace, Some(sub)) => {
            let value = value::normalise(&name, sub, sent, notes)?;
            set_part(holder, attribute, sub, value);
        }
        (Action::Add | Action::Replace, None) if attribute.is_complex() => {
            let sent = match sent {
                Value::Array(values) if values.len() <= 1 => {
                    notes.add(&name, Forgiven::Unwrapped);
                    values.first().unwrap_or(&Value::Null)
                }
                other => other,
            };
            match sent {
                Value::Null => drop(holder.remove(&attribute.name)),
                // RFC 7644 §3.5.2.3: parts that are not named stay.
                sent => {
                    for (part, sent) in value::parts(&name, attribute, sent, notes)? {
                        let value = value::normalise(&format!("{name}.{}", part.name), part, &sent, notes)?;
                        set_part(holder, attribute, part, value);
                    }
                }
            }
        }
        (Action::Add | Action::Replace, None) => match value::normalise(&name, attribute, sent, notes)? {
            Some(value) => drop(holder.insert(attribute.name.clone(), value)),
            None => drop(holder.remove(&attribute.name)),
        },
    }
    Ok(())
}

/// Sets or removes a part of a complex attribute; an object without parts goes.
fn set_part(holder: &mut Map<String, Value>, attribute: &Attribute, part: &Attribute, value: Option<Value>) {
    let mut parts = match holder.remove(&attribute.name) {
        Some(Value::Object(parts)) => parts,
        _ => Map::new(),
    };
    match value {
        Some(value) => drop(parts.insert(part.name.clone(), value)),
        None => drop(parts.remove(&part.name)),
    }
    if !parts.is_empty() {
        holder.insert(attribute.name.clone(), Value::Object(parts));
    }
}

fn is_read_only(place: &Place<'_>) -> bool {
    place.attribute.mutability == Mutability::ReadOnly || place.leaf().mutability == Mutability::ReadOnly
}
