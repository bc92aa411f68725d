//! Operations on attributes that have several values: all of them, or those that a filter selects.

use serde_json::{Map, Value};

use super::Action;
use super::target::{Selection, Target};
use crate::scim::condition::fold;
use crate::scim::filter::Literal;
use crate::scim::note::{Forgiven, Notes};
use crate::scim::schema::Attribute;
use crate::scim::value::{self, is_primary};
use crate::scim::{Error, ScimType};

/// An operation on a multi-valued attribute of `holder`.
pub(super) fn operate(
    holder: &mut Map<String, Value>,
    action: Action,
    target: &Target<'_>,
    sent: &Value,
    notes: &mut Notes,
) -> Result<(), Error> {
    let attribute = target.place.attribute;
    let values = match holder.remove(&attribute.name) {
        Some(Value::Array(values)) => values,
        Some(only) => vec![only],
        None => Vec::new(),
    };
    let mut elements = Elements { name: target.place.name(), attribute, values, notes };
    let primaries = elements.primaries();
    let replaces_all = action == Action::Replace && target.selection.is_none() && target.place.sub.is_none();
    match (action, &target.selection, target.place.sub) {
        (Action::Remove, None, None) => elements.remove(sent)?,
        (Action::Remove, selection, None) => elements.remove_selected(selection.as_ref()),
        (Action::Remove, selection, Some(part)) => elements.remove_part(selection.as_ref(), part),
        (Action::Add, None, None) => elements.add(sent)?,
        (Action::Replace, None, None) => {
            elements.values = match value::normalise(&elements.name, attribute, sent, elements.notes)? {
                Some(Value::Array(values)) => values,
                _ => Vec::new(),
            }
        }
        (Action::Add | Action::Replace, selection, part) => {
            let indexes = elements.selected_or_made(action, selection.as_ref())?;
            // A new value keeps what it was chosen by, which Entra does not repeat.
            let start = match selection {
                Some(selection) if action == Action::Replace && part.is_none() => {
                    Some(elements.made_for(selection)?.unwrap_or_default())
                }
                _ => None,
            };
            for index in indexes {
                elements.set(index, part, start.as_ref(), sent)?;
            }
        }
    }
    elements.move_primary(if replaces_all { &[] } else { &primaries })?;
    elements.tidy();
    value::check_count(&elements.name, &elements.values)?;
    let values = elements.values;
    if !values.is_empty() {
        holder.insert(attribute.name.clone(), Value::Array(values));
    }
    Ok(())
}

struct Elements<'s, 'n> {
    name: String,
    attribute: &'s Attribute,
    values: Vec<Value>,
    notes: &'n mut Notes,
}

impl Elements<'_, '_> {
    fn primaries(&self) -> Vec<usize> {
        self.values.iter().enumerate().filter(|(_, value)| is_primary(value)).map(|(index, _)| index).collect()
    }

    fn selected(&self, selection: Option<&Selection<'_>>) -> Vec<usize> {
        let holds = |value: &Value| selection.is_none_or(|selection| selection.condition.holds_for(value));
        self.values.iter().enumerate().filter(|(_, value)| holds(value)).map(|(index, _)| index).collect()
    }

    /// Adds values. One that is there already, by `value` and `type`, only gains the parts that it had not.
    fn add(&mut self, sent: &Value) -> Result<(), Error> {
        for added in value::list(&self.name, self.attribute, sent, self.notes)? {
            match self.values.iter_mut().find(|value| is_same(self.attribute, value, &added)) {
                Some(Value::Object(parts)) => {
                    if let Value::Object(added) = added {
                        parts.extend(added);
                    }
                }
                Some(_) => {}
                None => self.values.push(added),
            }
        }
        Ok(())
    }

    /// `Remove` with values takes away these only, which is what Entra means; without any it takes away all. An empty
    /// list of values is no wish to lose everything.
    fn remove(&mut self, sent: &Value) -> Result<(), Error> {
        let before = self.values.len();
        if sent.is_null() {
            self.values.clear();
        } else {
            let removed = value::list(&self.name, self.attribute, sent, self.notes)?;
            let attribute = self.attribute;
            self.values.retain(|value| !removed.iter().any(|removed| is_same(attribute, value, removed)));
        }
        if self.values.len() == before {
            self.notes.add(&self.name, Forgiven::NothingRemoved);
        }
        Ok(())
    }

    fn remove_selected(&mut self, selection: Option<&Selection<'_>>) {
        let before = self.values.len();
        self.values.retain(|value| selection.is_some_and(|selection| !selection.condition.holds_for(value)));
        if self.values.len() == before {
            self.notes.add(&self.name, Forgiven::NothingRemoved);
        }
    }

    fn remove_part(&mut self, selection: Option<&Selection<'_>>, part: &Attribute) {
        let indexes = self.selected(selection);
        if indexes.is_empty() {
            self.notes.add(&self.name, Forgiven::NothingRemoved);
        }
        for index in indexes {
            self.set_part(index, part, None);
        }
    }

