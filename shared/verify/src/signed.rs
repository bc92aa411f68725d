//! A signed token in compact form (RFC 7515 §7.1), and the published keys that may have signed it. The key decides which
//! algorithm counts, never the token.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::Error;

/// Longest token that is looked at, in bytes: longer ones do not fit a header.
const LONGEST: usize = 1024 * 1024;

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    /// An extension that must be understood (RFC 7515 §4.1.11): none is.
    crit: Option<serde::de::IgnoredAny>,
}

/// A token taken apart. Nothing of it is known to be true.
pub(crate) struct Signed<'a> {
    header: Header,
    input: &'a [u8],
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl<'a> Signed<'a> {
    pub(crate) fn parse(token: &'a str) -> Result<Self, Error> {
        if token.len() > LONGEST {
            return Err(Error::Malformed);
        }
        let (input, signature) = token.rsplit_once('.').ok_or(Error::Malformed)?;
        let (header, payload) = input.split_once('.').ok_or(Error::Malformed)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Error::Malformed);
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| Error::Malformed)?;
        if header.crit.is_some() {
            return Err(Error::Malformed);
        }
        Ok(Self { header, input: input.as_bytes(), payload: decode(payload)?, signature: decode(signature)? })
    }

    /// Which key it says signed it.
    pub(crate) fn kid(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// Its type is this one. Case does not matter in a media type (RFC 7515 §4.1.9), nor does `application/`.
    pub(crate) fn is_of_type(&self, expected: &str) -> Result<(), Error> {
        let typ = self.header.typ.as_deref().unwrap_or_default().to_ascii_lowercase();
        if typ.strip_prefix("application/").unwrap_or(&typ) == expected { Ok(()) } else { Err(Error::Type) }
    }

    /// The claims, if the signature is this key's.
    pub(crate) fn open<T: DeserializeOwned>(&self, key: &Key) -> Result<T, Error> {
        if self.header.alg != key.algorithm {
            return Err(Error::Algorithm);
        }
        key.public.verify_sig(self.input, &self.signature).map_err(|_| Error::Signature)?;
        serde_json::from_slice(&self.payload).map_err(|_| Error::Malformed)
    }

    /// Whether an algorithm is named that no key of an issuer can have.
    pub(crate) fn algorithm_is_known(&self) -> bool {
        ["ES256", "RS256", "EdDSA"].contains(&self.header.alg.as_str())
    }
}

/// A public key of the issuer.
pub(crate) struct Key {
    pub(crate) kid: String,
    algorithm: &'static str,
    public: ParsedPublicKey,
}

/// A key as published (RFC 7517 §4).
#[derive(Deserialize)]
pub(crate) struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

impl Jwk {
    /// The key, if it is one that the broker can sign with.
    pub(crate) fn parse(&self) -> Option<Key> {
        if self.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return None;
        }
        let part = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_deref()?).ok();
        let (algorithm, public) = match (self.kty.as_str(), self.crv.as_deref()) {
            ("EC", Some("P-256")) => {
                // An uncompressed point (SEC 1 §2.3.3).
                let point = [vec![4], part(&self.x)?, part(&self.y)?].concat();
                ("ES256", ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point))
            }
            ("OKP", Some("Ed25519")) => ("EdDSA", ParsedPublicKey::new(&ED25519, part(&self.x)?)),
            ("RSA", _) => {
                let (n, e) = (part(&self.n)?, part(&self.e)?);
                ("RS256", RsaPublicKeyComponents { n, e }.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256))
            }
            _ => return None,
        };
        Some(Key { kid: self.kid.clone()?, algorithm, public: public.ok()? })
    }
}
