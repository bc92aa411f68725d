//! What an error looks like, on every surface. The only place that turns errors into status codes, and the only one
//! that logs them: what callers do wrong at `info`, what we do wrong at `error`, once, with its causes.

mod scim;
mod words;

use axum::body::Body;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde_json::json;
use vestibule_core::error::{AdminError, Error, Internal};
use vestibule_core::handle::new_id;
use vestibule_core::login::Refusal;
use vestibule_core::login::complete::error_location;
use vestibule_core::origin;
use vestibule_core::store::StoreError;
use vestibule_core::{Broker, Error as CoreError};
use vestibule_protocol::oauth::{self, ErrorCode};

use self::words::words;
use crate::page;
use crate::request::BodyError;
use crate::response::{self, Reply};

/// Whom an answer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Surface {
    /// A person, in a browser.
    Page,
    /// A client, at the token endpoint (RFC 6749 §5.2).
    Token,
    /// A client, at a resource (RFC 6750 §3).
    Resource,
    /// A control plane's page, at the relay.
    Relay,
    /// An administrator's program.
    Admin,
    /// A directory.
    Scim,
}

/// Shows an error.
pub(crate) fn show(broker: &Broker, surface: Surface, error: &CoreError) -> Reply {
    let reference = origin::current().map_or_else(|| new_id(&*broker.platform.random), |origin| origin.request);
    log(&reference, error);
    match surface {
        Surface::Page => {
            let (status, title, what_to_do) = words(error);
            let detail = match error {
                Error::OAuth(error) => Some(error.description),
                Error::Login(_) | Error::Admin(_) | Error::Scim(_) | Error::Internal(_) => None,
            };
            response::page(status, page::problem(title, what_to_do, detail, &reference))
        }
        Surface::Token => show_json(error, &reference),
        Surface::Resource => show_resource(error, &reference),
        Surface::Relay => show_relay(error, &reference),
        Surface::Admin => show_admin(error, &reference),
        Surface::Scim => scim::show(error, &reference),
    }
}

/// Shows why a leg of a login ended: to the person, or to the application at its registered address.
pub(crate) fn show_refusal(broker: &Broker, refusal: &Refusal) -> Reply {
    match refusal {
        Refusal::Page(error) => show(broker, Surface::Page, error),
        Refusal::Reply(reply, error) => {
            tracing::info!(error = error.code.as_str(), detail = error.description, "authorization.refused");
            match error_location(broker, reply, error) {
                Ok(location) => response::redirect(location.as_str()),
                Err(error) => show(broker, Surface::Page, &error),
            }
        }
        Refusal::Ask(question) => response::page(StatusCode::OK, page::sign_in(question)),
        Refusal::Told(told) => {
            tracing::info!("checkpoint.refused_by_webhook");
            response::page(StatusCode::FORBIDDEN, page::told(told))
        }
        Refusal::ByIssuer(location) => response::redirect(location.as_str()),
    }
}

/// Shows that a body could not be read.
pub(crate) fn show_body_error(broker: &Broker, surface: Surface, error: BodyError) -> Reply {
    let description = match error {
        BodyError::TooLargeOrBroken => "the body is too large or incomplete",
        BodyError::NotAForm => "the body must be application/x-www-form-urlencoded",
        BodyError::NotJson => "the body must be application/json",
    };
    show(broker, surface, &oauth::Error::invalid_request(description).into())
}

fn log(reference: &str, error: &Error) {
    match error {
        Error::OAuth(error) => {
            tracing::info!(reference, error = error.code.as_str(), detail = error.description, "oauth.refused");
        }
        Error::Login(error) => tracing::info!(reference, error = %error, "login.refused"),
        Error::Admin(error) => tracing::info!(reference, error = %error, "admin.refused"),
        Error::Scim(error) => tracing::info!(reference, error = %error, "scim.refused"),
        Error::Internal(error) => {
            let cause = std::error::Error::source(error).map(ToString::to_string);
            tracing::error!(reference, error = %error, cause, "internal");
        }
    }
}

