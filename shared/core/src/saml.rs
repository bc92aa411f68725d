//! SAML 2.0 toward identity providers: what [`vestibule_protocol::saml`] cannot do without keys.

pub mod verify;
