//! The error codes of the specifications, and nothing invented beside them.

use std::fmt;

use crate::params::ParamsError;

/// A registered error code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// A parameter is missing, repeated or malformed (RFC 6749 §4.1.2.1, §5.2).
    InvalidRequest,
    /// The client is unknown or did not prove who it is (§5.2).
    InvalidClient,
    /// The code or refresh token is spent, expired, revoked or another client's (§5.2).
    InvalidGrant,
    /// The client may not use this grant type (§5.2).
    UnauthorizedClient,
    /// We do not know this grant type (§5.2).
    UnsupportedGrantType,
    /// A scope is malformed, or more than was granted (§5.2).
    InvalidScope,
    /// Only `code` is offered (§4.1.2.1).
    UnsupportedResponseType,
    /// The person or their identity provider said no (§4.1.2.1).
    AccessDenied,
    /// The person would have to be asked, and the request forbids it (OpenID Connect Core §3.1.2.6).
    LoginRequired,
    /// The person is known, but would have to be asked something else (OpenID Connect Core §3.1.2.6).
    InteractionRequired,
    /// The login is not of the class that was made a condition (OpenID Connect Core Error Code
    /// `unmet_authentication_requirements` 1.0 §2).
    UnmetAuthenticationRequirements,
    /// Something of ours broke (§4.1.2.1).
    ServerError,
    /// Something of ours is overloaded; later it may work (§4.1.2.1).
    TemporarilyUnavailable,
    /// The access token is not good, or not any more (RFC 6750 §3.1).
    InvalidToken,
    /// The access token does not reach that far (RFC 6750 §3.1).
    InsufficientScope,
}

impl ErrorCode {
    /// The code as the specifications write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::AccessDenied => "access_denied",
            Self::LoginRequired => "login_required",
            Self::InteractionRequired => "interaction_required",
            Self::UnmetAuthenticationRequirements => "unmet_authentication_requirements",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
        }
    }
}

/// An error that the application is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Error {
    /// The registered code.
    pub code: ErrorCode,
    /// What to mend, in our words. Never holds what a caller sent.
    pub description: &'static str,
}

impl Error {
    /// An error with its explanation.
    pub const fn new(code: ErrorCode, description: &'static str) -> Self {
        Self { code, description }
    }

    /// `invalid_request`, the most common one.
    pub const fn invalid_request(description: &'static str) -> Self {
        Self::new(ErrorCode::InvalidRequest, description)
    }

    /// `invalid_grant`. One text for every reason, so that a thief learns nothing from it.
    pub const fn invalid_grant() -> Self {
        Self::new(ErrorCode::InvalidGrant, "the code or refresh token is not valid, or not for this request")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.description)
    }
}

impl std::error::Error for Error {}

impl From<ParamsError> for Error {
    fn from(error: ParamsError) -> Self {
        Self::invalid_request(match error {
            ParamsError::Encoding => "parameters must be percent-encoded UTF-8",
            ParamsError::Repeated => "a parameter is repeated",
        })
    }
}
