//! What can go wrong, in five kinds. How each is shown is decided once, in `vestibule_web::error`.

use vestibule_protocol::{oauth, saml, scim};

use crate::admin::problems::{Problem, in_words};
use crate::platform::{CryptoError, QueueError};
use crate::seal::OpenError;
use crate::store::StoreError;

/// An error of a flow.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The application's: a registered code with a description.
    #[error("oauth")]
    OAuth(#[from] oauth::Error),
    /// The person's, or their identity provider's.
    #[error("login")]
    Login(#[from] LoginError),
    /// An administrator's.
    #[error("admin")]
    Admin(#[from] AdminError),
    /// A directory's: what SCIM says of it (RFC 7644 §3.12).
    #[error("scim")]
    Scim(#[from] scim::Error),
    /// Ours.
    #[error("internal")]
    Internal(#[from] Internal),
}

/// Why a person is not signed in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// The callback's `state` belongs to no login of this browser: it expired, was finished, or began elsewhere.
    #[error("no such login in this browser")]
    UnknownLogin,
    /// The answer came from another issuer than the login went to (RFC 9207 §2.4).
    #[error("answer from another issuer")]
    OtherIssuer,
    /// The identity provider said no; the code is a registered one.
    #[error("identity provider refused: {0}")]
    UpstreamDenied(&'static str),
    /// The identity provider could not be reached, or failed.
    #[error("identity provider unavailable: {0}")]
    UpstreamUnavailable(String),
    /// The identity provider's answer breaks a rule; the text says which, without what was sent.
    #[error("identity provider's answer refused: {0}")]
    UpstreamInvalid(&'static str),
    /// A SAML message breaks a rule.
    #[error("SAML message refused: {}", .0.name())]
    Saml(saml::Refused),
    /// A SAML message about a sign-out breaks a rule.
    #[error("SAML logout message refused: {0}")]
    SamlLogout(saml::Refused),
    /// The connection is gone or disabled since the login began.
    #[error("connection is not available")]
    ConnectionUnavailable,
    /// The person's address is of none of the connection's domains.
    #[error("address of another domain")]
    OtherDomain,
    /// The tenant's rules give the person no role, and without one nobody signs in.
    #[error("no role")]
    NoRole,
    /// The person may not sign in.
    #[error("user is inactive")]
    Inactive,
    /// The tenant's people come from a directory, and this one did not.
    #[error("user is not provisioned")]
    NotProvisioned,
    /// The tenant's people are invited, and this one was not, or not so.
    #[error("user is not invited")]
    NotInvited,
    /// The link of an invitation that is none, or none any more.
    #[error("invitation is not open")]
    InvitationOver,
}

/// Why an administrator's request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdminError {
    /// No token, or none that is good.
    #[error("administrator's token required")]
    Unauthorized,
    /// The token's scopes do not allow it.
    #[error("{0}")]
    Forbidden(&'static str),
    /// There is no such object.
    #[error("not found")]
    NotFound,
    /// Something is wrong with the body.
    #[error("{}", in_words(.0))]
    Problems(Vec<Problem>),
    /// A name in the path, a parameter or a header is wrong.
    #[error("{field}: {problem}")]
    Invalid {
        /// Which.
        field: &'static str,
        /// What to mend.
        problem: &'static str,
    },
    /// What had to be asked elsewhere did not answer.
    #[error("{0}")]
    Unavailable(&'static str),
    /// `If-Match` or `If-None-Match` does not hold (RFC 9110 §13.1).
    #[error("{0}")]
    Precondition(&'static str),
    /// Somebody else changed the object at the same time.
    #[error("changed by somebody else at the same time; try again")]
    Conflict,
}

/// What broke on our side.
#[derive(Debug, thiserror::Error)]
pub enum Internal {
    /// The store.
    #[error("store")]
    Store(#[source] StoreError),
    /// Signing or verifying with a key of ours.
    #[error("crypto")]
    Crypto(#[from] CryptoError),
    /// Sending a task on.
    #[error("queue")]
    Queue(#[from] QueueError),
    /// A secret in the store was sealed with a key that is gone.
    #[error("a stored secret cannot be opened: is its sealing key still configured?")]
    Sealed(#[from] OpenError),
    /// A bug; the text says where.
    #[error("bug: {0}")]
    Bug(&'static str),
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Internal(Internal::Store(error))
    }
}

impl From<CryptoError> for Error {
    fn from(error: CryptoError) -> Self {
        Self::Internal(Internal::Crypto(error))
    }
}

impl From<QueueError> for Error {
    fn from(error: QueueError) -> Self {
        Self::Internal(Internal::Queue(error))
    }
}

impl From<OpenError> for Error {
    fn from(error: OpenError) -> Self {
        Self::Internal(Internal::Sealed(error))
    }
}

impl Error {
    /// A fault in our own logic.
    pub const fn bug(place: &'static str) -> Self {
        Self::Internal(Internal::Bug(place))
    }
}
