//! The world of the tests themselves: real time, real randomness, real signatures, plain HTTP to loopback.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;

use vestibule_aws::crypto::AwsLcCrypto;
use vestibule_aws::http::OutboundHttp;
use vestibule_aws::{SystemClock, SystemRandom};
use vestibule_core::platform::{Clock, Crypto, HttpClient, Random};

/// A client that follows no redirects and keeps no cookies.
pub fn http_client() -> reqwest::Client {
    let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
    builder.build().expect("a client without settings can be built")
}

/// The way of a relying party to the broker.
pub fn outbound() -> Arc<dyn HttpClient> {
    Arc::new(OutboundHttp::new(true).expect("a client can be built"))
}

/// The system's clock.
pub fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// The system's generator.
pub fn random() -> Arc<dyn Random> {
    Arc::new(SystemRandom)
}

/// Real signatures.
pub fn crypto() -> Arc<dyn Crypto> {
    Arc::new(AwsLcCrypto::default())
}

/// A name that no other test and no earlier run has used: 1 to 40 characters of `[a-z0-9-]`.
pub fn unique(kind: &str) -> String {
    format!("{kind}-{:016x}", RandomState::new().build_hasher().finish())
}
