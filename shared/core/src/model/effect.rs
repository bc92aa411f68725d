//! Effects that one partition owes another.

use serde::{Deserialize, Serialize};

use super::audit::AuditEvent;
use super::provisioned::Provisioner;
use super::session::EndReason;

/// Something still to be done elsewhere. Written with the commit that owes it, so that a crash forgets nothing.
/// Doing one twice does no harm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// Bring a person's gate in line with whether they are active, and end the sessions that remember it otherwise.
    AlignGate {
        /// The tenant.
        tenant: String,
        /// The person.
        user: String,
    },
    /// End the sessions of a person that remember another state of their gate.
    EndDead {
        /// The tenant.
        tenant: String,
        /// The person.
        user: String,
        /// What the audit log says of each.
        reason: EndReason,
    },
    /// Let go of what applications hold in a session that is over.
    EndGrants {
        /// The tenant.
        tenant: String,
        /// The shard of its sessions.
        shard: u16,
        /// The session.
        session: String,
    },
    /// Tell the applications that held tokens in a session that it is over.
    TellLogout {
        /// The tenant.
        tenant: String,
        /// The person.
        user: String,
        /// The session.
        session: String,
        /// The applications.
        clients: Vec<String>,
    },
    /// End all sessions of people whom their provider revoked.
    Revoke {
        /// The tenant.
        tenant: String,
        /// The connection.
        connection: String,
        /// The people.
        users: Vec<String>,
        /// Whether they are deactivated, too.
        deactivates: bool,
    },
    /// End the sessions that a connection's provider says are over.
    EndProviderSessions {
        /// The tenant.
        tenant: String,
        /// The connection.
        connection: String,
        /// Whose sessions.
        over: Over,
        /// The first shard that was not looked at.
        shard: u16,
    },
    /// Carry what became of a group, its new name or its end, to those who are in it.
    Regroup {
        /// The tenant.
        tenant: String,
        /// The group.
        group: String,
        /// Who did it, for the audit log.
        by: Provisioner,
        /// The record of the member with whom the last step ended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// Take a person who is gone out of the groups that they were in.
    Depart {
        /// The tenant.
        tenant: String,
        /// The person.
        user: String,
        /// The groups.
        groups: Vec<String>,
    },
    /// Bring somebody's memberships in the groups of a connection in line with what its provider last said.
    ImportGroups {
        /// The tenant.
        tenant: String,
        /// The person.
        user: String,
        /// The connection.
        connection: String,
    },
    /// End all sessions of a tenant, or of a connection, that began before: begin a new era in each shard, which then
    /// owes a [`Effect::Sweep`].
    EndSessions {
        /// The tenant.
        tenant: String,
        /// The connection; all when left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        connection: Option<String>,
        /// What this is called, so that done twice it begins one era.
        name: String,
        /// The first shard that is not done.
        shard: u16,
    },
    /// End the sessions of a shard that began before an era.
    Sweep {
        /// The tenant.
        tenant: String,
        /// The shard.
        shard: u16,
        /// The connection; all when left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        connection: Option<String>,
        /// The era.
        era: u64,
        /// The record of the session with which the last step ended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// Write an event to the tenant's audit log.
    Audit {
        /// The tenant.
        tenant: String,
        /// What happened.
        event: AuditEvent,
    },
}

/// Whose sessions are over, as an identity provider says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Over {
    /// The provider.
    pub issuer: String,
    /// Its name for the person, if it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Whether people have that name as their identity here, too.
    pub is_identity: bool,
    /// Its name for the one session that is meant; all of the person when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
}
