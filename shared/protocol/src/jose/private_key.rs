//! Private keys as somebody brings them, in JSON (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2), taken over into PKCS #8
//! (RFC 5958), the form that every platform imports. Whether the two halves belong together shows when they are used.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Algorithm, EcCurve, KeyMaterial};

/// A private JSON Web Key.
// It has no `Debug`: nothing prints it.
#[derive(Deserialize, JsonSchema)]
pub struct PrivateJwk {
    kty: String,
    /// The key's name.
    pub kid: Option<String>,
    /// The algorithm that it is for.
    pub alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    d: Option<String>,
    p: Option<String>,
    q: Option<String>,
    dp: Option<String>,
    dq: Option<String>,
    qi: Option<String>,
    oth: Option<serde_json::Value>,
}

/// Why a private key cannot be taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrivateKeyError {
    /// Its type, curve or stated algorithm is another.
    Algorithm,
    /// It states that it is for something else.
    NotForSigning,
    /// A member is missing: it is a public key, or an RSA key without its primes.
    Incomplete,
    /// A member is not base64url, or a number has the wrong length.
    Malformed,
    /// An RSA modulus that is not 2048 to 4096 bits long.
    Length,
}

impl PrivateKeyError {
    /// What is wrong with a set that has such a key.
    pub const fn problem(self) -> &'static str {
        match self {
            Self::Algorithm => "has a key that is not for the deployment's signing algorithm",
            Self::NotForSigning => "has a key that is not for signing",
            Self::Incomplete => "has a key without all of its private members",
            Self::Malformed => "has a malformed key",
            Self::Length => "has an RSA key that is not 2048 to 4096 bits long",
        }
    }
}

// DER (X.690 §8): the tags that occur in a private key.
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;
const CONTEXT_1: u8 = 0xa1;

