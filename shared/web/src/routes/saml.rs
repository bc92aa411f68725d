//! What identity providers that speak SAML reach: `/saml/{tenant}/{connection}/…`.

pub(crate) mod metadata;
