//! Keys of the protocol as keys of aws-lc-rs.

use aws_lc_rs::signature::{
    self, EcdsaKeyPair, Ed25519KeyPair, ParsedPublicKey, RsaKeyPair, RsaParameters, RsaPublicKeyComponents,
};
use vestibule_core::platform::{CryptoError, PrivateKey};
use vestibule_protocol::jose::{Algorithm, EcCurve, KeyMaterial, PublicKey};

/// A private key, ready to sign.
pub(super) enum Signer {
    Ec(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

pub(super) fn signer(key: &PrivateKey) -> Result<Signer, CryptoError> {
    let pkcs8 = key.pkcs8.expose();
    let bad = |_| CryptoError::BadKey("not a PKCS #8 key of its algorithm");
    match key.algorithm {
        Algorithm::ES256 => {
            EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map(Signer::Ec).map_err(bad)
        }
        Algorithm::EdDSA => Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).map(Signer::Ed25519).map_err(bad),
        Algorithm::RS256 => RsaKeyPair::from_pkcs8(pkcs8).map(Signer::Rsa).map_err(bad),
        Algorithm::ES384
        | Algorithm::RS384
        | Algorithm::RS512
        | Algorithm::PS256
        | Algorithm::PS384
        | Algorithm::PS512 => Err(CryptoError::Unsupported(key.algorithm)),
    }
}

pub(super) fn verifier(key: &PublicKey, algorithm: Algorithm) -> Result<ParsedPublicKey, CryptoError> {
    let bad = |_| CryptoError::BadKey("not a public key of its type");
    match (key.material(), algorithm) {
        (KeyMaterial::Ec { curve: EcCurve::P256, x, y }, Algorithm::ES256) => {
            ParsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point(x, y)).map_err(bad)
        }
        (KeyMaterial::Ec { curve: EcCurve::P384, x, y }, Algorithm::ES384) => {
            ParsedPublicKey::new(&signature::ECDSA_P384_SHA384_FIXED, point(x, y)).map_err(bad)
        }
        (KeyMaterial::Ed25519 { x }, Algorithm::EdDSA) => ParsedPublicKey::new(&signature::ED25519, x).map_err(bad),
        (KeyMaterial::Rsa { n, e }, algorithm) => {
            let parameters = rsa(algorithm).ok_or(CryptoError::BadKey("of another type than the algorithm"))?;
            RsaPublicKeyComponents { n, e }.to_parsed_public_key(parameters).map_err(bad)
        }
        _ => Err(CryptoError::BadKey("of another type than the algorithm")),
    }
}

/// 2048 to 8192 bits: a longer key would let its owner spend our time.
fn rsa(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    match algorithm {
        Algorithm::RS256 => Some(&signature::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::RS384 => Some(&signature::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::RS512 => Some(&signature::RSA_PKCS1_2048_8192_SHA512),
        Algorithm::PS256 => Some(&signature::RSA_PSS_2048_8192_SHA256),
        Algorithm::PS384 => Some(&signature::RSA_PSS_2048_8192_SHA384),
        Algorithm::PS512 => Some(&signature::RSA_PSS_2048_8192_SHA512),
        Algorithm::ES256 | Algorithm::ES384 | Algorithm::EdDSA => None,
    }
}

/// An uncompressed point (SEC 1 §2.3.3).
fn point(x: &[u8], y: &[u8]) -> Vec<u8> {
    [&[4], x, y].concat()
}
