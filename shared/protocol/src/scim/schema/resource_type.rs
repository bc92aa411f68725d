//! Users and groups with all their schemas: which attribute a name means, and the documents that describe them.

use serde_json::{Value, json};

use super::{Attribute, Schema, find, group, user};
use crate::scim::path::AttributePath;
use crate::scim::{Error, ScimType};

/// The kinds of resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// People.
    User,
    /// Groups of people.
    Group,
}

/// A kind of resource with its schemas.
#[derive(Debug, Clone)]
pub struct ResourceType {
    kind: Kind,
    schema: Schema,
    extensions: Vec<Schema>,
    common: Vec<Attribute>,
}

/// Where an attribute is found in a resource.
#[derive(Debug, Clone, Copy)]
pub struct Place<'s> {
    /// The extension that it belongs to. `None`: the core schema, or no schema at all as `id`.
    pub extension: Option<&'s Schema>,
    /// The attribute.
    pub attribute: &'s Attribute,
    /// The part of it that is meant.
    pub sub: Option<&'s Attribute>,
}

/// No schema has an attribute of that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no attribute {0}; /Schemas lists those that there are")]
pub struct UnknownAttribute(String);

/// Longest name that an error repeats. It has passed as a name, so it holds no more than letters and a few signs.
const MAX_SHOWN: usize = 100;

impl UnknownAttribute {
    /// The error of a request that names `name`.
    pub(in crate::scim) fn new(name: &str) -> Self {
        Self(name.chars().take(MAX_SHOWN).collect())
    }

    /// As the error of a filter, a path or a parameter.
    pub fn as_error(&self, scim_type: ScimType) -> Error {
        Error::new(scim_type, self.to_string())
    }
}

impl ResourceType {
    /// Users, with the tenant's own extensions beside the enterprise one.
    pub fn user(custom: Vec<Schema>) -> Self {
        let extensions = std::iter::once(user::enterprise()).chain(custom).collect();
        Self { kind: Kind::User, schema: user::core(), extensions, common: group::common() }
    }

    /// Groups, with the tenant's own extensions.
    pub fn group(custom: Vec<Schema>) -> Self {
        Self { kind: Kind::Group, schema: group::core(), extensions: custom, common: group::common() }
    }

    /// Which kind it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The core schema.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The extensions, the standard ones first.
    pub fn extensions(&self) -> &[Schema] {
        &self.extensions
    }

    /// Every attribute that a resource has at its top: those of all resources, then those of the core schema.
    pub fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        self.common.iter().chain(&self.schema.attributes)
    }

    /// The extension of that URI, in any case.
    pub fn extension(&self, uri: &str) -> Option<&Schema> {
        self.extensions.iter().find(|schema| schema.id.eq_ignore_ascii_case(uri))
    }

    /// Whether attributes of the core schema may be prefixed by `uri`.
    pub fn is_core(&self, uri: &str) -> bool {
        self.schema.id.eq_ignore_ascii_case(uri)
    }

    /// The attribute that a path means.
    pub fn resolve(&self, path: &AttributePath) -> Result<Place<'_>, UnknownAttribute> {
        self.place(path).ok_or_else(|| UnknownAttribute::new(&path.to_string()))
    }

    fn place(&self, path: &AttributePath) -> Option<Place<'_>> {
        let sub = path.sub.as_deref();
        let Some(uri) = path.schema.as_deref() else {
            return Place::new(None, self.attributes(), &path.name, sub);
        };
        if self.is_core(uri) {
            return Place::new(None, self.attributes(), &path.name, sub);
        }
        if let Some(extension) = self.extension(uri) {
            return Place::new(Some(extension), &extension.attributes, &path.name, sub);
        }
        // `urn:…:2.0:User.department`: a dot where the colon belongs is a mistake that directories make.
        let extension = self.extension(&format!("{uri}:{}", path.name))?;
        Place::new(Some(extension), &extension.attributes, sub?, None)
    }

    /// Every schema as `/Schemas` shows it, `base` being the address of the SCIM server.
    pub fn schema_documents(&self, base: &str) -> impl Iterator<Item = Value> {
        std::iter::once(&self.schema).chain(&self.extensions).map(move |schema| schema.document(base))
    }

    /// The kind as `/ResourceTypes` shows it (RFC 7643 §6).
    pub fn document(&self, base: &str) -> Value {
        let name = self.kind.as_str();
        let extensions: Vec<Value> =
            self.extensions.iter().map(|schema| json!({ "schema": schema.id, "required": false })).collect();
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            "id": name,
            "name": name,
            "endpoint": self.kind.endpoint(),
            "description": self.schema.description,
            "schema": self.schema.id,
            "schemaExtensions": extensions,
            "meta": { "resourceType": "ResourceType", "location": format!("{base}/ResourceTypes/{name}") },
        })
    }
}

