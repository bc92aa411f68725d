//! A whole user or group as POST and PUT bring it (RFC 7644 §3.3, §3.5.1), and the rules that hold for every resource.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::member::{self, Member};
use super::note::{Forgiven, Note, Notes};
use super::schema::{Attribute, Kind, Mutability, ResourceType, Schema};
use super::{Error, ScimType, value};

/// The attribute of groups that is not part of the group's record.
pub(super) const MEMBERS: &str = "members";
/// The attribute of people that always has a value, though a body need not say it.
const ACTIVE: &str = "active";

/// A body that was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Body {
    /// The attributes that may be written, normalised. Neither `id`, `meta` nor `schemas`, and never a password.
    pub resource: Value,
    /// The members of a group, each once.
    pub members: Vec<Member>,
    /// What was forgiven.
    pub notes: Vec<Note>,
}

impl Body {
    /// Reads the body of a POST or PUT. What only we write is ignored, as the RFC says; what we don't know is ignored
    /// and noted, because a directory that sends one attribute too many must still be able to create people.
    pub fn parse(resource_type: &ResourceType, sent: &Value) -> Result<Self, Error> {
        let sent = sent.as_object().ok_or_else(|| invalid_syntax("the body must be a JSON object"))?;
        let mut reader = Reader { resource_type, notes: Notes::default(), kept: Map::new(), members: Vec::new() };
        reader.schemas(sent)?;
        let mut seen = BTreeSet::new();
        for (key, value) in sent {
            if !seen.insert(key.to_ascii_lowercase()) {
                return Err(invalid_syntax("an attribute is there twice: upper and lower case don't tell names apart"));
            }
            reader.attribute(key, value)?;
        }
        check_required(resource_type, &reader.kept, &[ACTIVE]).map_err(Error::invalid_value)?;
        let Reader { notes, kept, members, .. } = reader;
        Ok(Self { resource: Value::Object(kept), members, notes: notes.into_list() })
    }

    /// Checks that a PUT leaves what can be written only once as `before` has it.
    pub fn check_replaces(&self, resource_type: &ResourceType, before: &Value) -> Result<(), Error> {
        check_immutable(resource_type, before, &self.resource)
    }
}

struct Reader<'s> {
    resource_type: &'s ResourceType,
    notes: Notes,
    kept: Map<String, Value>,
    members: Vec<Member>,
}

impl Reader<'_> {
    /// `schemas` must name the core schema. Which extensions are used, their attributes say.
    fn schemas(&mut self, sent: &Map<String, Value>) -> Result<(), Error> {
        let schemas = sent.iter().find(|(key, _)| key.eq_ignore_ascii_case("schemas")).map(|(_, value)| value);
        let Some(schemas) = schemas else {
            self.notes.add("schemas", Forgiven::SchemasMissing);
            return Ok(());
        };
        let wrong = || invalid_syntax(format!("schemas must be a list that names {}", self.resource_type.schema().id));
        let schemas = schemas.as_array().ok_or_else(wrong)?;
        if !schemas.iter().filter_map(Value::as_str).any(|uri| self.resource_type.is_core(uri)) {
            return Err(wrong());
        }
        for uri in schemas.iter().filter_map(Value::as_str) {
            if !self.resource_type.is_core(uri) && self.resource_type.extension(uri).is_none() {
                self.notes.add(uri, Forgiven::SchemaUnknown);
            }
        }
        Ok(())
    }

    fn attribute(&mut self, key: &str, sent: &Value) -> Result<(), Error> {
        if let Some(extension) = self.resource_type.extension(key) {
            return self.extension(extension, sent);
        }
        let Some(attribute) = self.resource_type.attributes().find(|known| known.name.eq_ignore_ascii_case(key)) else {
            self.notes.add(key, Forgiven::Unknown);
            return Ok(());
        };
        if self.resource_type.kind() == Kind::Group && attribute.name == MEMBERS {
            self.members = member::parse(attribute, sent, &mut self.notes)?;
            return Ok(());
        }
        if let Some(value) = written(&attribute.name, attribute, sent, &mut self.notes)? {
            self.kept.insert(attribute.name.clone(), value);
        }
        Ok(())
    }

    fn extension(&mut self, extension: &Schema, sent: &Value) -> Result<(), Error> {
        let sent = match sent {
            Value::Object(sent) => sent,
            Value::Null => return Ok(()),
            _ => return Err(Error::invalid_value(format!("{} must be an object", extension.id))),
        };
        let mut kept = Map::new();
        for (key, value) in sent {
            let Some(attribute) = extension.attributes.iter().find(|known| known.name.eq_ignore_ascii_case(key)) else {
                self.notes.add(&format!("{}:{key}", extension.id), Forgiven::Unknown);
                continue;
            };
            let name = format!("{}:{}", extension.id, attribute.name);
            if let Some(value) = written(&name, attribute, value, &mut self.notes)?
                && kept.insert(attribute.name.clone(), value).is_some()
            {
                return Err(invalid_syntax(format!("{name} is there twice")));
            }
        }
        if !kept.is_empty() {
            self.kept.insert(extension.id.clone(), Value::Object(kept));
        }
        Ok(())
    }
}

