//! What a list is asked for: by the parameters of a GET, or by the body of `/.search` (RFC 7644 §3.4.2, §3.4.3; RFC 9865
//! §2).

use serde_json::{Map, Value};

use super::{Error, ScimType};

/// The schema of a search.
pub const SEARCH_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
/// Longest cursor that is looked at, in bytes.
const MAX_CURSOR: usize = 2_048;

/// What a list is asked for, not yet understood by the schemas.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// The filter's text.
    pub filter: Option<String>,
    /// What is shown; empty: the usual.
    pub attributes: Vec<String>,
    /// What is not shown.
    pub excluded_attributes: Vec<String>,
    /// The attribute that the list is sorted by.
    pub sort_by: Option<String>,
    /// Whether the order is reversed.
    pub descending: bool,
    /// Where the page begins.
    pub start: Start,
    /// How many there may be on it. `None`: as many as we like.
    pub count: Option<usize>,
}

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// At this one, counted from 1.
    Index(usize),
    /// Where the cursor says; empty: at the beginning, and then on by cursors.
    Cursor(String),
}

impl Default for Start {
    fn default() -> Self {
        Self::Index(1)
    }
}

impl Query {
    /// Reads the decoded parameters of a GET. Those that we don't know are ignored.
    pub fn of_parameters<'p>(parameters: impl IntoIterator<Item = (&'p str, &'p str)>) -> Result<Self, Error> {
        let mut sent = Map::new();
        for (name, value) in parameters {
            let name = name.to_ascii_lowercase();
            if KNOWN.contains(&name.as_str()) && sent.insert(name, Value::from(value)).is_some() {
                return Err(Error::invalid_value("a parameter is repeated"));
            }
        }
        Self::of(&sent)
    }

    /// Reads the body of a search.
    pub fn of_body(body: &Value) -> Result<Self, Error> {
        let invalid = |detail: String| Error::new(ScimType::InvalidSyntax, detail);
        let body = body.as_object().ok_or_else(|| invalid("the body must be a JSON object".to_owned()))?;
        let mut sent = Map::new();
        for (name, value) in body.iter().filter(|(_, value)| !value.is_null()) {
            if sent.insert(name.to_ascii_lowercase(), value.clone()).is_some() {
                return Err(invalid("a member is there twice".to_owned()));
            }
        }
        let schemas = sent.get("schemas").and_then(Value::as_array);
        if !schemas.is_some_and(|schemas| schemas.iter().any(|uri| uri == SEARCH_SCHEMA)) {
            return Err(invalid(format!("schemas must be a list that names {SEARCH_SCHEMA}")));
        }
        Self::of(&sent)
    }

    /// Names are in lower case here.
    fn of(sent: &Map<String, Value>) -> Result<Self, Error> {
        let text = |name: &str| match sent.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(Error::invalid_value(format!("{name} must be a text"))),
        };
        let descending = match text("sortorder")?.as_deref() {
            None => false,
            Some(order) if order.eq_ignore_ascii_case("ascending") => false,
            Some(order) if order.eq_ignore_ascii_case("descending") => true,
            Some(_) => return Err(Error::invalid_value("sortOrder must be ascending or descending")),
        };
        let start = match text("cursor")? {
            Some(_) if sent.contains_key("startindex") => {
                return Err(Error::invalid_value("startIndex and cursor exclude each other"));
            }
            Some(cursor) if cursor.len() > MAX_CURSOR => {
                return Err(Error::new(ScimType::InvalidCursor, "the cursor is not one of ours"));
            }
            Some(cursor) => Start::Cursor(cursor),
            None => Start::Index(number(sent, "startindex")?.unwrap_or(1).max(1)),
        };
        let filter = text("filter")?;
        if filter.as_deref() == Some("") {
            return Err(Error::new(ScimType::InvalidFilter, "the filter is empty"));
        }
        Ok(Self {
            filter,
            attributes: names(sent, "attributes")?,
            excluded_attributes: names(sent, "excludedattributes")?,
            sort_by: text("sortby")?,
            descending,
            start,
            count: number(sent, "count")?,
        })
    }
}

