//! Signatures by aws-lc-rs, in the forms of JWS (RFC 7518 §3, RFC 8037 §3.1), and RSA-OAEP.
//!
//! Imported keys are kept: parsing a key costs about as much as using it.

use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey,
};
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, ParsedPublicKey, RsaKeyPair};
use vestibule_core::platform::{Crypto, CryptoError, PrivateKey};
use vestibule_core::secret::Secret;
use vestibule_protocol::jose::{Algorithm, EcCurve, KeyId, KeyMaterial, PublicKey};
use vestibule_protocol::saml::OaepHash;

mod import;
mod keys;

use import::Signer;
use keys::Keys;

/// Signs and verifies. One per process.
#[derive(Default)]
pub struct AwsLc {
    /// By PKCS #8: two halves that somebody brings along need not belong together.
    signers: Keys<Vec<u8>, Signer>,
    verifiers: Keys<KeyId, ParsedPublicKey>,
    decrypters: Keys<Vec<u8>, OaepPrivateDecryptingKey>,
}

#[async_trait]
impl Crypto for AwsLc {
    async fn generate(&self, algorithm: Algorithm) -> Result<PrivateKey, CryptoError> {
        let failed = |_| CryptoError::Platform("key generation failed".to_owned());
        let (pkcs8, material) = match algorithm {
            Algorithm::ES256 => {
                let pair = EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?;
                (pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec(), point(pair.public_key().as_ref())?)
            }
            Algorithm::EdDSA => {
                let pair = Ed25519KeyPair::generate().map_err(failed)?;
                // Version 1 has the private half only, as WebCrypto exports it.
                let x = pair.public_key().as_ref().to_vec();
                (pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec(), KeyMaterial::Ed25519 { x })
            }
            Algorithm::RS256 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
                let public = pair.public_key();
                let material = KeyMaterial::Rsa {
                    n: public.modulus().big_endian_without_leading_zero().to_vec(),
                    e: public.exponent().big_endian_without_leading_zero().to_vec(),
                };
                let pkcs8: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
                (pkcs8.as_ref().to_vec(), material)
            }
            other => return Err(CryptoError::Unsupported(other)),
        };
        Ok(PrivateKey { algorithm, pkcs8: Secret::new(pkcs8), public: PublicKey::new(material, None, Some(algorithm)) })
    }

    async fn sign(&self, key: &PrivateKey, input: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let signer = self.signers.get_or_import(key.pkcs8.expose().clone(), key.algorithm, || import::signer(key))?;
        let failed = |_| CryptoError::Platform("signing failed".to_owned());
        match signer.as_ref() {
            Signer::Ec(pair) => Ok(pair.sign(&SystemRandom::new(), input).map_err(failed)?.as_ref().to_vec()),
            Signer::Ed25519(pair) => Ok(pair.sign(input).as_ref().to_vec()),
            Signer::Rsa(pair) => sign_rsa(pair, input).map_err(failed),
        }
    }

    async fn verify(
        &self,
        key: &PublicKey,
        algorithm: Algorithm,
        input: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        let key: Arc<ParsedPublicKey> =
            self.verifiers.get_or_import(key.id(), algorithm, || import::verifier(key, algorithm))?;
        key.verify_sig(input, signature).map_err(|_| CryptoError::BadSignature)
    }

    async fn decrypt(&self, key: &PrivateKey, hash: OaepHash, input: &[u8]) -> Result<Secret<Vec<u8>>, CryptoError> {
        let import = || {
            let key = PrivateDecryptingKey::from_pkcs8(key.pkcs8.expose()).ok();
            key.and_then(|key| OaepPrivateDecryptingKey::new(key).ok()).ok_or(CryptoError::BadKey("not an RSA key"))
        };
        let decrypter = self.decrypters.get_or_import(key.pkcs8.expose().clone(), key.algorithm, import)?;
        let algorithm = match hash {
            OaepHash::Sha1 => &OAEP_SHA1_MGF1SHA1,
            OaepHash::Sha256 => &OAEP_SHA256_MGF1SHA256,
        };
        let mut plain = vec![0; decrypter.min_output_size()];
        let plain = decrypter.decrypt(algorithm, input, &mut plain, None).map_err(|_| CryptoError::BadCiphertext)?;
        Ok(Secret::new(plain.to_vec()))
    }
}

fn sign_rsa(pair: &RsaKeyPair, input: &[u8]) -> Result<Vec<u8>, aws_lc_rs::error::Unspecified> {
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&signature::RSA_PKCS1_SHA256, &SystemRandom::new(), input, &mut signature)?;
    Ok(signature)
}

/// The coordinates in an uncompressed P-256 point: `04 || x || y` (SEC 1 §2.3.3).
fn point(bytes: &[u8]) -> Result<KeyMaterial, CryptoError> {
    match bytes.split_first() {
        Some((4, rest)) if rest.len() == 64 => {
            let (x, y) = rest.split_at(32);
            Ok(KeyMaterial::Ec { curve: EcCurve::P256, x: x.to_vec(), y: y.to_vec() })
        }
        _ => Err(CryptoError::Platform("a public key in an unknown form".to_owned())),
    }
}

#[cfg(test)]
mod tests;