    /// The values that an add or a replace works on. Where a filter finds none, `add` makes the value that the filter
    /// asks for: that is how Entra gives somebody a first e-mail address of a type. `replace` has no target then (RFC
    /// 7644 §3.5.2.3).
    fn selected_or_made(&mut self, action: Action, selection: Option<&Selection<'_>>) -> Result<Vec<usize>, Error> {
        let found = self.selected(selection);
        if !found.is_empty() {
            return Ok(found);
        }
        let made = match (action, selection) {
            (Action::Add, Some(selection)) => self.made_for(selection)?,
            (Action::Add, None) => Some(Map::new()),
            (Action::Replace | Action::Remove, _) => None,
        };
        let no_target = || Error::new(ScimType::NoTarget, format!("no value of {} is as the path says", self.name));
        let made = made.ok_or_else(no_target)?;
        self.notes.add(&self.name, Forgiven::Created);
        self.values.push(Value::Object(made));
        Ok(vec![self.values.len() - 1])
    }

    /// The value that a filter of equalities asks for.
    fn made_for(&mut self, selection: &Selection<'_>) -> Result<Option<Map<String, Value>>, Error> {
        let Some(parts) = &selection.parts else { return Ok(None) };
        let mut made = Map::new();
        for (name, literal) in parts {
            let Some(part) = self.attribute.sub(name) else { return Ok(None) };
            let name = format!("{}.{}", self.attribute.name, part.name);
            if let Some(value) = value::normalise(&name, part, &json(literal), self.notes)? {
                made.insert(part.name.clone(), value);
            }
        }
        let value = Value::Object(made);
        let fulfils = selection.condition.holds_for(&value);
        Ok(if let Value::Object(made) = value { Some(made).filter(|_| fulfils) } else { None })
    }

    /// Sets a part of a value, or the parts that were sent: beside those that it has, or beside those of `start`.
    fn set(
        &mut self,
        index: usize,
        part: Option<&Attribute>,
        start: Option<&Map<String, Value>>,
        sent: &Value,
    ) -> Result<(), Error> {
        if let Some(part) = part {
            let value = value::normalise(&self.name, part, sent, self.notes)?;
            self.set_part(index, part, value);
            return Ok(());
        }
        if let (Some(value), Some(start)) = (self.values.get_mut(index), start) {
            *value = Value::Object(start.clone());
        }
        for (part, sent) in value::parts(&self.name, self.attribute, sent, self.notes)? {
            let value = value::normalise(&format!("{}.{}", self.name, part.name), part, &sent, self.notes)?;
            self.set_part(index, part, value);
        }
        Ok(())
    }

    fn set_part(&mut self, index: usize, part: &Attribute, value: Option<Value>) {
        let Some(Value::Object(parts)) = self.values.get_mut(index) else { return };
        match value {
            Some(value) => drop(parts.insert(part.name.clone(), value)),
            // An e-mail address without the address is none: Entra removes `emails[type eq "work"].value` and means all.
            None if part.name == "value" => {
                parts.clear();
                self.notes.add(&self.name, Forgiven::Dropped);
            }
            None => drop(parts.remove(&part.name)),
        }
    }

    /// Drops what has become empty, or the same as another.
    fn tidy(&mut self) {
        for value in std::mem::take(&mut self.values) {
            if value.as_object().is_none_or(|parts| !parts.is_empty()) && !self.values.contains(&value) {
                self.values.push(value);
            }
        }
    }

    /// At most one value is primary (RFC 7643 §2.4): the one that this operation made so, not that of `before`.
    fn move_primary(&mut self, before: &[usize]) -> Result<(), Error> {
        let after = self.primaries();
        if after.len() <= 1 {
            return Ok(());
        }
        let mut new = after.iter().filter(|index| !before.contains(index));
        let chosen = match (new.next(), new.next()) {
            (Some(_), Some(_)) => {
                return Err(Error::invalid_value(format!("{}: only one value can be primary", self.name)));
            }
            (chosen, _) => chosen.or(after.first()),
        };
        self.notes.add(&self.name, Forgiven::PrimaryMoved);
        for (index, value) in self.values.iter_mut().enumerate() {
            if let Value::Object(parts) = value
                && Some(&index) != chosen
                && parts.contains_key("primary")
            {
                parts.insert("primary".to_owned(), Value::Bool(false));
            }
        }
        Ok(())
    }
}

/// Whether `named` means the value `there`. What has a `value` is known by it and, if it is named, by its `type`.
fn is_same(attribute: &Attribute, there: &Value, named: &Value) -> bool {
    let (Some(value), Some(named_parts)) = (attribute.sub("value"), named.as_object()) else { return there == named };
    let same = |part: &Attribute| match (there.get(&part.name), named.get(&part.name)) {
        (Some(Value::String(there)), Some(Value::String(named))) if !part.case_exact => fold(there) == fold(named),
        (there, named) => there == named,
    };
    let type_named = attribute.sub("type").filter(|part| named_parts.contains_key(&part.name));
    same(value) && type_named.is_none_or(same)
}

fn json(literal: &Literal) -> Value {
    match literal {
        Literal::Null => Value::Null,
        Literal::Boolean(value) => Value::Bool(*value),
        Literal::Integer(value) => Value::from(*value),
        Literal::Decimal(value) => Value::from(*value),
        Literal::Text(value) => Value::String(value.clone()),
    }
}
