//! What identity providers that speak SAML reach: `/saml/{tenant}/{connection}/…`.

pub(crate) mod acs;
pub(crate) mod metadata;
pub(crate) mod slo;

use axum::extract::Path;

/// Tenant and connection.
pub(super) type Named = Path<(String, String)>;
