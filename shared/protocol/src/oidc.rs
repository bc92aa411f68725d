//! OpenID Connect as a relying party of the customers' identity providers.

pub mod added_claims;
pub mod claims;
pub mod discovery;
pub mod groups;
pub mod issuer;
pub mod notice;
pub mod shown_claims;
