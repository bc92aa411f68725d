//! A public key of ours as it is published (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, EllipticCurve, EllipticCurveKeyParameters, EllipticCurveKeyType, Jwk,
    KeyAlgorithm, OctetKeyPairParameters, OctetKeyPairType, PublicKeyUse, RSAKeyParameters, RSAKeyType,
};
use vestibule_protocol::jose::{Algorithm, EcCurve, KeyMaterial};

/// The key, named and for this algorithm only. There is no way to a private member from here.
pub(super) fn published(material: &KeyMaterial, algorithm: Algorithm, kid: &str) -> Option<Jwk> {
    let text = |bytes: &Vec<u8>| URL_SAFE_NO_PAD.encode(bytes);
    let parameters = match material {
        KeyMaterial::Ec { curve, x, y } => AlgorithmParameters::EllipticCurve(EllipticCurveKeyParameters {
            key_type: EllipticCurveKeyType::EC,
            curve: match curve {
                EcCurve::P256 => EllipticCurve::P256,
                EcCurve::P384 => EllipticCurve::P384,
            },
            x: text(x),
            y: text(y),
        }),
        KeyMaterial::Rsa { n, e } => {
            AlgorithmParameters::RSA(RSAKeyParameters { key_type: RSAKeyType::RSA, n: text(n), e: text(e) })
        }
        KeyMaterial::Ed25519 { x } => AlgorithmParameters::OctetKeyPair(OctetKeyPairParameters {
            key_type: OctetKeyPairType::OctetKeyPair,
            curve: EllipticCurve::Ed25519,
            x: text(x),
        }),
    };
    let key_algorithm = match algorithm {
        Algorithm::ES256 => KeyAlgorithm::ES256,
        Algorithm::RS256 => KeyAlgorithm::RS256,
        Algorithm::EdDSA => KeyAlgorithm::EdDSA,
        // Nothing that we sign with.
        _ => return None,
    };
    let common = CommonParameters {
        public_key_use: Some(PublicKeyUse::Signature),
        key_algorithm: Some(key_algorithm),
        key_id: Some(kid.to_owned()),
        ..CommonParameters::default()
    };
    Some(Jwk { common, algorithm: parameters })
}
