//! What is expected of a record, as a condition that DynamoDB decides.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use vestibule_core::store::Expect;
use vestibule_protocol::time::Timestamp;

use super::item::{TTL, seconds, text};

/// True of a record that has not expired. Where there is no record it is true too: there is no `ttl`.
pub(super) const LIVE: &str = "(attribute_not_exists(#ttl) OR #ttl > :now)";

/// An expression with what it refers to. DynamoDB refuses a name or a value that the expression does not use.
pub(super) struct Condition {
    pub(super) expression: String,
    pub(super) names: HashMap<String, String>,
    pub(super) values: HashMap<String, AttributeValue>,
}

/// The condition for `expect` at `now`; `None` when nothing is expected.
pub(super) fn of(expect: &Expect, now: Timestamp) -> Option<Condition> {
    let (expression, version) = match expect {
        Expect::Any => return None,
        // A comparison with an attribute that is missing is false.
        Expect::Absent => ("attribute_not_exists(pk) OR #ttl <= :now".to_owned(), None),
        Expect::Present => (format!("attribute_exists(pk) AND {LIVE}"), None),
        Expect::Version(version) => (format!("version = :version AND {LIVE}"), Some(version)),
    };
    let names = HashMap::from([("#ttl".to_owned(), TTL.to_owned())]);
    let mut values = HashMap::from([(":now".to_owned(), seconds(now))]);
    if let Some(version) = version {
        values.insert(":version".to_owned(), text(version.as_str()));
    }
    Some(Condition { expression, names, values })
}
