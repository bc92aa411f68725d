//! Verifies the access tokens of a Vestibule broker, in the application that they are for.
//!
//! Signature, type, issuer, audience and times are checked without asking anybody; whether a token was revoked is read from
//! the broker's status list, which is fetched once a minute however many tokens come. A person who is signed out or
//! deactivated is refused within that minute.
//!
//! ```no_run
//! # #[cfg(feature = "reqwest")]
//! # async fn example(token: &str) -> Result<(), Box<dyn std::error::Error>> {
//! use vestibule_verify::{Http, Verifier};
//!
//! let verifier = Verifier::new("https://sso.example.com", "crm", Http::new()?);
//! let claims = verifier.verify(token).await?;
//! println!("{} of {}", claims.sub, claims.tenant);
//! # Ok(())
//! # }
//! ```
//!
//! With the feature `axum` a handler takes [`Claims`] as an argument; with `tower`, `VerifyLayer` puts them into the request
//! or answers in the service's place.

#[cfg(feature = "axum")]
mod axum;
mod claims;
mod error;
mod fetch;
mod keys;
mod signed;
mod status;
#[cfg(feature = "tower")]
mod tower;
mod verifier;

pub use claims::Claims;
pub use error::Error;
#[cfg(feature = "reqwest")]
pub use fetch::Http;
pub use fetch::{Fetch, FetchError};
#[cfg(feature = "tower")]
pub use tower::{Verified, VerifyLayer};
pub use verifier::Verifier;