/// Code, description and status for a client.
fn oauth_form(error: &Error) -> (StatusCode, ErrorCode, &'static str) {
    match error {
        Error::OAuth(error) => {
            let status = match error.code {
                ErrorCode::InvalidClient | ErrorCode::InvalidToken => StatusCode::UNAUTHORIZED,
                ErrorCode::InsufficientScope | ErrorCode::AccessDenied => StatusCode::FORBIDDEN,
                ErrorCode::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
                ErrorCode::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
                ErrorCode::InvalidRequest
                | ErrorCode::InvalidGrant
                | ErrorCode::UnauthorizedClient
                | ErrorCode::UnsupportedGrantType
                | ErrorCode::InvalidScope
                | ErrorCode::UnsupportedResponseType
                | ErrorCode::LoginRequired
                | ErrorCode::InteractionRequired
                | ErrorCode::UnmetAuthenticationRequirements => StatusCode::BAD_REQUEST,
            };
            (status, error.code, error.description)
        }
        Error::Internal(Internal::Store(StoreError::Busy(_))) => {
            (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::TemporarilyUnavailable, "busy; try again")
        }
        // The last three belong to other surfaces: reaching here with one is a bug of ours.
        Error::Internal(_) | Error::Login(_) | Error::Admin(_) | Error::Scim(_) => {
            (StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::ServerError, "something broke on our side")
        }
    }
}

fn show_json(error: &Error, reference: &str) -> Reply {
    let (status, code, description) = oauth_form(error);
    let body = if status.is_server_error() {
        json!({ "error": code.as_str(), "error_description": description, "reference": reference })
    } else {
        json!({ "error": code.as_str(), "error_description": description })
    };
    let mut reply = response::json(status, &body);
    let headers = reply.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    if code == ErrorCode::InvalidClient {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"vestibule\""));
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    reply
}

fn show_resource(error: &Error, reference: &str) -> Reply {
    let (_, code, description) = oauth_form(error);
    let mut reply = show_json(error, reference);
    if matches!(code, ErrorCode::InvalidToken | ErrorCode::InsufficientScope) {
        let challenge = format!("Bearer error=\"{}\", error_description=\"{description}\"", code.as_str());
        if let Ok(challenge) = HeaderValue::from_str(&challenge) {
            reply.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
    }
    reply
}

/// As at the token endpoint, but no other origin may read it.
fn show_relay(error: &Error, reference: &str) -> Reply {
    let mut reply = show_json(error, reference);
    reply.headers_mut().remove(ACCESS_CONTROL_ALLOW_ORIGIN);
    reply
}

/// No token came at all: the challenge names no error (RFC 6750 §3.1).
pub(crate) fn no_token() -> Reply {
    response::reply(
        StatusCode::UNAUTHORIZED,
        [
            (WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
        ],
        Body::empty(),
    )
}

/// For administrators: a code, what to do in words, and the reference that the log has too.
fn show_admin(error: &Error, reference: &str) -> Reply {
    let (status, code, description) = match error {
        Error::Admin(error) => {
            let (status, code) = admin_status(error);
            (status, code, error.to_string())
        }
        Error::OAuth(error) => (StatusCode::BAD_REQUEST, "invalid_request", error.description.to_owned()),
        Error::Internal(Internal::Store(StoreError::Busy(_))) => {
            (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", "busy; try again".to_owned())
        }
        Error::Internal(Internal::Store(StoreError::Invalid(rule))) => {
            (StatusCode::BAD_REQUEST, "invalid_request", (*rule).to_owned())
        }
        Error::Internal(_) | Error::Login(_) | Error::Scim(_) => {
            (StatusCode::INTERNAL_SERVER_ERROR, "server_error", "something broke on our side".to_owned())
        }
    };
    let mut body = json!({ "error": code, "error_description": description, "reference": reference });
    if let (Error::Admin(AdminError::Problems(problems)), Some(members)) = (error, body.as_object_mut()) {
        members.insert("problems".to_owned(), json!(problems));
    }
    let mut reply = response::json(status, &body);
    let headers = reply.headers_mut();
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"vestibule admin\""));
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    reply
}

const fn admin_status(error: &AdminError) -> (StatusCode, &'static str) {
    match error {
        AdminError::Unauthorized => (StatusCode::UNAUTHORIZED, "invalid_token"),
        AdminError::Forbidden(_) => (StatusCode::FORBIDDEN, "insufficient_scope"),
        AdminError::NotFound => (StatusCode::NOT_FOUND, "not_found"),
        AdminError::Invalid { .. } | AdminError::Problems(_) => (StatusCode::BAD_REQUEST, "invalid_request"),
        AdminError::Precondition(_) => (StatusCode::PRECONDITION_FAILED, "precondition_failed"),
        AdminError::Conflict => (StatusCode::CONFLICT, "conflict"),
        AdminError::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
    }
}
