//! The SCIM server (RFC 7643, RFC 7644) over a tenant's directory.

pub mod access;
pub(crate) mod rate;
