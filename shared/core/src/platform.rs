//! The world as the broker sees it: six traits, one set of implementations per runtime.
//!
//! Everything above an adapter reaches time, randomness, the network, storage, signatures and other processes through
//! these and through nothing else, so a flow runs unchanged on a Worker, on Lambda, in the native binary and in a test.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use vestibule_protocol::jose::{Algorithm, KeyId, PublicKey};
use vestibule_protocol::saml::OaepHash;
use vestibule_protocol::time::Timestamp;

use crate::secret::Secret;
use crate::store::Store;

mod egress;
mod queue;

pub use egress::{check_address, check_egress, check_host};
pub use queue::{NoQueue, Queue, QueueError, Task};

/// The six ways out. Cheap to clone.
#[derive(Clone)]
pub struct Platform {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Requests to identity providers.
    pub http: Arc<dyn HttpClient>,
    /// Asymmetric signatures, and keys that are wrapped for us.
    pub crypto: Arc<dyn Crypto>,
    /// Everything that is kept.
    pub store: Arc<dyn Store>,
    /// Work that can wait a moment.
    pub queue: Arc<dyn Queue>,
}

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The present. On Workers it stands still between two I/O operations.
    fn now(&self) -> Timestamp;
}

/// A source of unpredictable bytes.
pub trait Random: Send + Sync {
    /// Fills `bytes` from the platform's cryptographic generator.
    fn fill(&self, bytes: &mut [u8]);
}

/// Sends requests to identity providers.
#[async_trait]
pub trait HttpClient: Send + Sync {
    /// Sends one request. Follows no redirect; enforces a timeout of [`HTTP_TIMEOUT_SECONDS`], a body of at most
    /// [`HTTP_BODY_LIMIT`] bytes and the egress policy. A reply that is not 2xx is `Ok`.
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError>;
}

/// How long one request to an identity provider may take, in seconds, body included.
pub const HTTP_TIMEOUT_SECONDS: u64 = 5;

/// How much of a reply is read, in bytes. A longer one is an error.
pub const HTTP_BODY_LIMIT: usize = 512 * 1024;

/// Why a request brought no reply.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Nothing, or not everything, came in time.
    #[error("no complete reply in time")]
    Timeout,
    /// The body is longer than [`HTTP_BODY_LIMIT`].
    #[error("reply is too large")]
    TooLarge,
    /// The egress policy forbids this address; the text says which rule.
    #[error("egress policy: {0}")]
    Refused(&'static str),
    /// The connection failed; the text is the platform's.
    #[error("network: {0}")]
    Network(String),
}

/// A private key: PKCS #8, with the public half beside it.
#[derive(Clone)]
pub struct PrivateKey {
    /// What it signs with.
    pub algorithm: Algorithm,
    /// The key in PKCS #8 DER (RFC 5958).
    pub pkcs8: Secret<Vec<u8>>,
    /// The other half, as published.
    pub public: PublicKey,
}

impl PrivateKey {
    /// Names the key pair by its public half.
    pub const fn id(&self) -> KeyId {
        self.public.id()
    }
}

/// Asymmetric signatures in JWS form: ECDSA as `r || s` (RFC 7518 §3.4), RSA and Ed25519 as their octets.
///
/// Adapters keep imported keys for the life of the process or isolate: public ones by [`PublicKey::id`], private ones by
/// their PKCS #8.
#[async_trait]
pub trait Crypto: Send + Sync {
    /// A new key pair, for [`Algorithm::ES256`], [`Algorithm::RS256`] (2048 bits) or [`Algorithm::EdDSA`].
    async fn generate(&self, algorithm: Algorithm) -> Result<PrivateKey, CryptoError>;

    /// The signature of `input`.
    async fn sign(&self, key: &PrivateKey, input: &[u8]) -> Result<Vec<u8>, CryptoError>;

    /// `Ok` when `signature` is `key`'s over `input`. The caller has checked [`PublicKey::allows`].
    async fn verify(
        &self,
        key: &PublicKey,
        algorithm: Algorithm,
        input: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError>;

    /// What was encrypted for an RSA `key` with RSA-OAEP (RFC 8017 §7.1) and an empty label; `hash` serves label and mask.
    async fn decrypt(&self, key: &PrivateKey, hash: OaepHash, input: &[u8]) -> Result<Secret<Vec<u8>>, CryptoError>;
}

/// Why there is no signature, or why one does not count.
#[derive(Debug, thiserror::Error)]
pub enum CryptoError {
    /// The signature is not this key's over this input.
    #[error("signature does not match")]
    BadSignature,
    /// It was not encrypted for this key, or not so.
    #[error("does not decrypt")]
    BadCiphertext,
    /// The key cannot be imported.
    #[error("key is not usable: {0}")]
    BadKey(&'static str),
    /// The platform does not offer this algorithm.
    #[error("algorithm {} is not supported", .0.name())]
    Unsupported(Algorithm),
    /// The platform failed; the text is its own.
    #[error("cryptography: {0}")]
    Platform(String),
}
