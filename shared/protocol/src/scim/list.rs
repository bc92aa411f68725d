//! The answer to a query (RFC 7644 §3.4.2, RFC 9865 §2).

use serde_json::{Map, Value, json};

/// The schema of a list.
pub const LIST_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// A page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct List {
    /// How many there are on all pages. A cursor's page may not know it.
    pub total: Option<usize>,
    /// Those on this page, as JSON texts.
    pub resources: Vec<String>,
    /// Which page it is.
    pub page: Page,
}

/// Which page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Page {
    /// The one that begins there, counted from 1.
    Index(usize),
    /// One of a walk; the next one begins at the cursor, if there is one.
    Cursor(Option<String>),
}

impl List {
    /// The body of the answer, a JSON text. Its numbers are numbers.
    pub fn body(self) -> String {
        let mut body = Map::from_iter([
            ("schemas".to_owned(), json!([LIST_SCHEMA])),
            ("itemsPerPage".to_owned(), self.resources.len().into()),
        ]);
        if let Some(total) = self.total {
            body.insert("totalResults".to_owned(), total.into());
        }
        match self.page {
            Page::Index(start) => drop(body.insert("startIndex".to_owned(), start.into())),
            Page::Cursor(Some(next)) => drop(body.insert("nextCursor".to_owned(), next.into())),
            Page::Cursor(None) => {}
        }
        let body = Value::Object(body).to_string();
        // Texts are put together as they are: to make values of them and write these again would cost as much once more.
        format!("{},\"Resources\":[{}]}}", body.strip_suffix('}').unwrap_or_default(), self.resources.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SC-4, SC-18
    #[test]
    fn a_list_counts_in_numbers() {
        let body = |list: List| serde_json::from_str::<Value>(&list.body()).unwrap();
        let resources = vec![json!({ "id": "a" }).to_string(), json!({}).to_string()];
        let list = List { total: Some(3), resources, page: Page::Index(2) };
        assert_eq!(
            body(list),
            json!({ "schemas": [LIST_SCHEMA], "totalResults": 3, "startIndex": 2, "itemsPerPage": 2, "Resources": [{ "id": "a" }, {}] })
        );
        let none = body(List { total: Some(0), resources: Vec::new(), page: Page::Index(1) });
        assert_eq!((&none["totalResults"], &none["Resources"]), (&json!(0), &json!([])));
        let walk = |next: Option<&str>| {
            body(List { total: None, resources: Vec::new(), page: Page::Cursor(next.map(str::to_owned)) })
        };
        assert_eq!(walk(Some("c"))["nextCursor"], "c");
        assert_eq!(walk(None), json!({ "schemas": [LIST_SCHEMA], "itemsPerPage": 0, "Resources": [] }));
    }
}
