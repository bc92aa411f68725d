//! Errors for directories (RFC 7644 §3.12).

use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use vestibule_core::error::{Error, Internal};
use vestibule_core::store::StoreError;
use vestibule_protocol::scim;

use crate::response::{self, Reply};

/// Shows an error. What is ours to mend has the reference that the log has too.
pub(super) fn show(error: &Error, reference: &str) -> Reply {
    let error = match error {
        Error::Scim(error) => error.clone(),
        Error::Internal(Internal::Store(StoreError::Busy(_))) => {
            scim::Error::status(503, "busy; nothing was changed, try again")
        }
        // The others belong to other surfaces: reaching here with one is a bug of ours.
        Error::Internal(_) | Error::OAuth(_) | Error::Login(_) | Error::Admin(_) => {
            scim::Error::status(500, format!("something broke on our side; its reference is {reference}"))
        }
    };
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut reply = response::scim(status, &error.body());
    let headers = reply.headers_mut();
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"vestibule scim\""));
    }
    if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    reply
}
