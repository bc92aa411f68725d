//! What a directory pushed, in the place of a claim: the same rules serve both.

use std::str::FromStr;

use serde_json::{Map, Value};

use super::text_form;
use super::value::{Said, Split};
use crate::scim::path::AttributePath;
use crate::scim::schema::{ResourceType, USER};

const GROUPS: &str = "group_display_names";

/// What stands for a claim where a directory pushes people: a SCIM attribute, such as `userType`, `roles.value` or
/// `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department`; or `group_display_names`, what the person's
/// groups are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectorySource {
    text: String,
    /// `None` for the groups.
    attribute: Option<AttributePath>,
}

/// Why a text is no source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a SCIM attribute, as userType, emails.value or urn:…:User:department, or group_display_names")]
pub struct DirectorySourceError;

impl DirectorySource {
    /// Whether it names an attribute of a schema that `people` have, which is not in it. Of other schemas nothing is
    /// known.
    pub fn is_unknown(&self, people: &ResourceType) -> bool {
        let Some(path) = &self.attribute else { return false };
        let known = |schema: &str| people.is_core(schema) || people.extension(schema).is_some();
        path.schema.as_deref().is_none_or(known) && people.resolve(path).is_err()
    }

    /// What it says of somebody: `attributes` are theirs, normalised, `groups` what their groups are called.
    pub fn said<'a>(
        &self,
        attributes: &Map<String, Value>,
        groups: impl Iterator<Item = &'a str>,
        split: Option<&Split>,
    ) -> Said {
        let Some(path) = &self.attribute else {
            let names: Vec<Value> = groups.map(Value::from).collect();
            return Said::new(&names, split);
        };
        // Attributes of the core schema stand at the top, an extension's in an object of their own.
        let extension = path.schema.as_deref().filter(|schema| !schema.eq_ignore_ascii_case(USER));
        let holder = match extension {
            Some(schema) => member(attributes, schema).and_then(Value::as_object),
            None => Some(attributes),
        };
        let value = holder.and_then(|holder| member(holder, &path.name));
        let part = path.sub.as_deref().unwrap_or("value");
        let parts = value.into_iter().flat_map(elements).filter_map(|element| match element {
            Value::Object(parts) => member(parts, part),
            simple => path.sub.is_none().then_some(simple),
        });
        Said::new(parts, split)
    }
}

fn elements(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

/// Names of attributes have no case (RFC 7643 §2.1).
fn member<'m>(members: &'m Map<String, Value>, name: &str) -> Option<&'m Value> {
    members.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

impl FromStr for DirectorySource {
    type Err = DirectorySourceError;

    fn from_str(text: &str) -> Result<Self, DirectorySourceError> {
        let attribute = match text {
            GROUPS => None,
            text if text.len() > 255 => return Err(DirectorySourceError),
            text => Some(AttributePath::parse(text).ok_or(DirectorySourceError)?),
        };
        Ok(Self { text: text.to_owned(), attribute })
    }
}

text_form!(DirectorySource);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn attributes_and_groups_stand_for_claims() {
        let department = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        let attributes = json!({
            "userType": "Staff", "emails": [{ "value": "a@x.example", "type": "work" }, { "value": "b@x.example" }],
            "roles": [{ "value": "admin", "display": "Admin" }], department: { "department": "R&D" }, "active": true,
        });
        let said = |source: &str| {
            let source: DirectorySource = source.parse().unwrap();
            match source.said(attributes.as_object().unwrap(), ["Ops", "Dev"].into_iter(), None) {
                Said::Values(values) => values,
                Said::TooMany => panic!("too many"),
            }
        };
        assert_eq!(said("group_display_names"), ["Ops", "Dev"]);
        assert_eq!(said("usertype"), ["Staff"]);
        assert_eq!(said(&format!("{USER}:userType")), ["Staff"]);
        assert_eq!(said("emails"), ["a@x.example", "b@x.example"]);
        assert_eq!(said("emails.type"), ["work"]);
        assert_eq!(said("roles.display"), ["Admin"]);
        assert_eq!(said(&format!("{department}:Department")), ["R&D"]);
        for nothing in ["title", "userType.value", "emails.x", "urn:x:y:department", "name.givenName"] {
            assert_eq!(said(nothing), Vec::<String>::new(), "{nothing}");
        }
    }

    #[test]
    fn an_attribute_that_nobody_has_is_known_to_be_none() {
        let people = ResourceType::user(Vec::new());
        let unknown = |source: &str| source.parse::<DirectorySource>().unwrap().is_unknown(&people);
        for known in ["group_display_names", "userType", "emails.type", "urn:corp:schemas:User:level"] {
            assert!(!unknown(known), "{known}");
        }
        for wrong in
            ["usertypo", "emails.kind", &format!("{USER}:x"), &format!("{}:x", crate::scim::schema::ENTERPRISE_USER)]
        {
            assert!(unknown(wrong), "{wrong}");
        }
    }

    #[test]
    fn what_names_no_attribute_is_refused() {
        for wrong in ["", "a b", "a.b.c", "$.a", "https://x", "emails[type eq \"work\"]"] {
            assert_eq!(wrong.parse::<DirectorySource>(), Err(DirectorySourceError), "{wrong}");
        }
    }
}
