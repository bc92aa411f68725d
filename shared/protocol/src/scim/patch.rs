//! PATCH (RFC 7644 §3.5.2): operations are read, then applied to a copy. The first that fails leaves everything as it was.
//!
//! What Entra and Okta send beside the RFC is understood and noted: operations in capitals, texts for booleans, objects
//! without a path whose keys are paths, `Remove` with a list of values. A group's members are not in its record; what
//! happens to them is a list of its own ([`MemberChanges`]).

mod apply;
mod elements;
mod members;
mod target;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

use self::apply::Draft;
use super::member::MemberChanges;
use super::note::{Forgiven, Note, Notes};
use super::schema::ResourceType;
use super::{Error, ScimType, resource};

/// The schema of a PATCH request.
pub const PATCH_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
/// Most operations of one request.
pub const MAX_OPERATIONS: usize = 1_000;

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Adds values, and sets what has none or one.
    Add,
    /// Sets values.
    Replace,
    /// Takes values away.
    Remove,
}

/// What a PATCH made of a resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Patched {
    /// The resource as it is now.
    pub resource: Value,
    /// The attributes that are different now, as [`super::schema::Place::name`] writes them.
    pub changed: Vec<String>,
    /// What happens to the members of a group.
    pub members: MemberChanges,
    /// What was forgiven.
    pub notes: Vec<Note>,
}

/// Applies the body of a PATCH to a resource, without the members of a group.
pub fn apply(resource_type: &ResourceType, before: &Value, body: &Value) -> Result<Patched, Error> {
    let mut notes = Notes::default();
    let operations = operations(body, &mut notes)?;
    let mut draft = Draft::new(resource_type, before, notes);
    for (index, operation) in operations.iter().enumerate() {
        draft.notes.operation = Some(index);
        operate(&mut draft, operation).map_err(|error| error.at(index))?;
    }
    let Draft { kept, members, notes, .. } = draft;
    // RFC 7644 §3.5.2.2: what is required can't be taken away.
    resource::check_required(resource_type, &kept, &[])
        .map_err(|detail| Error::new(ScimType::Mutability, format!("{detail} and can't be removed")))?;
    let after = Value::Object(kept);
    resource::check_immutable(resource_type, before, &after)?;
    let changed = changed(resource_type, before, &after);
    Ok(Patched { resource: after, changed, members, notes: notes.into_list() })
}

/// The operations of a body.
fn operations<'b>(body: &'b Value, notes: &mut Notes) -> Result<&'b [Value], Error> {
    let body = body.as_object().ok_or_else(|| invalid_syntax("the body must be a JSON object"))?;
    match member(body, "schemas") {
        None => notes.add("schemas", Forgiven::SchemasMissing),
        Some(Value::Array(schemas)) if schemas.iter().any(|uri| uri == PATCH_SCHEMA) => {}
        Some(_) => return Err(invalid_syntax(format!("schemas must be a list that names {PATCH_SCHEMA}"))),
    }
    let operations = member(body, "Operations").and_then(Value::as_array).filter(|operations| !operations.is_empty());
    let operations = operations.ok_or_else(|| invalid_syntax("Operations must be a list of operations"))?;
    if operations.len() > MAX_OPERATIONS {
        return Err(Error::status(413, format!("a PATCH must have at most {MAX_OPERATIONS} operations")));
    }
    Ok(operations)
}

fn operate(draft: &mut Draft<'_>, operation: &Value) -> Result<(), Error> {
    let operation = operation.as_object().ok_or_else(|| invalid_syntax("an operation must be a JSON object"))?;
    let action = action(operation, &mut draft.notes)?;
    let value = member(operation, "value");
    let path = match member(operation, "path") {
        None | Some(Value::Null) => None,
        Some(Value::String(path)) if path.is_empty() => None,
        Some(Value::String(path)) => Some(path),
        Some(_) => return Err(Error::new(ScimType::InvalidPath, "path must be a text")),
    };
    if action == Action::Remove {
        let path = path.ok_or_else(|| Error::new(ScimType::NoTarget, "remove must have a path"))?;
        return draft.at_path(action, path, value.unwrap_or(&Value::Null));
    }
    let value = value.ok_or_else(|| Error::invalid_value("add and replace must have a value"))?;
    match path {
        Some(path) => draft.at_path(action, path, value),
        None => draft.without_path(action, value),
    }
}

/// `op`, which Entra writes with a capital.
fn action(operation: &Map<String, Value>, notes: &mut Notes) -> Result<Action, Error> {
    let op = member(operation, "op").and_then(Value::as_str).unwrap_or_default();
    let known = [("add", Action::Add), ("replace", Action::Replace), ("remove", Action::Remove)];
    let (name, action) = known
        .into_iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(op))
        .ok_or_else(|| invalid_syntax("op must be add, replace or remove"))?;
    if name != op {
        notes.add("", Forgiven::OperationCase);
    }
    Ok(action)
}

/// The member of an object, in any case.
fn member<'v>(object: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    object.get(name).or_else(|| object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

/// The names of attributes that differ.
fn changed(resource_type: &ResourceType, before: &Value, after: &Value) -> Vec<String> {
    let differs = |before: Option<&Value>, after: Option<&Value>, name: &str| {
        before.and_then(|before| before.get(name)) != after.and_then(|after| after.get(name))
    };
    let core = resource_type.attributes().map(|attribute| &attribute.name);
    let mut names: Vec<String> = core.filter(|name| differs(Some(before), Some(after), name)).cloned().collect();
    for extension in resource_type.extensions() {
        let (before, after) = (before.get(&extension.id), after.get(&extension.id));
        let attributes = extension.attributes.iter().filter(|attribute| differs(before, after, &attribute.name));
        names.extend(attributes.map(|attribute| format!("{}:{}", extension.id, attribute.name)));
    }
    names
}

fn invalid_syntax(detail: impl Into<String>) -> Error {
    Error::new(ScimType::InvalidSyntax, detail)
}
