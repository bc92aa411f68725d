//! JSON Object Signing: algorithms, keys, and the compact form of a token (RFC 7515, 7517, 7518).
//!
//! Nothing here signs or verifies: that is the platform's. Here is decided *what* is signed and which key may check it.

mod algorithm;
mod compact;
mod key;
mod private_key;

pub use algorithm::Algorithm;
pub use compact::{Compact, TokenError, TokenType, signing_input};
pub use key::{EcCurve, KeyError, KeyId, KeyMaterial, PublicKey};
pub use private_key::{PrivateJwk, PrivateKeyError};
