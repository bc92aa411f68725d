//! The order of a list (RFC 7644 §3.4.2.3): `sortBy` becomes a key that compares as the attribute's type does.

use std::cmp::Ordering;

use serde_json::Value;

use super::condition::{fold, values};
use super::instant::Instant;
use super::path::AttributePath;
use super::schema::{DataType, Place, ResourceType, Returned};
use super::value::is_primary;
use super::{Error, ScimType};

/// By what a list is sorted.
#[derive(Debug, Clone)]
pub struct SortBy<'s>(Place<'s>);

/// Where a resource stands in a list. Without a value it stands last, which reversed is first.
#[derive(Debug, Clone, PartialEq)]
pub enum SortKey {
    /// `false` before `true`.
    Boolean(bool),
    /// By size.
    Number(f64),
    /// By time.
    Instant(Instant),
    /// By letters; in lower case where case does not matter.
    Text(String),
    /// No value.
    Absent,
}

impl<'s> SortBy<'s> {
    /// Understands `sortBy`.
    pub fn parse(resource_type: &'s ResourceType, text: &str) -> Result<Self, Error> {
        let path = AttributePath::parse(text);
        let path = path.ok_or_else(|| Error::new(ScimType::InvalidPath, "sortBy is no attribute's name"))?;
        let place = resource_type.resolve(&path).map_err(|error| error.as_error(ScimType::InvalidPath))?;
        let place = match place.attribute.sub("value") {
            Some(value) if place.sub.is_none() => Place { sub: Some(value), ..place },
            _ => place,
        };
        if place.leaf().is_complex() || place.attribute.returned == Returned::Never {
            return Err(Error::new(ScimType::InvalidPath, format!("{} has no order", place.name())));
        }
        Ok(Self(place))
    }

    /// Where the resource stands. Of several values the primary one counts, else the first.
    pub fn key(&self, resource: &Value) -> SortKey {
        let primary = self.0.get(resource).and_then(Value::as_array);
        let primary = primary.and_then(|values| values.iter().find(|value| is_primary(value)));
        let primary = primary.and_then(|value| value.get(&self.0.sub?.name));
        let Some(value) = primary.or_else(|| values(&self.0, resource).next()) else { return SortKey::Absent };
        let leaf = self.0.leaf();
        match value {
            Value::Bool(value) => SortKey::Boolean(*value),
            Value::Number(value) => value.as_f64().map_or(SortKey::Absent, SortKey::Number),
            Value::String(text) if leaf.data_type == DataType::DateTime => {
                Instant::parse(text).map_or(SortKey::Absent, SortKey::Instant)
            }
            Value::String(text) if leaf.case_exact => SortKey::Text(text.clone()),
            Value::String(text) => SortKey::Text(fold(text)),
            Value::Null | Value::Array(_) | Value::Object(_) => SortKey::Absent,
        }
    }
}

impl SortKey {
    /// The kinds in order. One attribute has one kind, and resources without a value.
    fn rank(&self) -> u8 {
        match self {
            Self::Boolean(_) => 0,
            Self::Number(_) => 1,
            Self::Instant(_) => 2,
            Self::Text(_) => 3,
            Self::Absent => 4,
        }
    }
}

impl Eq for SortKey {}

impl Ord for SortKey {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Boolean(one), Self::Boolean(other)) => one.cmp(other),
            (Self::Number(one), Self::Number(other)) => one.total_cmp(other),
            (Self::Instant(one), Self::Instant(other)) => one.cmp(other),
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            (one, other) => one.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for SortKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_is_sorted_by_the_attribute_s_type() {
        let user = ResourceType::user(Vec::new());
        let people = [
            json!({ "id": "b", "userName": "Bea", "meta": { "created": "2020-01-01T00:00:00+02:00" }, "active": true,
                "emails": [{ "value": "z@x" }, { "value": "a@x", "primary": true }] }),
            json!({ "id": "C", "userName": "anna", "meta": { "created": "2019-12-31T23:00:00Z" }, "active": false,
                "emails": [{ "value": "B@x" }] }),
            json!({ "id": "d", "userName": "Carl", "nickName": "x" }),
        ];
        for (by, expected) in [
            ("userName", "Cbd"),
            ("ID", "Cbd"),
            ("meta.created", "bCd"),
            ("emails", "bCd"),
            ("emails.value", "bCd"),
            ("active", "Cbd"),
            ("nickName", "dbC"),
        ] {
            let by = SortBy::parse(&user, by).unwrap();
            let mut sorted = people.to_vec();
            sorted.sort_by_key(|person| by.key(person));
            let ids: String = sorted.iter().filter_map(|person| person["id"].as_str()).collect();
            assert_eq!(ids, expected, "{by:?}");
        }
        for wrong in ["", "nope", "name", "addresses", "password", "emails[type eq \"x\"]"] {
            assert_eq!(SortBy::parse(&user, wrong).unwrap_err().scim_type, Some(ScimType::InvalidPath), "{wrong}");
        }
    }
}
