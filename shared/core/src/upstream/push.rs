//! Our authorization request, sent ahead to the provider (RFC 9126): the browser carries only a name for it. Done where
//! the provider insists, or the connection asks for it; a login's start makes no other request to the provider.

use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use url::Url;

use super::form::{self, OurName};
use super::request::Parameters;
use super::{Target, UpstreamCopy};
use crate::Broker;
use crate::error::{Error, LoginError};

/// Longest name of a request that we carry, in bytes.
const MAX_NAME: usize = 1024;

#[derive(Deserialize)]
struct Pushed {
    request_uri: String,
}

/// Where requests are sent ahead, when this one has to be.
pub(super) fn endpoint<'c>(target: &Target<'_>, copy: &'c UpstreamCopy) -> Result<Option<&'c Url>, LoginError> {
    let wanted = target.settings.request.pushed || copy.metadata.require_pushed_authorization_requests;
    match &copy.metadata.pushed_authorization_request_endpoint {
        _ if !wanted => Ok(None),
        Some(endpoint) => Ok(Some(endpoint)),
        None => Err(LoginError::UpstreamInvalid("no endpoint for pushed requests")),
    }
}

/// Sends the request ahead; what is left for the browser.
pub(super) async fn push(
    broker: &Broker,
    target: &Target<'_>,
    copy: &UpstreamCopy,
    endpoint: &Url,
    parameters: Parameters,
) -> Result<Parameters, Error> {
    let client_id = ("client_id".to_owned(), target.settings.client_id.clone());
    let mut form = parameters;
    // A signed request has everything in it, and nothing beside it but what authenticates us (RFC 9126 §3).
    if form.iter().any(|(name, _)| name == "request") {
        form.retain(|(name, _)| name == "request" || name == "client_id");
    }
    let sent = form::post(broker, target.tenant, &OurName::of(broker, target, copy)?, endpoint, form).await?;
    let reply = sent.map_err(|error| LoginError::UpstreamUnavailable(error.to_string()))?;
    Ok(vec![client_id, ("request_uri".to_owned(), name_in(&reply)?)])
}

fn unavailable(what: &str) -> LoginError {
    LoginError::UpstreamUnavailable(format!("the endpoint for pushed requests {what}"))
}

/// The name of the request. What the provider wrote otherwise stays out of our texts.
fn name_in(reply: &http::Response<Bytes>) -> Result<String, LoginError> {
    match reply.status() {
        StatusCode::CREATED | StatusCode::OK => {
            let pushed: Option<Pushed> = serde_json::from_slice(reply.body()).ok();
            let name = pushed.map(|pushed| pushed.request_uri).filter(|name| (1..=MAX_NAME).contains(&name.len()));
            name.ok_or_else(|| unavailable("did not answer with a request_uri"))
        }
        StatusCode::UNAUTHORIZED => Err(LoginError::UpstreamDenied("client authentication of a pushed request")),
        StatusCode::TOO_MANY_REQUESTS => Err(unavailable("answered 429")),
        status if status.is_client_error() => Err(LoginError::UpstreamDenied("a pushed request")),
        status => Err(unavailable(&format!("answered {}", status.as_u16()))),
    }
}
