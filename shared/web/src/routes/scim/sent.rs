//! Reading a directory's request: parameters, conditions, bodies.

use http::header::{HeaderName, IF_MATCH, IF_NONE_MATCH};
use serde_json::Value;
use vestibule_core::Error;
use vestibule_core::admin::change::Condition;
use vestibule_core::scim::{Asked, LIMITS};
use vestibule_protocol::params::Params;
use vestibule_protocol::scim::{Error as ScimError, ScimType, query::Query};

use super::Sent;
use crate::request::{self, BodyError};

/// The parameters of a list, or of what is shown.
pub(super) fn query(request: &Sent) -> Result<Query, Error> {
    let parameters = Params::parse(request.uri().query().unwrap_or_default())
        .map_err(|error| ScimError::invalid_value(error.to_string()))?;
    Ok(Query::of_parameters(parameters.iter())?)
}

/// What is asked for beside the body.
pub(super) fn asked(request: &Sent) -> Result<Asked, Error> {
    let Query { attributes, excluded_attributes, .. } = query(request)?;
    let tags = |name: HeaderName| {
        let wrong = || ScimError::invalid_value(format!("{name} must be * or a list of tags such as W/\"abc\""));
        request::tags(request.headers(), &name).map_err(|_| wrong())
    };
    let condition = Condition { if_match: tags(IF_MATCH)?, if_none_match: tags(IF_NONE_MATCH)? };
    Ok(Asked { attributes, excluded_attributes, condition })
}

/// The body, which is JSON of either type.
pub(super) async fn body(request: Sent) -> Result<Value, Error> {
    if !["application/scim+json", "application/json"].iter().any(|expected| request::is_of_type(&request, expected)) {
        let detail = "the body must be application/scim+json or application/json";
        return Err(ScimError::status(415, detail).into());
    }
    let body = match request::body_within(request, LIMITS.max_bulk_bytes).await {
        Ok(body) => body,
        Err(BodyError::TooLargeOrBroken | BodyError::NotAForm | BodyError::NotJson) => {
            return Err(ScimError::status(413, "the body is larger than 1 MiB or incomplete").into());
        }
    };
    let wrong = |_| ScimError::new(ScimType::InvalidSyntax, "the body is not well-formed JSON");
    Ok(serde_json::from_slice(&body).map_err(wrong)?)
}
