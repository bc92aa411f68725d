//! What a case expects of an answer: some statuses, and values at paths such as `emails[type=work].value`,
//! `Resources[0].id` or `/urn:…:User/manager/value`. A value is as it is, or `{any}`, `{absent}`, `{or_absent}`,
//! `{len}`, `{in}`, `{min}`, `{not}`, `{contains}`.

use serde_json::Value;
use vestibule_tests::reply::Reply;

/// What is not as expected.
pub(super) fn problems(reply: &Reply, expected: &Value) -> Vec<String> {
    let statuses = expected["status"].as_array().expect("statuses");
    if !statuses.contains(&reply.status.as_u16().into()) {
        return vec![format!("{} in place of {:?}: {}", reply.status, statuses, reply.body)];
    }
    if reply.body.is_empty() {
        return Vec::new();
    }
    let body = reply.scim();
    let expected = expected["body"].as_object().into_iter().flatten();
    let wrong = |(path, expected): (&String, &Value)| {
        let found = find(&body, path);
        (!is_as(found, expected)).then(|| format!("{path} is {found:?} in place of {expected}"))
    };
    expected.filter_map(wrong).collect()
}

fn is_as(found: Option<&Value>, expected: &Value) -> bool {
    let Some(rules) = expected.as_object() else { return found == Some(expected) };
    let Some(found) = found.filter(|found| !found.is_null()) else {
        return rules.contains_key("absent") || rules.contains_key("or_absent");
    };
    rules.iter().all(|(rule, value)| match rule.as_str() {
        "any" | "or_absent" => true,
        "absent" => false,
        "len" => found.as_array().map(Vec::len) == value.as_u64().and_then(|length| usize::try_from(length).ok()),
        "in" => value.as_array().expect("a list").contains(found),
        "min" => found.as_i64() >= value.as_i64(),
        "not" => found != value,
        "contains" => found.as_array().is_some_and(|values| values.contains(value)),
        other => panic!("no rule is called {other}"),
    })
}

fn find<'v>(body: &'v Value, path: &str) -> Option<&'v Value> {
    // A path that begins with a schema's URI has slashes, because the URI has dots.
    if let Some(path) = path.strip_prefix('/') {
        return path.split('/').try_fold(body, |value, name| value.get(name));
    }
    path.split('.').try_fold(body, |value, step| {
        let (name, element) = step.split_once('[').map_or((step, None), |(name, element)| (name, Some(element)));
        let value = value.get(name)?;
        let Some(element) = element else { return Some(value) };
        let element = element.strip_suffix(']').expect("a bracket");
        match element.split_once('=') {
            None => value.get(element.parse::<usize>().expect("a number")),
            Some((part, text)) => value.as_array()?.iter().find(|one| one[part].as_str() == Some(text)),
        }
    })
}
