//! OpenID Connect as a relying party of the customers' identity providers.

pub mod claims;
pub mod discovery;
pub mod groups;
pub mod issuer;
