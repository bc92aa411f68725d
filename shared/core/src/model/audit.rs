//! What happened: the events of the audit log. They hold names and ids, never a secret or a raw claim.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vestibule_protocol::time::Timestamp;

use super::provisioned::{AttributeChange, Provisioned};
use super::session::EndReason;
use super::sign_in::FindsBy;
use super::sync::Held;
use crate::origin::Origin;

/// Whose log holds what is no tenant's. No tenant has this name.
pub const DEPLOYMENT: &str = "*";

/// Which administrator's token acted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Administrator {
    /// The token's id.
    pub token: String,
    /// What the token was called.
    pub name: String,
}

/// What happened to an object of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It was not there before.
    Created,
    /// It was, and is replaced.
    Replaced,
    /// It is gone.
    Deleted,
}

/// Something that an auditor may want to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditEvent {
    /// When.
    pub time: Timestamp,
    /// What.
    #[serde(flatten)]
    pub kind: AuditKind,
    /// Whom it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Through which identity provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// Which application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Which session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Which request did it, and from where it came; nothing for what the tick does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

impl AuditEvent {
    /// Says whom it is about.
    pub(crate) fn about(self, user: &str) -> Self {
        Self { user: Some(user.to_owned()), ..self }
    }

    /// Says through which identity provider.
    pub(crate) fn through(self, connection: Option<&str>) -> Self {
        Self { connection: connection.map(str::to_owned), ..self }
    }

    /// Says which application.
    pub(crate) fn in_client(self, client: &str) -> Self {
        Self { client: Some(client.to_owned()), ..self }
    }

    /// Says which session.
    pub(crate) fn in_session(self, session: &str) -> Self {
        Self { session: Some(session.to_owned()), ..self }
    }
}

/// The kinds of events, some with more to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AuditKind {
    /// A person was seen for the first time.
    UserCreated,
    /// A person was deactivated: whoever may not be signed in any more is out everywhere.
    UserDeactivated {
        /// What it came from.
        #[serde(default)]
        cause: Cause,
        /// Who, where it was an administrator. Version 0.1 wrote nobody.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        administrator: Option<Administrator>,
    },
    /// An administrator activated a person again.
    UserActivated {
        /// Who.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        administrator: Option<Administrator>,
    },
    /// An administrator ended one session, or all of a person, of a connection, of the tenant.
    SessionsEnded {
        /// Who.
        administrator: Administrator,
    },
    /// The identity provider had all sessions of a person ended.
    SessionsRevoked,
    /// An administrator removed a person.
    UserDeleted {
        /// Who.
        administrator: Administrator,
    },
    /// An administrator changed the configuration.
    Configured {
        /// What, as its path below `/admin/v1`.
        object: String,
        /// How.
        change: ChangeKind,
        /// Who.
        administrator: Administrator,
        /// What is different, at most 20 settings, of what the object shows: never a secret.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        differences: Vec<AttributeChange>,
    },
    /// A directory changed a person or a group.
    Provisioned(Box<Provisioned>),
    /// Somebody who is there came through a connection for the first time: with an address that is theirs, or by a name
    /// that a directory pushed.
    IdentityLinked,
    /// Somebody came by a name of a person who has another identity in that connection, and was not let in.
    LinkRefused {
        /// The name.
        by: FindsBy,
    },
    /// Somebody accepted an invitation.
    InvitationAccepted {
        /// Its id.
        invitation: String,
    },
    /// Somebody whom nobody let in tried to sign in.
    UnknownPersonRefused {
        /// Why they were not let in.
        reason: WhyUnknown,
    },
    /// A domain was found to be the tenant's, by DNS or on an administrator's word.
    DomainVerified {
        /// The domain.
        domain: String,
        /// The administrator's reason, where DNS was not asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        override_reason: Option<String>,
        /// Who had it verified.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        administrator: Option<Administrator>,
    },
    /// A tenant gave up a domain, or its claim to one.
    DomainReleased {
        /// The domain.
        domain: String,
        /// Who gave it up.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        administrator: Option<Administrator>,
    },
    /// A person signed in.
    SignedIn {
        /// What they said at the tenant's checkpoint.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        justification: Option<String>,
    },
    /// An inactive person tried to sign in.
    SignInRefused,
    /// A person without a role tried to sign in, where a role is needed. Nobody is named who was never seen.
    SignInRefusedWithoutRole,
    /// The tenant's webhook did not let a person in.
    SignInRefusedByWebhook {
        /// What they said at the tenant's checkpoint.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        justification: Option<String>,
    },
    /// A session signed a person in to another application, without the identity provider.
    SessionContinued {
        /// What the person said at the tenant's checkpoint, where they passed it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        justification: Option<String>,
    },
    /// A person is in more groups than their provider sent, or than are kept: which, is not known.
    GroupsOverage,
    /// A sign-in in the same browser ended a session.
    SessionReplaced,
    /// A person signed out.
    SignedOut,
    /// A session ended that neither its person nor their next sign-in ended.
    SessionEnded {
        /// Why.
        reason: EndReason,
    },
    /// An application gave up what it held in a session (RFC 7009).
    GrantRevoked,
    /// Too many people at once were unknown to their identity provider: nobody was decommissioned, and nobody is asked about
    /// until an administrator decides.
    SyncStopped {
        /// How many people.
        people: u32,
        /// In how many sessions.
        sessions: u32,
    },
    /// An administrator decided what becomes of those people.
    SyncResumed {
        /// What.
        held: Held,
        /// Who.
        administrator: Administrator,
    },
    /// What a provider that speaks SAML signs with is not what it was, by its metadata.
    SamlCertificatesChanged {
        /// Which certificates were kept: SHA-256 of each, in hexadecimal.
        before: BTreeSet<String>,
        /// Which are, from now on.
        after: BTreeSet<String>,
    },
    /// Something that a connection which speaks SAML needs ends within 30 days. Told once.
    SamlExpiring {
        /// What.
        what: Expiring,
        /// Which certificate: SHA-256 of it, in hexadecimal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sha256: Option<String>,
        /// When.
        ends_at: Timestamp,
    },
    /// A spent code was presented again; the family that it began is revoked.
    CodeReplayed,
    /// A spent refresh token was presented again; its family is revoked.
    RefreshTokenReplayed,
}

/// What of a connection that speaks SAML ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Expiring {
    /// A certificate that the provider signs with. Its signatures count after that, too; providers replace it around then.
    ProviderCertificate,
    /// The provider's metadata. Nobody signs in after that.
    ProviderMetadata,
    /// A certificate of ours that is in use.
    OwnCertificate,
}

/// What a person was deactivated by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// An administrator.
    #[default]
    Administrator,
    /// A directory, by SCIM.
    Directory,
    /// Their identity provider: asked, it said that they may not sign in any more.
    Provider,
    /// Their identity provider, of its own accord.
    Revocation,
}

/// Why somebody who was never here is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhyUnknown {
    /// The tenant's people come from a directory, and it pushed nobody like them.
    NotPushed,
    /// The tenant's people are invited, and no invitation was opened in this browser.
    NoInvitation,
    /// The invitation was accepted, revoked or replaced, or has expired.
    InvitationOver,
    /// The provider did not say that it verified their address.
    AddressNotVerified,
    /// Their address is not the one that was invited.
    OtherAddress,
}
