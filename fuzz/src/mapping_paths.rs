//! Claim paths and value patterns, which administrators write, over claims, which identity providers send.

use serde_json::{Map, Value};
use vestibule_protocol::mapping::attribute::{AttributeMapping, Count, MAX_BYTES, Reading};
use vestibule_protocol::mapping::name::{is_name, normalised};
use vestibule_protocol::mapping::path::ClaimPath;
use vestibule_protocol::mapping::pattern::Pattern;
use vestibule_protocol::mapping::value::{MAX_VALUES, Said};
use vestibule_protocol::oidc::claims::Claims;

/// The first line is a path, the second a pattern, the rest the claims. What is read is written as it was; whatever is
/// found is bounded; a pattern takes a part of its value; what a value becomes is a name, and stays one; nothing takes
/// long, for libFuzzer has a limit.
pub fn mapping_paths(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.splitn(3, '\n');
    let (path, pattern) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let claims = lines.next().and_then(|json| Claims::parse(json.as_bytes()));
    // The same text many times over is what costs most to look through.
    let claims = claims.unwrap_or_else(|| nested(path));
    if let Ok(path) = path.parse::<ClaimPath>() {
        assert_eq!(path.to_string().parse(), Ok(path.clone()), "two readings of a path");
        assert!(path.find(&claims).iter().all(|value| !value.is_null()));
        let only = path.only(&claims);
        assert!(only.is_none_or(|value| !value.is_array() && !value.is_object()));
        if let Said::Values(values) = Said::of(&claims, &path, None) {
            assert!(values.len() <= MAX_VALUES && values.iter().all(|value| !value.trim().is_empty()));
            let pattern = pattern.parse::<Pattern>();
            for value in &values {
                named(value);
                if let Ok(pattern) = &pattern {
                    taken(pattern, value);
                }
            }
        }
        let mapping = AttributeMapping { path, values: Count::First, split: pattern.parse().ok() };
        if let Reading::Value(value) = mapping.read(&claims) {
            assert!(value.to_string().len() <= MAX_BYTES, "an attribute is bounded");
        }
    }
    if let Ok(pattern) = pattern.parse::<Pattern>() {
        taken(&pattern, path);
    }
    if !path.trim().is_empty() {
        named(path.trim());
    }
}

fn taken(pattern: &Pattern, value: &str) {
    if let Some(part) = pattern.take(value) {
        assert!(value.contains(part) && (!part.is_empty() || value.is_empty()), "a part that is none");
    }
}

fn named(value: &str) {
    let name = normalised(value);
    assert!((1..=36).contains(&name.chars().count()), "{name} is too long");
    assert!(name.chars().all(|letter| letter.is_alphanumeric() || "-_".contains(letter)), "{name} is no name");
    assert_eq!(is_name(value), name == value);
    assert!(name == value || normalised(&name) != name, "{name} can be taken by another");
}

/// Claims that are deep and wide, under the names that a path has.
fn nested(path: &str) -> Claims {
    let names: Vec<&str> = path.split(['.', '[', ']', '\'', '"', '$', '*']).filter(|name| !name.is_empty()).collect();
    let mut value = Value::Array(vec![Value::from("leaf"); 20]);
    for _ in 0..3 {
        for name in names.iter().take(8).rev() {
            value = Value::Object(Map::from_iter([((*name).to_owned(), value)]));
        }
        value = Value::Array(vec![value.clone(), value.clone(), value]);
    }
    Claims::from(Map::from_iter([("a".to_owned(), value.clone()), (path.to_owned(), value)]))
}
