//! Sessions and what hangs on them. All records of one person's sessions share a partition.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vestibule_protocol::oauth::pkce::CodeChallenge;
use vestibule_protocol::oauth::scope::Scope;
use vestibule_protocol::oidc::added_claims::AddedClaims;
use vestibule_protocol::time::{Seconds, Timestamp};

use super::saml::SamlName;
use super::user::Profile;
use crate::handle::SecretHash;
use crate::store::Version;

/// A code's life (RFC 6749 §4.1.2; at most 60 s by our own rule).
pub const CODE_LIFE: Seconds = Seconds(60);
/// A session's life. Absolute: no use extends it, and nothing in it outlasts it.
pub const SESSION_LIFE: Seconds = Seconds(604_800);

/// Whose session it is, as the tokens of the session say it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The tenant.
    pub tenant: String,
    /// The person.
    pub user: String,
    /// The session; the `sid` of the tokens.
    pub session: String,
    /// When the session ends. Unknown for one that began before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_ends_at: Option<Timestamp>,
    /// How long the session may go unused; no limit when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_life: Option<Seconds>,
    /// The gate's state at the login. When the gate changes, the session is over.
    pub gate: Version,
    /// When the person proved who they are.
    pub auth_time: Timestamp,
    /// How, as far as the identity provider said.
    #[serde(flatten)]
    pub method: AuthenticationMethod,
    /// Who the person is.
    pub profile: Profile,
    /// Through which identity provider they came. Unknown for a session that began before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// What the person said at the tenant's checkpoint, the last time that they passed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub justification: Option<String>,
    /// What the tenant's webhook added there.
    #[serde(default, skip_serializing_if = "AddedClaims::is_empty")]
    pub claims: AddedClaims,
    /// When that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_passed_at: Option<Timestamp>,
}

impl Subject {
    /// When the session ends. One that began before ends were kept gets one now.
    pub fn session_end(&self, now: Timestamp) -> Timestamp {
        self.session_ends_at.unwrap_or(now + SESSION_LIFE)
    }

    /// When the session's record ends, if the session is used now and then no more.
    pub fn record_end(&self, now: Timestamp) -> Timestamp {
        let end = self.session_end(now);
        self.idle_life.map_or(end, |idle| end.min(now + idle))
    }
}

/// How a person proved who they are, in the identity provider's words (OpenID Connect Core §2).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthenticationMethod {
    /// The class of the authentication.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// The methods used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
}

/// A person signed in, in one browser. Changed only where the person passes the tenant's checkpoint again, and by use
/// where it may not go unused; ended by removal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Whose.
    pub subject: Subject,
    /// Through which identity provider.
    pub connection: String,
    /// SHA-256 of the secret in the browser's cookie.
    pub secret: SecretHash,
    /// When it began. Unknown for one that began before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began_at: Option<Timestamp>,
    /// When its use was last written down, where that matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Timestamp>,
    /// The shard's era when it began.
    #[serde(default)]
    pub era: u64,
    /// What a provider that speaks SAML called the person and the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saml: Option<SamlName>,
}

/// What an identity provider calls a session and its person. By this a session is found that the provider says is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderSession {
    /// Our name for the person.
    pub user: String,
    /// The provider.
    pub issuer: String,
    /// Its name for the person: `sub`, whatever the connection's unique-id claim is.
    pub subject: String,
    /// Its name for the session, if it has one: `sid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// Whether the person's identity here has another name than `sub`.
    #[serde(default)]
    pub renamed: bool,
}

/// Why a session ended that neither its person nor their next sign-in ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The person was deactivated or removed.
    Deactivated,
    /// An administrator ended it.
    Administrator,
    /// The provider refused the refresh token of a person who is active there, or took all tokens of the sign-in back.
    RefreshRefused,
    /// The provider refused the refresh token, and for too long nobody said whether the person is active.
    Unvouched,
    /// By what the provider says now, they would not be let in: no role, or an address of another domain.
    NotAdmitted,
    /// The identity provider said that it is over, or that the person's are.
    ProviderNotice,
}

/// Whether a person's sessions count. Its version is what sessions remember; any write to it ends them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// Whether the person may have sessions.
    pub open: bool,
}

/// How often sessions of a shard were ended in bulk. A session begins in the era that stands; the end of an era ends
/// those that began before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Era {
    /// The number of the present one; the first, which has no record, is 0.
    pub number: u64,
    /// Which bulk end began it. The same one begins no other.
    pub begun_by: String,
}

/// The era in which a sign-in found a shard.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenEra {
    /// Its number.
    pub number: u64,
    /// The record's state; none where there is no record.
    pub version: Option<Version>,
}

/// A code that was given to an application and not redeemed yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// The application.
    pub client: String,
    /// The address that it was sent to.
    pub redirect_uri: String,
    /// What the redeemer must know the secret behind.
    pub code_challenge: CodeChallenge,
    /// For the ID token.
    pub nonce: Option<String>,
    /// What was asked for.
    pub scope: Scope,
    /// Whose.
    pub subject: Subject,
}

/// What an application holds in a session: a refresh family, named by the hash of the code that began it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The application.
    pub client: String,
    /// What was granted.
    pub scope: Scope,
    /// Whose.
    pub subject: Subject,
    /// The refresh token that is good now.
    pub current: SecretHash,
    /// The one before, until the current one is used: its answer may have been lost.
    pub previous: Option<SecretHash>,
    /// From it and the token before, the current token is derived, so that a lost answer can be given again.
    pub salt: String,
    /// When the current token was first given out.
    pub rotated_at: Timestamp,
    /// When the family ends, whatever happens.
    pub expires_at: Timestamp,
    /// Where its access tokens stand in the status list. Unknown for a family that was not used since there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<TokenStatus>,
}

/// The place of a family's access tokens in the status list of its partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenStatus {
    /// The place. No other family's as long as one of the tokens could be shown.
    pub index: u32,
    /// When the last of the tokens that were given out has ended.
    pub tokens_end: Timestamp,
}
