//! What a resource is made of (RFC 7643 §7): schemas, and of each attribute what it holds and what may be done to it.
//!
//! One table for everything: what `/Schemas` shows is what filters, PATCH and bodies are checked against. A tenant's own
//! extensions are read from the same form that `/Schemas` shows.

mod custom;
mod group;
mod resource_type;
mod user;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::custom::SchemaError;
pub use self::resource_type::{Kind, Place, ResourceType, UnknownAttribute};

/// The core schema of users.
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The core schema of groups.
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// The extension for people who work somewhere.
pub const ENTERPRISE_USER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// A schema: a URI and the attributes that belong to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    /// Its URI.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
}

/// An attribute and its characteristics (RFC 7643 §2.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Attribute {
    /// Its name. Case does not matter when it is looked up.
    pub name: String,
    /// What it holds.
    #[serde(rename = "type", default)]
    pub data_type: DataType,
    /// Whether it holds several of them.
    #[serde(default)]
    pub multi_valued: bool,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Whether a resource can't be without it.
    #[serde(default)]
    pub required: bool,
    /// Whether upper and lower case differ when texts are compared.
    #[serde(default)]
    pub case_exact: bool,
    /// Who may write it, and when.
    #[serde(default)]
    pub mutability: Mutability,
    /// When it is shown.
    #[serde(default)]
    pub returned: Returned,
    /// Who else may have the same value.
    #[serde(default)]
    pub uniqueness: Uniqueness,
    /// Usual values, such as `work`; others are accepted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub canonical_values: Vec<String>,
    /// What a reference leads to: resource types, `external` or `uri`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reference_types: Vec<String>,
    /// The parts of a complex attribute: attributes that have no parts themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    // Every form stands whole in the description of the admin API: one that names itself would have no end.
    #[schemars(with = "Vec<serde_json::Map<String, serde_json::Value>>")]
    pub sub_attributes: Vec<Attribute>,
}

/// What an attribute holds (RFC 7643 §2.3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum DataType {
    /// Text.
    #[default]
    String,
    /// `true` or `false`.
    Boolean,
    /// Any number.
    Decimal,
    /// A whole number.
    Integer,
    /// An instant (RFC 3339).
    DateTime,
    /// A URI.
    Reference,
    /// Bytes in base64.
    Binary,
    /// Parts with names.
    Complex,
}

/// Who may write an attribute, and when.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Mutability {
    /// We only. What others send is ignored.
    ReadOnly,
    /// Anybody, always.
    #[default]
    ReadWrite,
    /// Once.
    Immutable,
    /// Anybody, and nobody reads it.
    WriteOnly,
}

/// When an attribute is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Returned {
    /// Whatever was asked for.
    Always,
    /// Never.
    Never,
    /// Unless something else was asked for.
    #[default]
    Default,
    /// Only when it was asked for.
    Request,
}

/// Who else may have the same value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Uniqueness {
    /// Anybody.
    #[default]
    None,
    /// Nobody in the tenant.
    Server,
    /// Nobody anywhere.
    Global,
}

impl Attribute {
    /// The sub-attribute of that name, in any case.
    pub fn sub(&self, name: &str) -> Option<&Self> {
        find(&self.sub_attributes, name)
    }

    /// Whether it has parts.
    pub fn is_complex(&self) -> bool {
        self.data_type == DataType::Complex
    }

    fn of(data_type: DataType, name: &str, description: &str) -> Self {
        Self {
            name: name.to_owned(),
            data_type,
            multi_valued: false,
            description: description.to_owned(),
            required: false,
            case_exact: false,
            mutability: Mutability::ReadWrite,
            returned: Returned::Default,
            uniqueness: Uniqueness::None,
            canonical_values: Vec::new(),
            reference_types: Vec::new(),
            sub_attributes: Vec::new(),
        }
    }

    fn text(name: &str, description: &str) -> Self {
        Self::of(DataType::String, name, description)
    }

    fn reference(name: &str, description: &str, types: &[&str]) -> Self {
        let reference_types = types.iter().map(|name| (*name).to_owned()).collect();
        Self { reference_types, case_exact: true, ..Self::of(DataType::Reference, name, description) }
    }

    fn complex(name: &str, description: &str, sub_attributes: Vec<Self>) -> Self {
        Self { sub_attributes, ..Self::of(DataType::Complex, name, description) }
    }

    fn exact(self) -> Self {
        Self { case_exact: true, ..self }
    }

    fn required(self) -> Self {
        Self { required: true, ..self }
    }

    fn many(self) -> Self {
        Self { multi_valued: true, ..self }
    }

    fn usually(self, values: &[&str]) -> Self {
        Self { canonical_values: values.iter().map(|value| (*value).to_owned()).collect(), ..self }
    }

    fn mutability(self, mutability: Mutability) -> Self {
        Self { mutability, ..self }
    }

    fn returned(self, returned: Returned) -> Self {
        Self { returned, ..self }
    }

    fn unique(self) -> Self {
        Self { uniqueness: Uniqueness::Server, ..self }
    }
}

/// The attribute of that name, in any case.
fn find<'s>(attributes: &'s [Attribute], name: &str) -> Option<&'s Attribute> {
    attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}
