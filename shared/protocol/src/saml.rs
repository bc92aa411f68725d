//! SAML 2.0 for a service provider: what arrives is read here, what is sent is written here (saml-core-2.0-os,
//! saml-bindings-2.0-os, saml-metadata-2.0-os, with the profile in saml-profiles-2.0-os §4.1 and §4.4).
//!
//! Nothing here verifies, decrypts a key or tells the time. Here is decided *which bytes* a signature must cover, and
//! claims are read from those bytes alone: [`Signed`] holds them back until its signature was verified.

mod assertion;
mod canonical;
mod certificate;
mod encryption;
mod error;
mod expected;
mod instant;
mod logout;
mod metadata;
mod outline;
mod own_metadata;
mod redirect;
mod request;
mod response;
mod signature;
mod signing;
mod uri;
mod write;
mod xml;

pub use assertion::{Assertion, Attribute, NameId};
pub use canonical::canonicalize;
pub use certificate::{Certificate, NewCertificate, Subject};
pub use encryption::{Cipher, Encrypted, OaepHash};
pub use error::Refused;
pub use expected::{Answer, Expected};
pub use instant::{parse as parse_instant, write as write_instant};
pub use logout::{LogoutAnswer, LogoutRequest, LogoutStatus, signed as signed_logout};
pub use metadata::{Binding, Endpoint, IdpMetadata, described};
pub use outline::{Outline, OutlinedSignature, pasted};
pub use own_metadata::OwnMetadata;
pub use redirect::RedirectMessage;
pub use request::AuthnRequest;
pub use response::{Failure, Message, Verified, failure, posted};
pub use signature::{Signed, fits};
pub use signing::ToSign;
pub use xml::{MESSAGE_LIMIT, METADATA_LIMIT};