// AlgorithmIdentifiers: id-ecPublicKey with secp256r1 (RFC 5480 §2.1.1), rsaEncryption with NULL (RFC 3279 §2.3.1),
// id-Ed25519 (RFC 8410 §3).
const EC_P256: &[u8] =
    &[0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const RSA: &[u8] = &[0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
const ED25519: &[u8] = &[0x30, 5, 6, 3, 0x2b, 0x65, 0x70];

impl PrivateJwk {
    /// The key in PKCS #8, and its public half, if it is one for `algorithm`: `ES256`, `RS256` or `EdDSA`.
    pub fn to_pkcs8(&self, algorithm: Algorithm) -> Result<(Vec<u8>, KeyMaterial), PrivateKeyError> {
        if self.usage.as_deref().is_some_and(|usage| usage != "sig")
            || self.key_ops.as_ref().is_some_and(|operations| !operations.iter().any(|operation| operation == "sign"))
        {
            return Err(PrivateKeyError::NotForSigning);
        }
        if self.alg.as_deref().is_some_and(|stated| stated != algorithm.name()) {
            return Err(PrivateKeyError::Algorithm);
        }
        match (self.kty.as_str(), self.crv.as_deref(), algorithm) {
            ("EC", Some("P-256"), Algorithm::ES256) => self.p256(),
            ("OKP", Some("Ed25519"), Algorithm::EdDSA) => self.ed25519(),
            ("RSA", _, Algorithm::RS256) => self.rsa(),
            _ => Err(PrivateKeyError::Algorithm),
        }
    }

    /// `ECPrivateKey` (RFC 5915 §3); the curve stands outside.
    fn p256(&self) -> Result<(Vec<u8>, KeyMaterial), PrivateKeyError> {
        let (d, x, y) = (exactly_32(self.d.as_ref())?, exactly_32(self.x.as_ref())?, exactly_32(self.y.as_ref())?);
        let point = tlv(BIT_STRING, &[&[0, 4], x.as_slice(), &y].concat());
        let key = [tlv(INTEGER, &[1]), tlv(OCTET_STRING, &d), tlv(CONTEXT_1, &point)].concat();
        Ok((pkcs8(EC_P256, &tlv(SEQUENCE, &key)), KeyMaterial::Ec { curve: EcCurve::P256, x, y }))
    }

    /// `CurvePrivateKey` (RFC 8410 §7).
    fn ed25519(&self) -> Result<(Vec<u8>, KeyMaterial), PrivateKeyError> {
        let (d, x) = (exactly_32(self.d.as_ref())?, exactly_32(self.x.as_ref())?);
        Ok((pkcs8(ED25519, &tlv(OCTET_STRING, &d)), KeyMaterial::Ed25519 { x }))
    }

    /// `RSAPrivateKey` with two primes (RFC 8017 appendix A.1.2).
    fn rsa(&self) -> Result<(Vec<u8>, KeyMaterial), PrivateKeyError> {
        if self.oth.is_some() {
            return Err(PrivateKeyError::Algorithm);
        }
        let (n, e) = (number(self.n.as_ref())?, number(self.e.as_ref())?);
        if !(256..=512).contains(&n.len()) {
            return Err(PrivateKeyError::Length);
        }
        let mut key = [tlv(INTEGER, &[0]), integer(&n), integer(&e)].concat();
        for member in [&self.d, &self.p, &self.q, &self.dp, &self.dq, &self.qi] {
            key.extend(integer(&number(member.as_ref())?));
        }
        Ok((pkcs8(RSA, &tlv(SEQUENCE, &key)), KeyMaterial::Rsa { n, e }))
    }
}

/// `PrivateKeyInfo`, version 1 (RFC 5958 §2).
fn pkcs8(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    tlv(SEQUENCE, &[&tlv(INTEGER, &[0]), algorithm, &tlv(OCTET_STRING, key)].concat())
}

/// A positive number: a first bit that is set would make it negative (X.690 §8.3).
fn integer(bytes: &[u8]) -> Vec<u8> {
    match bytes.first() {
        Some(first) if *first < 0x80 => tlv(INTEGER, bytes),
        _ => tlv(INTEGER, &[&[0], bytes].concat()),
    }
}

/// Tag, length and content. No key that is accepted here has 64 KiB.
fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let [.., high, low] = content.len().to_be_bytes();
    let mut text = match (high, low) {
        (0, 0..=0x7f) => vec![tag, low],
        (0, _) => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    text.extend(content);
    text
}

fn decode(member: Option<&String>) -> Result<Vec<u8>, PrivateKeyError> {
    let text = member.ok_or(PrivateKeyError::Incomplete)?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_| PrivateKeyError::Malformed)
}

fn exactly_32(member: Option<&String>) -> Result<Vec<u8>, PrivateKeyError> {
    decode(member).and_then(|bytes| if bytes.len() == 32 { Ok(bytes) } else { Err(PrivateKeyError::Malformed) })
}

/// A number without leading zeros, no longer than the longest modulus.
fn number(member: Option<&String>) -> Result<Vec<u8>, PrivateKeyError> {
    let bytes: Vec<u8> = decode(member)?.into_iter().skip_while(|byte| *byte == 0).collect();
    if bytes.is_empty() || bytes.len() > 512 { Err(PrivateKeyError::Malformed) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const SEED: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
    const POINT: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    fn taken(jwk: Value, algorithm: Algorithm) -> Result<Vec<u8>, PrivateKeyError> {
        let jwk: PrivateJwk = serde_json::from_value(jwk).unwrap();
        jwk.to_pkcs8(algorithm).map(|(pkcs8, _)| pkcs8)
    }

    fn okp() -> Value {
        json!({"kty": "OKP", "crv": "Ed25519", "d": SEED, "x": POINT, "kid": "k", "use": "sig", "ext": true})
    }

    /// The frame of RFC 8410 §10.3.
    #[test]
    fn an_ed25519_key_is_framed() {
        let pkcs8 = taken(okp(), Algorithm::EdDSA).unwrap();
        let frame = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
        assert_eq!(pkcs8, [frame.as_slice(), &URL_SAFE_NO_PAD.decode(SEED).unwrap()].concat());
    }

    #[test]
    fn lengths_and_signs_are_those_of_der() {
        assert_eq!(tlv(4, &[7; 127])[..2], [4, 127]);
        assert_eq!(tlv(4, &[7; 128])[..3], [4, 0x81, 128]);
        assert_eq!(tlv(4, &[7; 256])[..4], [4, 0x82, 1, 0]);
        assert_eq!((integer(&[0x7f]), integer(&[0x80])), (vec![2, 1, 0x7f], vec![2, 2, 0, 0x80]));
    }

    #[test]
    fn what_is_no_key_of_the_algorithm_is_refused() {
        for algorithm in [Algorithm::ES256, Algorithm::RS256, Algorithm::ES384, Algorithm::PS256] {
            assert_eq!(taken(okp(), algorithm), Err(PrivateKeyError::Algorithm), "{algorithm:?}");
        }
        let with = |member: &str, value: Value| {
            let mut jwk = okp();
            jwk[member] = value;
            taken(jwk, Algorithm::EdDSA)
        };
        assert_eq!(with("d", Value::Null), Err(PrivateKeyError::Incomplete));
        assert_eq!(with("d", json!("AAEC")), Err(PrivateKeyError::Malformed));
        assert_eq!(with("d", json!("***")), Err(PrivateKeyError::Malformed));
        assert_eq!(with("use", json!("enc")), Err(PrivateKeyError::NotForSigning));
        assert_eq!(with("key_ops", json!(["verify"])), Err(PrivateKeyError::NotForSigning));
        assert_eq!(with("alg", json!("ES256")), Err(PrivateKeyError::Algorithm));
        assert_eq!(with("crv", json!("X25519")), Err(PrivateKeyError::Algorithm));
        let long = URL_SAFE_NO_PAD.encode([1; 256]);
        let rsa =
            json!({"kty": "RSA", "n": long, "e": "AQAB", "d": long, "p": "Aw", "q": "Aw", "dp": "AQ", "dq": "AQ"});
        assert_eq!(taken(rsa.clone(), Algorithm::RS256), Err(PrivateKeyError::Incomplete));
        let mut short = rsa;
        short["n"] = json!(URL_SAFE_NO_PAD.encode([1; 255]));
        assert_eq!(taken(short, Algorithm::RS256), Err(PrivateKeyError::Length));
    }
}
