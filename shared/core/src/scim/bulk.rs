//! Several requests in one (RFC 7644 §3.7): each is done for itself, in an order in which references work out.

use std::collections::BTreeMap;

use serde_json::Value;
use vestibule_protocol::scim::Error as ScimError;
use vestibule_protocol::scim::bulk::{Bulk, Method, Operation, response};

use super::access::ScimCaller;
use super::{Asked, LIMITS, One};
use crate::Broker;
use crate::admin::change::{Condition, Tags};
use crate::error::{Error, Internal};
use crate::store::StoreError;

/// What became of an operation.
struct Outcome {
    status: u16,
    location: Option<String>,
    tag: Option<String>,
}

/// Does what a bulk request asks for. What fails is in the answer; the others are done all the same, until there are as
/// many errors as the request allows.
pub async fn bulk(broker: &Broker, caller: &ScimCaller, body: &Value) -> Result<Value, Error> {
    let Bulk { fail_on_errors, operations } = Bulk::parse(body, LIMITS.max_bulk_operations)?;
    let order = Bulk { fail_on_errors, operations: operations.clone() }.order()?;
    let mut created = BTreeMap::new();
    let mut results = BTreeMap::new();
    let mut errors = 0;
    for index in order {
        let Some(mut operation) = operations.get(index).cloned() else { continue };
        operation.resolve(&created);
        let result = match perform(broker, caller, &operation).await {
            Ok(Outcome { status, location, tag }) => {
                let id = location.as_deref().and_then(|location| location.rsplit('/').next());
                if let (Some(name), Some(id), Method::Post) = (&operation.bulk_id, id, operation.method) {
                    created.insert(name.clone(), id.to_owned());
                }
                operation.result(status, location.as_deref(), tag.as_deref(), None)
            }
            Err(error) => {
                errors += 1;
                let error = told(error);
                operation.result(error.status, None, None, Some(&error))
            }
        };
        results.insert(index, result);
        if fail_on_errors.is_some_and(|most| errors >= most) {
            break;
        }
    }
    Ok(response(&results.into_values().collect::<Vec<_>>()))
}

async fn perform(broker: &Broker, caller: &ScimCaller, operation: &Operation) -> Result<Outcome, Error> {
    let condition = Condition { if_match: operation.version.as_deref().map(tags).transpose()?, if_none_match: None };
    let asked = Asked { condition, ..Asked::default() };
    let one = One { kind: operation.kind, id: operation.id.as_deref().unwrap_or_default() };
    let (status, answer) = match operation.method {
        Method::Post => (201, super::create(broker, caller, operation.kind, &operation.data, &asked).await?),
        Method::Put => (200, super::replace(broker, caller, one, &operation.data, &asked).await?),
        Method::Patch => (200, super::patch(broker, caller, one, &operation.data, &asked).await?),
        Method::Delete => {
            super::delete(broker, caller, one, &asked).await?;
            return Ok(Outcome { status: 204, location: None, tag: None });
        }
    };
    Ok(Outcome { status, location: Some(answer.location), tag: answer.tag })
}

fn tags(version: &str) -> Result<Tags, ScimError> {
    Tags::parse(version).ok_or_else(|| ScimError::invalid_value("version must be as meta.version shows it"))
}

/// What the answer says of an operation that failed. What broke on our side is logged here, because the request as a
/// whole goes well.
fn told(error: Error) -> ScimError {
    match error {
        Error::Scim(error) => error,
        Error::Internal(Internal::Store(StoreError::Busy(_))) => ScimError::status(503, "busy: try again"),
        error => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::error!(error = %error, cause, "scim.operation_failed");
            ScimError::status(500, "something broke on our side")
        }
    }
}
