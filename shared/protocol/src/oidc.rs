//! OpenID Connect as a relying party of the customers' identity providers.

pub mod discovery;
