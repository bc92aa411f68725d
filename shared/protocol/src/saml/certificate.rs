//! X.509 certificates (RFC 5280) as SAML uses them: a wrapping around a public key, with dates that are told and not
//! enforced. Nobody's certificate is trusted because of who signed it: an administrator put it there.

use base64::{Engine, engine::general_purpose::STANDARD};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::certificate::{CertificateInner, Raw, TbsCertificateInner, Version};
use x509_cert::der::asn1::{Any, BitString, GeneralizedTime, Null, ObjectIdentifier, UintRef, UtcTime, Utf8StringRef};
use x509_cert::der::{Decode, Encode, asn1::SetOfVec};
use x509_cert::name::{Name, RdnSequence, RelativeDistinguishedName};
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::time::{Time, Validity};

use super::{Refused, xml};
use crate::jose::{Algorithm, EcCurve, KeyMaterial, PublicKey};
use crate::time::Timestamp;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const RSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ECDSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// Bytes of an RSA modulus: 2048 to 8192 bits.
const MODULUS: std::ops::RangeInclusive<usize> = 256..=1024;

/// A certificate of an identity provider's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// DER.
    pub der: Vec<u8>,
    /// The key that is certified.
    pub key: PublicKey,
    /// From when.
    pub starts: Timestamp,
    /// Until when.
    pub ends: Timestamp,
}

impl Certificate {
    /// Reads a certificate in PEM, or the base64 alone as metadata has it.
    pub fn read(text: &str) -> Result<Self, Refused> {
        let body = match text.split_once("-----BEGIN CERTIFICATE-----") {
            Some((_, rest)) => rest.split_once("-----END CERTIFICATE-----").ok_or(Refused::Certificate)?.0,
            None => text,
        };
        Self::from_der(xml::base64(body).map_err(|_| Refused::Certificate)?)
    }

    /// Reads DER.
    pub fn from_der(der: Vec<u8>) -> Result<Self, Refused> {
        let certificate = CertificateInner::<Raw>::from_der(&der).map_err(|_| Refused::Certificate)?;
        let fields = certificate.tbs_certificate;
        let key = public_key(&fields.subject_public_key_info).ok_or(Refused::Key)?;
        let (starts, ends) = (instant(fields.validity.not_before), instant(fields.validity.not_after));
        Ok(Self { der, key, starts, ends })
    }
}

fn instant(time: Time) -> Timestamp {
    Timestamp::from_seconds(i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX))
}

fn public_key(info: &SubjectPublicKeyInfoOwned) -> Option<PublicKey> {
    let bytes = info.subject_public_key.as_bytes()?;
    let material = match info.algorithm.oid {
        RSA => {
            let [n, e] = <[UintRef<'_>; 2]>::try_from(Vec::<UintRef<'_>>::from_der(bytes).ok()?).ok()?;
            let (n, e) = (n.as_bytes().to_vec(), e.as_bytes().to_vec());
            KeyMaterial::Rsa { n: Some(n).filter(|n| MODULUS.contains(&n.len()))?, e }
        }
        EC => {
            let curve = match info.algorithm.parameters.as_ref()?.decode_as::<ObjectIdentifier>().ok()? {
                P256 => EcCurve::P256,
                P384 => EcCurve::P384,
                _ => return None,
            };
            // Uncompressed: `04 || x || y` (SEC 1 §2.3.3).
            let (form, point) = bytes.split_first()?;
            let (x, y) = point.split_at_checked(curve.coordinate_len())?;
            (*form == 4 && y.len() == x.len()).then(|| KeyMaterial::Ec { curve, x: x.to_vec(), y: y.to_vec() })?
        }
        _ => return None,
    };
    Some(PublicKey::new(material, None, None))
}

/// What a new certificate says.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The common name.
    pub name: &'a str,
    /// A serial number that no other has; the first byte is below 128 and not zero.
    pub serial: [u8; 16],
    /// From when.
    pub starts: Timestamp,
    /// Until when.
    pub ends: Timestamp,
}

/// A self-signed certificate for `key`. `sign` is given what to sign, and the certificate is put together from its answer by
/// the returned value's [`NewCertificate::signed`].
#[derive(Debug)]
pub struct NewCertificate {
    tbs: TbsCertificateInner<Raw>,
    input: Vec<u8>,
}

