//! Who may speak SCIM: the bearer of a tenant's token.

/// A directory that is let in.
#[derive(Debug, Clone)]
pub struct ScimCaller {
    /// The tenant whose people it keeps.
    pub tenant: String,
    /// The id of its token or client, for the audit log.
    pub id: String,
    /// What people call that.
    pub name: String,
    /// The connection that it belongs to, where it belongs to one: people whom it pushes sign in through no other.
    pub connection: Option<String>,
}