impl Kind {
    /// The name in `meta.resourceType`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
        }
    }

    /// The path below the SCIM server's address.
    pub const fn endpoint(self) -> &'static str {
        match self {
            Self::User => "/Users",
            Self::Group => "/Groups",
        }
    }
}

impl<'s> Place<'s> {
    fn new(
        extension: Option<&'s Schema>,
        attributes: impl IntoIterator<Item = &'s Attribute>,
        name: &str,
        sub: Option<&str>,
    ) -> Option<Self> {
        let attribute = attributes.into_iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))?;
        let sub = match sub {
            Some(sub) => Some(find(&attribute.sub_attributes, sub)?),
            None => None,
        };
        Some(Self { extension, attribute, sub })
    }

    /// The attribute that holds the value: the part, where one is named.
    pub fn leaf(&self) -> &'s Attribute {
        self.sub.unwrap_or(self.attribute)
    }

    /// What a resource holds there. An extension's attributes are in an object of their own.
    pub fn get<'r>(&self, resource: &'r Value) -> Option<&'r Value> {
        let holder = match self.extension {
            Some(extension) => resource.get(&extension.id)?,
            None => resource,
        };
        holder.get(&self.attribute.name)
    }

    /// The name in our own case, with the extension before it.
    pub fn name(&self) -> String {
        let mut name = self.extension.map(|extension| format!("{}:", extension.id)).unwrap_or_default();
        name.push_str(&self.attribute.name);
        if let Some(sub) = self.sub {
            name.push('.');
            name.push_str(&sub.name);
        }
        name
    }
}

impl Schema {
    /// The schema as `/Schemas` shows it.
    pub fn document(&self, base: &str) -> Value {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "attributes": self.attributes,
            "meta": { "resourceType": "Schema", "location": format!("{base}/Schemas/{}", self.id) },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::*;
    use super::*;

    fn place(text: &str) -> Result<String, UnknownAttribute> {
        let user = ResourceType::user(Vec::new());
        user.resolve(&AttributePath::parse(text).unwrap()).map(|place| place.name())
    }

    /// SC-7
    #[test]
    fn a_name_in_any_case_and_with_its_schema_means_the_same() {
        for (sent, meant) in [
            ("USERNAME", "userName"),
            ("ID", "id"),
            ("meta.LASTMODIFIED", "meta.lastModified"),
            ("Emails.Value", "emails.value"),
            ("groups.$REF", "groups.$ref"),
            ("urn:ietf:params:scim:schemas:core:2.0:User:name.familyname", "name.familyName"),
            ("URN:IETF:params:scim:schemas:core:2.0:user:externalId", "externalId"),
        ] {
            assert_eq!(place(sent).as_deref(), Ok(meant), "{sent}");
        }
        let department = format!("{ENTERPRISE_USER}:department");
        assert_eq!(place(&department.to_lowercase()), Ok(department.clone()));
        assert_eq!(place(&format!("{ENTERPRISE_USER}.department")), Ok(department));
        assert_eq!(place(&format!("{ENTERPRISE_USER}:manager.value")), Ok(format!("{ENTERPRISE_USER}:manager.value")));
    }

    /// SC-8
    #[test]
    fn an_unknown_attribute_is_an_error_that_names_it() {
        for wrong in [
            "username2",
            "department",
            "userName.value",
            "name.value",
            "emails.valu",
            "members",
            "urn:ietf:params:scim:schemas:core:2.0:Group:displayName",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:userName",
            "urn:example:other:department",
        ] {
            let error = place(wrong).unwrap_err().as_error(ScimType::InvalidFilter);
            assert!(error.status == 400 && error.detail.contains(wrong), "{error}");
        }
        assert!(place(&"a".repeat(4_000)).unwrap_err().to_string().len() < 200);
    }

    /// SC-15: what is shown is what is read.
    #[test]
    fn documents_show_the_whole_table() {
        let user = ResourceType::user(Vec::new());
        let documents: Vec<Value> = user.schema_documents("https://s.example/scim/v2").collect();
        assert_eq!(documents.len(), 2);
        assert_eq!(documents[0]["meta"]["location"], format!("https://s.example/scim/v2/Schemas/{USER}"));
        for (document, schema) in documents.iter().zip([user.schema(), &user.extensions()[0]]) {
            let attributes: Vec<Attribute> = serde_json::from_value(document["attributes"].clone()).unwrap();
            assert_eq!(attributes, schema.attributes);
        }
        let user_name = &documents[0]["attributes"][0];
        assert_eq!((&user_name["uniqueness"], &user_name["caseExact"]), (&json!("server"), &json!(false)));
        let document = user.document("https://s.example");
        assert_eq!((&document["endpoint"], &document["schema"]), (&json!("/Users"), &json!(USER)));
        assert_eq!(document["schemaExtensions"], json!([{ "schema": ENTERPRISE_USER, "required": false }]));
        assert_eq!(ResourceType::group(Vec::new()).document("")["schemaExtensions"], json!([]));
    }
}
