//! X.509 certificates (RFC 5280) as SAML uses them: a wrapping around a public key, with dates that are told and not
//! enforced. Nobody's certificate is trusted because of who signed it: an administrator put it there.

use base64::{Engine, engine::general_purpose::STANDARD};
use der::asn1::{AnyRef, BitStringRef, GeneralizedTime, ObjectIdentifier, UintRef, UtcTime};
use der::{Decode, Encode, Reader, SliceReader, Tag, TagNumber, Tagged};

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
        let Fields { algorithm, key, starts, ends } = Fields::read(&der).ok_or(Refused::Certificate)?;
        let key = public_key(&algorithm, key).ok_or(Refused::Key)?;
        Ok(Self { der, key, starts, ends })
    }
}

/// What is looked at of a certificate (RFC 5280 §4.1).
struct Fields<'a> {
    /// The key's algorithm, and its parameter.
    algorithm: Vec<AnyRef<'a>>,
    key: &'a [u8],
    starts: Timestamp,
    ends: Timestamp,
}

impl<'a> Fields<'a> {
    fn read(der: &'a [u8]) -> Option<Self> {
        let [certificate] = *values(der)? else { return None };
        let [certified, _, _] = *sequence(certificate)? else { return None };
        let fields = sequence(certified)?;
        // The version is left out of those of version 1.
        let version = Tag::ContextSpecific { constructed: true, number: TagNumber::N0 };
        let has_version = fields.first().is_some_and(|first| first.tag() == version);
        let fields = fields.get(usize::from(has_version)..)?;
        let [_serial, _signature, _issuer, validity, _subject, key, ..] = *fields else { return None };
        let [starts, ends] = *sequence(validity)? else { return None };
        let [algorithm, key] = *sequence(key)? else { return None };
        let key = key.decode_as::<BitStringRef<'_>>().ok()?.as_bytes()?;
        Some(Self { algorithm: sequence(algorithm)?, key, starts: instant(starts)?, ends: instant(ends)? })
    }
}

/// All values that stand one behind the other in `content`, and nothing else.
fn values(content: &[u8]) -> Option<Vec<AnyRef<'_>>> {
    let mut reader = SliceReader::new(content).ok()?;
    let mut found = Vec::new();
    while !reader.is_finished() {
        found.push(AnyRef::decode(&mut reader).ok()?);
    }
    Some(found)
}

