//! Public keys as they appear in a JWK set, parsed once into bytes that an adapter can import.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk};
use sha2::{Digest, Sha256};

use super::Algorithm;

/// Names a key by its material, so that adapters can keep imported keys: SHA-256 over the public parts.
pub type KeyId = [u8; 32];

/// A curve for ECDSA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EcCurve {
    /// NIST P-256; coordinates have 32 bytes.
    P256,
    /// NIST P-384; coordinates have 48 bytes.
    P384,
}

impl EcCurve {
    /// Bytes in a coordinate.
    pub const fn coordinate_len(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
        }
    }
}

/// The numbers of a public key, big-endian.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyMaterial {
    /// A point on an elliptic curve, both coordinates at full length.
    Ec {
        /// The curve.
        curve: EcCurve,
        /// Horizontal coordinate.
        x: Vec<u8>,
        /// Vertical coordinate.
        y: Vec<u8>,
    },
    /// An RSA modulus and exponent, without leading zeros.
    Rsa {
        /// Modulus, at least 2048 bits.
        n: Vec<u8>,
        /// Public exponent.
        e: Vec<u8>,
    },
    /// An Ed25519 point.
    Ed25519 {
        /// The 32 bytes of the compressed point.
        x: Vec<u8>,
    },
}

/// A public key that can verify signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    material: KeyMaterial,
    kid: Option<String>,
    algorithm: Option<Algorithm>,
    id: KeyId,
}

/// Why a JWK cannot verify signatures here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Its type or curve is not one that we verify with.
    #[error("unsupported key type or curve")]
    Unsupported,
    /// It is for encryption.
    #[error("key is not for signatures")]
    NotForSignatures,
    /// A number in it is not base64url, or has the wrong length.
    #[error("malformed key")]
    Malformed,
    /// An RSA modulus below 2048 bits (RFC 7518 §3.3).
    #[error("RSA key is too short")]
    TooShort,
}

impl PublicKey {
    /// Reads a JSON Web Key (RFC 7517 §4). Private members, if any, are not looked at.
    pub fn from_jwk(jwk: &Jwk) -> Result<Self, KeyError> {
        use jsonwebtoken::jwk::PublicKeyUse;
        if matches!(jwk.common.public_key_use, Some(ref usage) if *usage != PublicKeyUse::Signature) {
            return Err(KeyError::NotForSignatures);
        }
        let material = match &jwk.algorithm {
            AlgorithmParameters::EllipticCurve(ec) => {
                let curve = match ec.curve {
                    EllipticCurve::P256 => EcCurve::P256,
                    EllipticCurve::P384 => EcCurve::P384,
                    _ => return Err(KeyError::Unsupported),
                };
                let (x, y) = (decode(&ec.x)?, decode(&ec.y)?);
                if x.len() != curve.coordinate_len() || y.len() != curve.coordinate_len() {
                    return Err(KeyError::Malformed);
                }
                KeyMaterial::Ec { curve, x, y }
            }
            AlgorithmParameters::RSA(rsa) => {
                let (n, e) = (without_leading_zeros(decode(&rsa.n)?), without_leading_zeros(decode(&rsa.e)?));
                if n.len() < 256 {
                    return Err(KeyError::TooShort);
                }
                KeyMaterial::Rsa { n, e }
            }
            AlgorithmParameters::OctetKeyPair(okp) if okp.curve == EllipticCurve::Ed25519 => {
                let x = decode(&okp.x)?;
                if x.len() != 32 {
                    return Err(KeyError::Malformed);
                }
                KeyMaterial::Ed25519 { x }
            }
            _ => return Err(KeyError::Unsupported),
        };
        let algorithm =
            jwk.common.key_algorithm.and_then(|named| named.to_string().parse().ok()).and_then(Algorithm::from_header);
        Ok(Self::new(material, jwk.common.key_id.clone(), algorithm))
    }

    /// Reads the text of a JSON Web Key.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        Self::from_jwk(&serde_json::from_slice(text.as_bytes()).map_err(|_| KeyError::Malformed)?)
    }

    /// A key from its numbers; `kid` and `algorithm` as a JWK would state them.
    pub fn new(material: KeyMaterial, kid: Option<String>, algorithm: Option<Algorithm>) -> Self {
        let mut hash = Sha256::new();
        match &material {
            KeyMaterial::Ec { x, y, .. } => hash.chain_update_len(b'e', &[x, y]),
            KeyMaterial::Rsa { n, e } => hash.chain_update_len(b'r', &[n, e]),
            KeyMaterial::Ed25519 { x } => hash.chain_update_len(b'd', &[x]),
        }
        let id = hash.finalize().into();
        Self { material, kid, algorithm, id }
    }

    /// The numbers.
    pub const fn material(&self) -> &KeyMaterial {
        &self.material
    }

    /// The key's name in its set.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Stable name of the material, for adapters that keep imported keys.
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// Whether this key may check a signature made with `algorithm`: the type must fit, and where the key states an
    /// algorithm it must be that one (RFC 8725 §3.1).
    pub fn allows(&self, algorithm: Algorithm) -> bool {
        let fits = match (&self.material, algorithm) {
            (KeyMaterial::Ec { curve: EcCurve::P256, .. }, Algorithm::ES256)
            | (KeyMaterial::Ec { curve: EcCurve::P384, .. }, Algorithm::ES384)
            | (KeyMaterial::Ed25519 { .. }, Algorithm::EdDSA) => true,
            (KeyMaterial::Rsa { .. }, algorithm) => {
                !matches!(algorithm, Algorithm::ES256 | Algorithm::ES384 | Algorithm::EdDSA)
            }
            _ => false,
        };
        fits && self.algorithm.is_none_or(|stated| stated == algorithm)
    }
}

trait LengthPrefixed {
    fn chain_update_len(&mut self, kind: u8, parts: &[&Vec<u8>]);
}

impl LengthPrefixed for Sha256 {
    fn chain_update_len(&mut self, kind: u8, parts: &[&Vec<u8>]) {
        self.update([kind]);
        for part in parts {
            self.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            self.update(part);
        }
    }
}

fn decode(text: &str) -> Result<Vec<u8>, KeyError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| KeyError::Malformed)
}

fn without_leading_zeros(bytes: Vec<u8>) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    if zeros == 0 { bytes } else { bytes.into_iter().skip(zeros).collect() }
}