impl NewCertificate {
    /// For an RSA key that signs with SHA-256, or one on P-256.
    pub fn new(subject: &Subject<'_>, key: &PublicKey) -> Option<Self> {
        let name = common_name(subject.name)?;
        let tbs = TbsCertificateInner {
            version: Version::V3,
            serial_number: SerialNumber::new(&subject.serial).ok()?,
            signature: signature_algorithm(key)?,
            issuer: name.clone(),
            validity: Validity { not_before: time(subject.starts)?, not_after: time(subject.ends)? },
            subject: name,
            subject_public_key_info: key_info(key)?,
            issuer_unique_id: None,
            subject_unique_id: None,
            extensions: None,
        };
        let input = tbs.to_der().ok()?;
        Some(Self { tbs, input })
    }

    /// What to sign.
    pub fn input(&self) -> &[u8] {
        &self.input
    }

    /// The certificate in DER. `signature`: as JWS has it (ECDSA as `r || s`).
    pub fn signed(self, signature: &[u8]) -> Option<Vec<u8>> {
        let signature = if self.tbs.signature.oid == ECDSA_SHA256 {
            let (r, s) = signature.split_at_checked(signature.len() / 2)?;
            pair(r, s)?
        } else {
            signature.to_vec()
        };
        let signature_algorithm = self.tbs.signature.clone();
        let signature = BitString::from_bytes(&signature).ok()?;
        CertificateInner { tbs_certificate: self.tbs, signature_algorithm, signature }.to_der().ok()
    }
}

/// A `SEQUENCE` of two `INTEGER`s: an RSA key (RFC 8017 §A.1.1), an ECDSA signature (RFC 3279 §2.2.3).
fn pair(one: &[u8], other: &[u8]) -> Option<Vec<u8>> {
    vec![UintRef::new(one).ok()?, UintRef::new(other).ok()?].to_der().ok()
}

fn common_name(name: &str) -> Option<Name> {
    let value = Any::encode_from(&Utf8StringRef::new(name).ok()?).ok()?;
    let part = AttributeTypeAndValue { oid: COMMON_NAME, value };
    Some(RdnSequence(vec![RelativeDistinguishedName(SetOfVec::try_from(vec![part]).ok()?)]))
}

/// RFC 5280 §4.1.2.5: two digits of the year until 2049.
fn time(at: Timestamp) -> Option<Time> {
    let since = std::time::Duration::from_secs(u64::try_from(at.seconds()).ok()?);
    match UtcTime::from_unix_duration(since) {
        Ok(time) => Some(Time::UtcTime(time)),
        Err(_) => GeneralizedTime::from_unix_duration(since).ok().map(Time::GeneralTime),
    }
}

fn signature_algorithm(key: &PublicKey) -> Option<AlgorithmIdentifierOwned> {
    if key.allows(Algorithm::ES256) {
        return Some(AlgorithmIdentifierOwned { oid: ECDSA_SHA256, parameters: None });
    }
    key.allows(Algorithm::RS256).then(|| AlgorithmIdentifierOwned { oid: RSA_SHA256, parameters: Some(Null.into()) })
}

fn key_info(key: &PublicKey) -> Option<SubjectPublicKeyInfoOwned> {
    let (algorithm, bytes) = match key.material() {
        KeyMaterial::Rsa { n, e } => {
            (AlgorithmIdentifierOwned { oid: RSA, parameters: Some(Null.into()) }, pair(n, e)?)
        }
        KeyMaterial::Ec { curve: EcCurve::P256, x, y } => {
            let parameters = Any::encode_from(&P256).ok()?;
            let algorithm = AlgorithmIdentifierOwned { oid: EC, parameters: Some(parameters) };
            (algorithm, [&[4], x.as_slice(), y].concat())
        }
        _ => return None,
    };
    Some(SubjectPublicKeyInfoOwned { algorithm, subject_public_key: BitString::from_bytes(&bytes).ok()? })
}

/// The base64 of a certificate, as metadata has it.
pub(super) fn base64(der: &[u8]) -> String {
    STANDARD.encode(der)
}

#[cfg(test)]
mod tests;
