//! What an application of the file would change, field by field.

use serde_json::{Map, Value};

/// One field that becomes another.
#[derive(Debug, PartialEq)]
pub(super) struct Change {
    /// Its dotted name within the object.
    pub(super) field: String,
    /// What the broker has; null for nothing.
    pub(super) from: Value,
    /// What it is going to have.
    pub(super) to: Value,
}

/// The fields in which two views of an object differ. An absent field is a null one, an absent table an empty one; lists
/// are compared as a whole.
pub(super) fn changes(from: &Value, to: &Value) -> Vec<Change> {
    let mut found = Vec::new();
    compare("", from, to, &mut found);
    found
}

fn compare(field: &str, from: &Value, to: &Value, found: &mut Vec<Change>) {
    let empty = Map::new();
    let (left, right) = match (from, to) {
        (Value::Object(left), Value::Object(right)) => (left, right),
        (Value::Object(left), Value::Null) => (left, &empty),
        (Value::Null, Value::Object(right)) => (&empty, right),
        (from, to) => {
            if from != to {
                found.push(Change { field: field.to_owned(), from: from.clone(), to: to.clone() });
            }
            return;
        }
    };
    let mut names: Vec<&String> = left.keys().chain(right.keys()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let dotted = if field.is_empty() { name.clone() } else { format!("{field}.{name}") };
        compare(&dotted, left.get(name).unwrap_or(&Value::Null), right.get(name).unwrap_or(&Value::Null), found);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(from: &Value, to: &Value) -> Vec<String> {
        changes(from, to).into_iter().map(|Change { field, from, to }| format!("{field}: {from} -> {to}")).collect()
    }

    #[test]
    fn only_what_differs_is_a_change() {
        let one = json!({"name": "A", "list": [1, 2], "deep": {"on": true, "same": 1}, "gone": 1, "null": null});
        let other = json!({"name": "A", "list": [2, 1], "deep": {"on": false, "same": 1}, "new": {"a": 1, "b": {}}});
        let expected = ["deep.on: true -> false", "gone: 1 -> null", "list: [1,2] -> [2,1]", "new.a: null -> 1"];
        assert_eq!(fields(&one, &other), expected);
        assert_eq!(changes(&one, &one), []);
        assert_eq!(changes(&json!({"a": null}), &json!({})), [], "nothing is nothing");
    }
}
