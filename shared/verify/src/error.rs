//! Why a token does not count.

use crate::fetch::FetchError;

/// Why a token does not count. [`Error::status`] says how to answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request has no `Authorization: Bearer`.
    #[error("no access token")]
    Missing,
    /// Not three parts in base64url with a header and claims in JSON.
    #[error("not a signed token")]
    Malformed,
    /// `none`, an HMAC, or an algorithm that is not the key's.
    #[error("the algorithm is not allowed")]
    Algorithm,
    /// An ID token or something else that is no access token (RFC 9068 §4).
    #[error("the token is of another type")]
    Type,
    /// Signed by a key that the issuer does not publish.
    #[error("the token's key is not known")]
    UnknownKey,
    /// The signature is not the key's.
    #[error("the signature is wrong")]
    Signature,
    /// Another issuer's.
    #[error("the token is of another issuer")]
    Issuer,
    /// For another application.
    #[error("the token is for another application")]
    Audience,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Its time has not come: the clocks of broker and application are apart.
    #[error("the token is from the future")]
    NotYet,
    /// It names no place in a status list of the issuer.
    #[error("the token names no status list of its issuer")]
    NoStatus,
    /// The application, its person or an administrator ended it.
    #[error("the token was revoked")]
    Revoked,
    /// The issuer's keys could not be had.
    #[error("the issuer's keys could not be had")]
    Keys(#[source] Unavailable),
    /// The status list could not be had, and none that is kept may be believed any more.
    #[error("the status list could not be had")]
    StatusList(#[source] Unavailable),
}

/// Why a document could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unavailable {
    /// The broker did not answer as it should.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// It answered with something that is not what it should be.
    #[error("{0}")]
    NotAsItShould(&'static str),
}

impl Error {
    /// How to answer: 503 when it is not the token's fault, otherwise 401.
    pub const fn status(&self) -> http::StatusCode {
        match self {
            Self::Keys(_) | Self::StatusList(_) => http::StatusCode::SERVICE_UNAVAILABLE,
            _ => http::StatusCode::UNAUTHORIZED,
        }
    }

    /// The `WWW-Authenticate` header of the answer, for 401 (RFC 6750 §3). The same for every fault of a token.
    pub const fn challenge(&self) -> Option<&'static str> {
        match self {
            Self::Keys(_) | Self::StatusList(_) => None,
            Self::Missing => Some("Bearer"),
            _ => Some("Bearer error=\"invalid_token\""),
        }
    }
}
