//! Schemas that a tenant declares, checked before anything relies on them.

use super::{Attribute, Schema, Uniqueness, find};
use crate::scim::path::is_name;

/// Longest URI, in bytes.
const MAX_URI: usize = 200;
/// Most attributes in one schema, and most parts of one attribute.
const MAX_ATTRIBUTES: usize = 100;
/// Longest name, in bytes.
const MAX_NAME: usize = 64;
/// Longest description, in bytes.
const MAX_DESCRIPTION: usize = 500;

/// Why a schema can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// The URI can't stand before an attribute in a filter.
    #[error(
        "id must be a URN of at most 200 letters, digits and -_.:/ that begins with urn: and ends with none of them"
    )]
    Uri,
    /// The URI belongs to the standard.
    #[error("id must not begin with urn:ietf:params:scim:, which belongs to the standard")]
    Reserved,
    /// No attributes, or too many.
    #[error("{0} must have 1 to 100 attributes")]
    Count(String),
    /// Not a name of RFC 7643 §2.1.
    #[error("an attribute's name must be a letter and then at most 63 letters, digits, - and _")]
    Name,
    /// Two attributes have the same name.
    #[error("{0} is there twice: upper and lower case don't tell names apart")]
    Repeated(String),
    /// Parts without `complex`, or parts of parts.
    #[error("{0}: only an attribute of type complex has subAttributes, and they have none")]
    Nested(String),
    /// A promise that we would not keep.
    #[error("{0}: uniqueness must be none, we don't enforce it for own attributes")]
    Unique(String),
    /// A text is too long.
    #[error("name and description must have at most 500 bytes")]
    Description,
}

impl Schema {
    /// Checks a schema that a tenant declared.
    pub fn check(&self) -> Result<(), SchemaError> {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/".contains(&byte);
        let ends_well = self.id.ends_with(|last: char| last.is_ascii_alphanumeric());
        if self.id.len() > MAX_URI || !self.id.starts_with("urn:") || !self.id.bytes().all(is_part) || !ends_well {
            return Err(SchemaError::Uri);
        }
        if self.id.to_ascii_lowercase().starts_with("urn:ietf:params:scim:") {
            return Err(SchemaError::Reserved);
        }
        if self.name.len().max(self.description.len()) > MAX_DESCRIPTION {
            return Err(SchemaError::Description);
        }
        check_list("the schema", &self.attributes)?;
        self.attributes.iter().filter(|attribute| attribute.is_complex()).try_for_each(|attribute| {
            check_list(&attribute.name, &attribute.sub_attributes)?;
            match attribute.sub_attributes.iter().find(|part| part.is_complex()) {
                Some(part) => Err(SchemaError::Nested(part.name.clone())),
                None => Ok(()),
            }
        })
    }
}

fn check_list(owner: &str, attributes: &[Attribute]) -> Result<(), SchemaError> {
    if !(1..=MAX_ATTRIBUTES).contains(&attributes.len()) {
        return Err(SchemaError::Count(owner.to_owned()));
    }
    for (index, attribute) in attributes.iter().enumerate() {
        let name = &attribute.name;
        if name.len() > MAX_NAME || name.starts_with('$') || !is_name(name) {
            return Err(SchemaError::Name);
        }
        if find(attributes.get(..index).unwrap_or_default(), name).is_some() {
            return Err(SchemaError::Repeated(name.clone()));
        }
        if !attribute.is_complex() && !attribute.sub_attributes.is_empty() {
            return Err(SchemaError::Nested(name.clone()));
        }
        if attribute.uniqueness != Uniqueness::None {
            return Err(SchemaError::Unique(name.clone()));
        }
        if attribute.description.len() > MAX_DESCRIPTION {
            return Err(SchemaError::Description);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::*;
    use super::*;

    fn schema(id: &str, attributes: &Value) -> Result<Schema, SchemaError> {
        let schema = json!({ "id": id, "name": "Ours", "attributes": attributes });
        let schema: Schema = serde_json::from_value(schema).unwrap();
        schema.check().map(|()| schema)
    }

    #[test]
    fn a_declared_schema_has_the_defaults_of_the_rfc() {
        let schema = schema("urn:example:hr-2.0:User", &json!([{ "name": "badge" }])).unwrap();
        assert_eq!(schema.attributes, [Attribute::text("badge", "")]);
        let user = ResourceType::user(vec![schema]);
        let path = crate::scim::path::AttributePath::parse("urn:EXAMPLE:hr-2.0:User:Badge").unwrap();
        assert_eq!(user.resolve(&path).unwrap().name(), "urn:example:hr-2.0:User:badge");
    }

    #[test]
    fn what_could_not_be_used_is_refused() {
        let fine = json!([{ "name": "a" }]);
        for wrong in [
            "",
            "urn:",
            "http://x.example",
            "urn:x y",
            "urn:x:",
            "urn:x(y",
            "urn:ü",
            &format!("urn:{}", "x".repeat(200)),
        ] {
            assert_eq!(schema(wrong, &fine), Err(SchemaError::Uri), "{wrong}");
        }
        assert_eq!(schema("urn:ietf:PARAMS:scim:x", &fine), Err(SchemaError::Reserved));
        let nested = |sub: Value| json!([{ "name": "a", "type": "complex", "subAttributes": sub }]);
        for (attributes, error) in [
            (json!([]), SchemaError::Count("the schema".to_owned())),
            (nested(json!([])), SchemaError::Count("a".to_owned())),
            (json!([{ "name": "1a" }]), SchemaError::Name),
            (json!([{ "name": "$ref" }]), SchemaError::Name),
            (json!([{ "name": "a.b" }]), SchemaError::Name),
            (json!([{ "name": "ab" }, { "name": "AB" }]), SchemaError::Repeated("AB".to_owned())),
            (json!([{ "name": "a", "subAttributes": [{ "name": "b" }] }]), SchemaError::Nested("a".to_owned())),
            (
                nested(json!([{ "name": "b", "type": "complex", "subAttributes": [] }])),
                SchemaError::Nested("b".to_owned()),
            ),
            (json!([{ "name": "a", "uniqueness": "server" }]), SchemaError::Unique("a".to_owned())),
            (json!([{ "name": "a", "description": "x".repeat(501) }]), SchemaError::Description),
        ] {
            assert_eq!(schema("urn:example:x", &attributes), Err(error), "{attributes}");
        }
        for unknown in [json!({ "name": "a", "type": "text" }), json!({ "name": "a", "multivalued": true })] {
            assert!(serde_json::from_value::<Attribute>(unknown).is_err());
        }
    }
}