/// The parameters that we know, in lower case.
const KNOWN: [&str; 8] =
    ["filter", "attributes", "excludedattributes", "sortby", "sortorder", "startindex", "count", "cursor"];

/// A whole number, as JSON or as text. Below 0 counts as 0 (RFC 7644 §3.4.2.4).
fn number(sent: &Map<String, Value>, name: &str) -> Result<Option<usize>, Error> {
    let number = match sent.get(name) {
        None => return Ok(None),
        Some(Value::String(text)) => text.parse().ok(),
        Some(Value::Number(number)) => number.as_i64(),
        Some(_) => None,
    };
    let number = number.ok_or_else(|| Error::invalid_value(format!("{name} must be a whole number")))?;
    Ok(Some(usize::try_from(number.max(0)).unwrap_or(usize::MAX)))
}

/// Names in a list, or in a text with commas between.
fn names(sent: &Map<String, Value>, name: &str) -> Result<Vec<String>, Error> {
    let names: Option<Vec<&str>> = match sent.get(name) {
        None => return Ok(Vec::new()),
        Some(Value::String(text)) => Some(text.split(',').collect()),
        Some(Value::Array(names)) => names.iter().map(Value::as_str).collect(),
        Some(_) => None,
    };
    let names = names.ok_or_else(|| Error::invalid_value(format!("{name} must be a list of names")))?;
    Ok(names.into_iter().map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// SC-4
    #[test]
    fn pages_are_counted_as_the_rfc_says() {
        for (start, count, expected) in [
            ("1", "100", (1, Some(100))),
            ("0", "0", (1, Some(0))),
            ("-5", "-1", (1, Some(0))),
            ("100000", "2", (100_000, Some(2))),
        ] {
            let query = Query::of_parameters([("startIndex", start), ("count", count), ("other", "x")]).unwrap();
            assert_eq!((query.start, query.count), (Start::Index(expected.0), expected.1));
        }
        assert_eq!(Query::of_parameters([]).unwrap(), Query::default());
        let query = Query::of_parameters([("cursor", ""), ("count", "5")]).unwrap();
        assert_eq!((query.start, query.count), (Start::Cursor(String::new()), Some(5)));
    }

    /// SC-17
    #[test]
    fn a_search_asks_what_a_get_asks() {
        let get = Query::of_parameters([
            ("FILTER", "userName pr"),
            ("attributes", "userName, emails.value,"),
            ("sortBy", "id"),
            ("sortOrder", "Descending"),
            ("startIndex", "2"),
        ]);
        let search = Query::of_body(&json!({
            "schemas": [SEARCH_SCHEMA], "filter": "userName pr", "attributes": ["userName", "emails.value"], "count": null,
            "sortBy": "id", "sortOrder": "descending", "startIndex": 2,
        }));
        assert_eq!(get, search);
        assert_eq!(get.unwrap().attributes, ["userName", "emails.value"]);
    }

    /// SC-4, SC-18
    #[test]
    fn what_is_no_query_is_refused() {
        for wrong in [
            vec![("startIndex", "one")],
            vec![("startIndex", "")],
            vec![("count", "1.5")],
            vec![("count", "99999999999999999999")],
            vec![("sortOrder", "up")],
            vec![("filter", "")],
            vec![("filter", "a pr"), ("Filter", "b pr")],
            vec![("cursor", "x"), ("startIndex", "1")],
            vec![("cursor", &*"x".repeat(MAX_CURSOR + 1))],
        ] {
            assert_eq!(Query::of_parameters(wrong.clone()).map_err(|error| error.status), Err(400), "{wrong:?}");
        }
        for wrong in [
            json!([]),
            json!({ "filter": "a pr" }),
            json!({ "schemas": ["urn:other"] }),
            json!({ "schemas": [SEARCH_SCHEMA], "filter": 1 }),
            json!({ "schemas": [SEARCH_SCHEMA], "attributes": [1] }),
            json!({ "schemas": [SEARCH_SCHEMA], "count": true }),
            json!({ "schemas": [SEARCH_SCHEMA], "count": 1, "Count": 2 }),
        ] {
            assert_eq!(Query::of_body(&wrong).map_err(|error| error.status), Err(400), "{wrong}");
        }
    }
}
