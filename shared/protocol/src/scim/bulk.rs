//! Several requests in one (RFC 7644 §3.7). An operation may name what another one creates by its `bulkId`; the order in
//! which that works out is found here.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::schema::Kind;
use super::{Error, ScimType};

/// The schema of a bulk request.
pub const BULK_REQUEST_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
/// The schema of the answer.
pub const BULK_RESPONSE_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";
/// What stands before the id of an operation where its result is meant.
const REFERENCE: &str = "bulkId:";

/// A bulk request.
#[derive(Debug, Clone, PartialEq)]
pub struct Bulk {
    /// After so many errors the rest is not tried. `None`: everything is.
    pub fail_on_errors: Option<u64>,
    /// What is asked for, as it was sent.
    pub operations: Vec<Operation>,
}

/// One request of a bulk request.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// What to do.
    pub method: Method,
    /// The name that other operations have for it.
    pub bulk_id: Option<String>,
    /// The version that must be there, as in `If-Match`.
    pub version: Option<String>,
    /// Users or groups.
    pub kind: Kind,
    /// Which one; only a POST has none. It may be a reference to what another operation creates.
    pub id: Option<String>,
    /// The body.
    pub data: Value,
}

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Creates.
    Post,
    /// Replaces.
    Put,
    /// Changes.
    Patch,
    /// Deletes.
    Delete,
}

impl Method {
    /// The method as HTTP writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

impl Bulk {
    /// Reads a bulk request of at most so many operations. If one can't be read, none is tried.
    pub fn parse(body: &Value, max_operations: usize) -> Result<Self, Error> {
        let names = body.get("schemas").and_then(Value::as_array);
        if !names.is_some_and(|schemas| schemas.iter().any(|uri| uri == BULK_REQUEST_SCHEMA)) {
            return Err(invalid(format!("schemas must be a list that names {BULK_REQUEST_SCHEMA}")));
        }
        let fail_on_errors = match body.get("failOnErrors") {
            None | Some(Value::Null) => None,
            Some(count) => {
                let count = count.as_u64().filter(|count| *count > 0);
                Some(count.ok_or_else(|| invalid("failOnErrors must be a whole number above 0"))?)
            }
        };
        let operations = body.get("Operations").and_then(Value::as_array);
        let operations = operations.ok_or_else(|| invalid("Operations must be a list"))?;
        if operations.len() > max_operations {
            return Err(Error::status(413, format!("a bulk request must have at most {max_operations} operations")));
        }
        let mut seen = BTreeSet::new();
        let parse = |(index, operation): (usize, &Value)| {
            let operation = Operation::parse(operation).map_err(|error| error.at(index))?;
            if operation.bulk_id.as_ref().is_some_and(|id| !seen.insert(id.clone())) {
                return Err(invalid("another operation has the same bulkId").at(index));
            }
            Ok(operation)
        };
        Ok(Self { fail_on_errors, operations: operations.iter().enumerate().map(parse).collect::<Result<_, _>>()? })
    }

