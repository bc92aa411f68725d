//! Asking a condition of a resource. Names in the resource are in the schemas' case: bodies are normalised when they
//! come in.

use serde_json::Value;

use super::{Condition, ElementCondition};
use crate::scim::schema::Place;

impl Condition<'_> {
    /// Whether the resource fulfils the condition. Of several values, one that does is enough.
    pub fn holds_for(&self, resource: &Value) -> bool {
        match self {
            Self::All(conditions) => conditions.iter().all(|condition| condition.holds_for(resource)),
            Self::Any(conditions) => conditions.iter().any(|condition| condition.holds_for(resource)),
            Self::Not(condition) => !condition.holds_for(resource),
            Self::Present(place) => values(place, resource).next().is_some(),
            Self::Compare(place, comparison) => {
                let mut values = values(place, resource).peekable();
                if values.peek().is_none() {
                    return comparison.holds_for_nothing();
                }
                values.any(|value| comparison.holds_for(value))
            }
            Self::Element(place, condition) => {
                place.get(resource).is_some_and(|value| several(value).iter().any(|value| condition.holds_for(value)))
            }
        }
    }
}

impl ElementCondition<'_> {
    /// Whether one value of the attribute fulfils the condition.
    pub fn holds_for(&self, element: &Value) -> bool {
        match self {
            Self::All(conditions) => conditions.iter().all(|condition| condition.holds_for(element)),
            Self::Any(conditions) => conditions.iter().any(|condition| condition.holds_for(element)),
            Self::Not(condition) => !condition.holds_for(element),
            Self::Present(part) => element.get(&part.name).is_some_and(has_value),
            Self::Compare(part, comparison) => match element.get(&part.name).filter(|value| has_value(value)) {
                Some(value) => several(value).iter().any(|value| comparison.holds_for(value)),
                None => comparison.holds_for_nothing(),
            },
        }
    }
}

/// Every value that the resource has at that place, none of them empty.
pub(in crate::scim) fn values<'r>(place: &Place<'_>, resource: &'r Value) -> impl Iterator<Item = &'r Value> {
    let sub = place.sub;
    place
        .get(resource)
        .map(several)
        .unwrap_or_default()
        .iter()
        .filter_map(move |value| match sub {
            Some(sub) => value.get(&sub.name),
            None => Some(value),
        })
        .flat_map(several)
        .filter(|value| has_value(value))
}

/// A list's values, or the only one.
fn several(value: &Value) -> &[Value] {
    match value {
        Value::Array(values) => values,
        only => std::slice::from_ref(only),
    }
}

/// Null, an empty list and what has only empty parts are no values (RFC 7643 §2.5). An empty text is one that we never
/// store.
fn has_value(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => values.iter().any(has_value),
        Value::Object(parts) => parts.values().any(has_value),
        Value::Bool(_) | Value::Number(_) => true,
    }
}