/// What is kept of an attribute that was sent.
fn written(name: &str, attribute: &Attribute, sent: &Value, notes: &mut Notes) -> Result<Option<Value>, Error> {
    if attribute.mutability != Mutability::ReadOnly {
        return value::normalise(name, attribute, sent, notes);
    }
    note_read_only(name, notes);
    Ok(None)
}

/// Notes that an attribute was left out because only we write it. That directories repeat what we told them ourselves is
/// nothing to tell anybody.
pub(super) fn note_read_only(name: &str, notes: &mut Notes) {
    if !["schemas", "id", "meta", "groups"].contains(&name) {
        notes.add(name, Forgiven::ReadOnly);
    }
}

/// Which attributes a resource can't be without, as text of an error. `filled_in` are those that we know without being
/// told.
pub(super) fn check_required(
    resource_type: &ResourceType,
    resource: &Map<String, Value>,
    filled_in: &[&str],
) -> Result<(), String> {
    let missing = |attributes: &[Attribute], holder: &Map<String, Value>| {
        let is_missing = |attribute: &&Attribute| {
            let name = attribute.name.as_str();
            attribute.required && !holder.contains_key(name) && !filled_in.contains(&name)
        };
        let missing = attributes.iter().find(is_missing);
        missing.map(|attribute| attribute.name.clone())
    };
    let core = missing(&resource_type.schema().attributes, resource);
    let extension = resource_type.extensions().iter().find_map(|extension| {
        let holder = resource.get(&extension.id)?.as_object()?;
        missing(&extension.attributes, holder).map(|name| format!("{}:{name}", extension.id))
    });
    core.or(extension).map_or(Ok(()), |name| Err(format!("{name} is required")))
}

/// What can be written once must stay as it was (RFC 7643 §2.2).
pub(super) fn check_immutable(resource_type: &ResourceType, before: &Value, after: &Value) -> Result<(), Error> {
    let core = resource_type.attributes().map(|attribute| (None, attribute));
    let extensions = resource_type.extensions().iter();
    let extensions =
        extensions.flat_map(|schema| schema.attributes.iter().map(move |attribute| (Some(schema), attribute)));
    for (extension, attribute) in core.chain(extensions) {
        let at = |resource: &'_ Value| {
            let holder = extension.map_or(Some(resource), |extension| resource.get(&extension.id));
            holder.and_then(|holder| holder.get(&attribute.name)).cloned()
        };
        let (before, after) = (at(before), at(after));
        let differs = |before: Option<&Value>, after: Option<&Value>| before.is_some() && before != after;
        let changed = if attribute.mutability == Mutability::Immutable {
            differs(before.as_ref(), after.as_ref())
        } else {
            // Values of a list have no identity, so only a lone object's parts can be followed.
            let parts = attribute.sub_attributes.iter().filter(|part| part.mutability == Mutability::Immutable);
            let part = |value: &Option<Value>, name: &str| value.as_ref().and_then(|value| value.get(name)).cloned();
            let mut parts = parts.map(|sub| (part(&before, &sub.name), part(&after, &sub.name)));
            !attribute.multi_valued && parts.any(|(before, after)| differs(before.as_ref(), after.as_ref()))
        };
        if changed {
            let detail = format!("{} can't be changed once it has a value", attribute.name);
            return Err(Error::new(ScimType::Mutability, detail));
        }
    }
    Ok(())
}

/// The `schemas` of a resource: the core one, and each extension that it has attributes of.
pub fn schemas(resource_type: &ResourceType, resource: &Value) -> Vec<String> {
    let used = resource_type.extensions().iter().filter(|extension| resource.get(&extension.id).is_some());
    std::iter::once(resource_type.schema()).chain(used).map(|schema| schema.id.clone()).collect()
}

fn invalid_syntax(detail: impl Into<String>) -> Error {
    Error::new(ScimType::InvalidSyntax, detail)
}

#[cfg(test)]
mod tests;