    /// The order in which every operation comes after those that it refers to, and else as it was sent. 409 where an
    /// operation refers to one that is not there, or to itself through others.
    pub fn order(&self) -> Result<Vec<usize>, Error> {
        let conflict = |index: usize, detail: &str| Error::status(409, detail).at(index);
        let creators: BTreeMap<&str, usize> = self
            .operations
            .iter()
            .enumerate()
            .filter(|(_, operation)| operation.method == Method::Post)
            .filter_map(|(index, operation)| Some((operation.bulk_id.as_deref()?, index)))
            .collect();
        let mut waiting: Vec<BTreeSet<usize>> = Vec::with_capacity(self.operations.len());
        let mut followers: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (index, operation) in self.operations.iter().enumerate() {
            let mut needs = BTreeSet::new();
            for name in operation.references() {
                let creator = creators.get(name);
                let creator =
                    creator.ok_or_else(|| conflict(index, "no POST of this request has the bulkId that is meant"))?;
                if needs.insert(*creator) {
                    followers.entry(*creator).or_default().push(index);
                }
            }
            waiting.push(needs);
        }
        let mut ready: BTreeSet<usize> =
            waiting.iter().enumerate().filter(|(_, needs)| needs.is_empty()).map(|(index, _)| index).collect();
        let mut order = Vec::with_capacity(waiting.len());
        while let Some(next) = ready.pop_first() {
            order.push(next);
            for follower in followers.remove(&next).unwrap_or_default() {
                if let Some(needs) = waiting.get_mut(follower) {
                    needs.remove(&next);
                    if needs.is_empty() {
                        ready.insert(follower);
                    }
                }
            }
        }
        match waiting.iter().position(|needs| !needs.is_empty()) {
            Some(index) => Err(conflict(index, "operations refer to each other in a circle")),
            None => Ok(order),
        }
    }
}

impl Operation {
    fn parse(operation: &Value) -> Result<Self, Error> {
        let text = |name: &str| match operation.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(invalid(format!("{name} must be a text"))),
        };
        let method = text("method")?.unwrap_or_default();
        let method = [Method::Post, Method::Put, Method::Patch, Method::Delete]
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(&method))
            .ok_or_else(|| invalid("method must be POST, PUT, PATCH or DELETE"))?;
        let path = text("path")?.unwrap_or_default();
        let (kind, id) =
            parse_path(&path).ok_or_else(|| invalid("path must be /Users or /Groups, perhaps with an id"))?;
        if (method == Method::Post) != id.is_none() {
            return Err(invalid("path must have an id, except with POST"));
        }
        let bulk_id = text("bulkId")?.filter(|id| !id.is_empty());
        if method == Method::Post && bulk_id.is_none() {
            return Err(invalid("POST must have a bulkId"));
        }
        let data = operation.get("data").cloned().unwrap_or_default();
        if method != Method::Delete && !data.is_object() {
            return Err(invalid("data must be an object, except with DELETE"));
        }
        Ok(Self { method, bulk_id, version: text("version")?, kind, id, data })
    }

    /// The operations that this one refers to, by their `bulkId`.
    fn references(&self) -> Vec<&str> {
        let mut found = Vec::new();
        find_references(&self.data, &mut found);
        found.extend(self.id.as_deref().and_then(|id| id.strip_prefix(REFERENCE)));
        found
    }

    /// Puts the ids of what was created in the place of references to it. What was not created stays a reference, which
    /// is nobody's id.
    pub fn resolve(&mut self, created: &BTreeMap<String, String>) {
        let id = self.id.as_deref().and_then(|id| id.strip_prefix(REFERENCE));
        if let Some(id) = id.and_then(|id| created.get(id)) {
            self.id = Some(id.clone());
        }
        replace_references(&mut self.data, created);
    }

    /// What the answer says of this operation. `location` is absent where nothing was created, `error` where it worked.
    pub fn result(&self, status: u16, location: Option<&str>, version: Option<&str>, error: Option<&Error>) -> Value {
        let mut result = Map::from_iter([
            ("method".to_owned(), self.method.as_str().into()),
            ("status".to_owned(), status.to_string().into()),
        ]);
        let given = [("bulkId", self.bulk_id.as_deref()), ("location", location), ("version", version)];
        for (name, value) in given {
            if let Some(value) = value {
                result.insert(name.to_owned(), value.into());
            }
        }
        if let Some(error) = error {
            result.insert("response".to_owned(), error.body());
        }
        Value::Object(result)
    }
}

/// The body of the answer: what became of each operation that was tried.
pub fn response(results: &[Value]) -> Value {
    json!({ "schemas": [BULK_RESPONSE_SCHEMA], "Operations": results })
}

fn parse_path(path: &str) -> Option<(Kind, Option<String>)> {
    [Kind::User, Kind::Group].into_iter().find_map(|kind| match path.strip_prefix(kind.endpoint())? {
        "" => Some((kind, None)),
        rest => {
            let id = rest.strip_prefix('/').filter(|id| !id.is_empty() && !id.contains(['/', '?', '#']))?;
            Some((kind, Some(id.to_owned())))
        }
    })
}

// A body that was read from JSON is not deeper than its parser allows, so these end.
fn find_references<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => found.extend(text.strip_prefix(REFERENCE)),
        Value::Array(values) => values.iter().for_each(|value| find_references(value, found)),
        Value::Object(members) => members.values().for_each(|value| find_references(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn replace_references(value: &mut Value, created: &BTreeMap<String, String>) {
    match value {
        Value::String(text) => {
            if let Some(id) = text.strip_prefix(REFERENCE).and_then(|name| created.get(name)) {
                text.clone_from(id);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| replace_references(value, created)),
        Value::Object(members) => members.values_mut().for_each(|value| replace_references(value, created)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn invalid(detail: impl Into<String>) -> Error {
    Error::new(ScimType::InvalidSyntax, detail)
}

#[cfg(test)]
mod tests;