fn sequence(value: AnyRef<'_>) -> Option<Vec<AnyRef<'_>>> {
    if value.tag() == Tag::Sequence { values(value.value()) } else { None }
}

fn instant(time: AnyRef<'_>) -> Option<Timestamp> {
    let since = match time.tag() {
        Tag::UtcTime => time.decode_as::<UtcTime>().ok()?.to_unix_duration(),
        _ => time.decode_as::<GeneralizedTime>().ok()?.to_unix_duration(),
    };
    Some(Timestamp::from_seconds(i64::try_from(since.as_secs()).unwrap_or(i64::MAX)))
}

fn public_key(algorithm: &[AnyRef<'_>], key: &[u8]) -> Option<PublicKey> {
    let (name, parameter) = algorithm.split_first()?;
    let material = match name.decode_as::<ObjectIdentifier>().ok()? {
        RSA => {
            let [numbers] = *values(key)? else { return None };
            let [n, e] = *sequence(numbers)? else { return None };
            let [n, e] =
                [n, e].map(|number| number.decode_as::<UintRef<'_>>().map(|number| number.as_bytes().to_vec()));
            KeyMaterial::Rsa { n: n.ok().filter(|n| MODULUS.contains(&n.len()))?, e: e.ok()? }
        }
        EC => {
            let curve = match parameter.first()?.decode_as::<ObjectIdentifier>().ok()? {
                P256 => EcCurve::P256,
                P384 => EcCurve::P384,
                _ => return None,
            };
            // Uncompressed: `04 || x || y` (SEC 1 §2.3.3).
            let (form, point) = key.split_first()?;
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
    /// What is certified, in DER.
    certified: Vec<u8>,
    /// How it is signed, in DER.
    algorithm: Vec<u8>,
    is_ecdsa: bool,
}

/// Version 3, in the tag that says so.
const VERSION_3: [u8; 5] = [0xa0, 3, 2, 1, 2];

impl NewCertificate {
    /// For an RSA key that signs with SHA-256, or one on P-256.
    pub fn new(subject: &Subject<'_>, key: &PublicKey) -> Option<Self> {
        let is_ecdsa = key.allows(Algorithm::ES256);
        let algorithm = match key.allows(Algorithm::RS256) {
            _ if is_ecdsa => of(&[oid(&ECDSA_SHA256)?])?,
            true => of(&[oid(&RSA_SHA256)?, null()?])?,
            false => return None,
        };
        let name = common_name(subject.name)?;
        let certified = of(&[
            VERSION_3.to_vec(),
            unsigned(&subject.serial)?,
            algorithm.clone(),
            name.clone(),
            of(&[time(subject.starts)?, time(subject.ends)?])?,
            name,
            key_info(key)?,
        ])?;
        Some(Self { certified, algorithm, is_ecdsa })
    }

    /// What to sign.
    pub fn input(&self) -> &[u8] {
        &self.certified
    }

    /// The certificate in DER. `signature`: as JWS has it (ECDSA as `r || s`).
    pub fn signed(self, signature: &[u8]) -> Option<Vec<u8>> {
        let signature = if self.is_ecdsa {
            let (r, s) = signature.split_at_checked(signature.len() / 2)?;
            bits(&pair(r, s)?)?
        } else {
            bits(signature)?
        };
        of(&[self.certified, self.algorithm, signature])
    }
}

fn value(tag: Tag, content: &[u8]) -> Option<Vec<u8>> {
    AnyRef::new(tag, content).ok()?.to_der().ok()
}

/// A `SEQUENCE` of these.
fn of(parts: &[Vec<u8>]) -> Option<Vec<u8>> {
    value(Tag::Sequence, &parts.concat())
}

fn oid(name: &ObjectIdentifier) -> Option<Vec<u8>> {
    value(Tag::ObjectIdentifier, name.as_bytes())
}

fn null() -> Option<Vec<u8>> {
    value(Tag::Null, &[])
}

fn unsigned(number: &[u8]) -> Option<Vec<u8>> {
    UintRef::new(number).ok()?.to_der().ok()
}

/// A `BIT STRING` of whole octets: the first says that no bit is unused.
fn bits(octets: &[u8]) -> Option<Vec<u8>> {
    value(Tag::BitString, &[&[0], octets].concat())
}

/// A `SEQUENCE` of two `INTEGER`s: an RSA key (RFC 8017 §A.1.1), an ECDSA signature (RFC 3279 §2.2.3).
fn pair(one: &[u8], other: &[u8]) -> Option<Vec<u8>> {
    of(&[unsigned(one)?, unsigned(other)?])
}

/// A name of one part, which stands in a set of its own (RFC 5280 §4.1.2.4).
fn common_name(name: &str) -> Option<Vec<u8>> {
    let part = of(&[oid(&COMMON_NAME)?, value(Tag::Utf8String, name.as_bytes())?])?;
    of(&[value(Tag::Set, &part)?])
}

/// RFC 5280 §4.1.2.5: two digits of the year until 2049.
fn time(at: Timestamp) -> Option<Vec<u8>> {
    let since = std::time::Duration::from_secs(u64::try_from(at.seconds()).ok()?);
    match UtcTime::from_unix_duration(since) {
        Ok(time) => time.to_der().ok(),
        Err(_) => GeneralizedTime::from_unix_duration(since).ok()?.to_der().ok(),
    }
}

/// RFC 5280 §4.1.2.7.
fn key_info(key: &PublicKey) -> Option<Vec<u8>> {
    let (algorithm, key) = match key.material() {
        KeyMaterial::Rsa { n, e } => (of(&[oid(&RSA)?, null()?])?, pair(n, e)?),
        KeyMaterial::Ec { curve: EcCurve::P256, x, y } => {
            (of(&[oid(&EC)?, oid(&P256)?])?, [&[4], x.as_slice(), y].concat())
        }
        _ => return None,
    };
    of(&[algorithm, bits(&key)?])
}

/// The base64 of a certificate, as metadata has it.
pub(super) fn base64(der: &[u8]) -> String {
    STANDARD.encode(der)
}

#[cfg(test)]
mod tests;
