//! XML Encryption 1.1 as SAML uses it (saml-core §6): a content key, wrapped with RSA-OAEP, and data under AES.
//!
//! The key is unwrapped by the platform. What was decrypted is put in the place of what was encrypted, and the whole is
//! read again by the same parser, with the same limits.

use std::ops::Range;

use aes::cipher::{BlockDecryptMut, KeyIvInit, block_padding::NoPadding};
use aes::{Aes128, Aes256};
use aes_gcm::aead::{Aead, KeyInit};
use aes_gcm::{Aes128Gcm, Aes256Gcm, Nonce};
use roxmltree::{Document, Node};

use super::uri::{ASSERTION, DSIG, SHA1, SHA256, XENC, XENC11};
use super::{Refused, xml};

/// Most recipients that something is encrypted for.
const RECIPIENTS: usize = 4;

/// The hash of RSA-OAEP, the same for the label and for the mask (RFC 8017 §7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OaepHash {
    /// SHA-1, which harms nobody here and is what most identity providers use.
    Sha1,
    /// SHA-256.
    Sha256,
}

/// How the data is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cipher {
    /// AES-128-CBC.
    Aes128Cbc,
    /// AES-256-CBC.
    Aes256Cbc,
    /// AES-128-GCM.
    Aes128Gcm,
    /// AES-256-GCM.
    Aes256Gcm,
}

impl Cipher {
    /// Whether a changed ciphertext is noticed.
    pub const fn is_authenticated(self) -> bool {
        matches!(self, Self::Aes128Gcm | Self::Aes256Gcm)
    }
}

/// An encrypted element of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encrypted {
    /// The content key for each recipient, and the hash of its RSA-OAEP.
    pub keys: Vec<(OaepHash, Vec<u8>)>,
    /// How the data is encrypted.
    pub cipher: Cipher,
    data: Vec<u8>,
    range: Range<usize>,
}

impl Encrypted {
    /// The assertion of the response in `text`, if it is encrypted.
    pub fn assertion(text: &str) -> Result<Option<Self>, Refused> {
        Self::first(&xml::parse(text, xml::MESSAGE_LIMIT)?, &["EncryptedAssertion"])
    }

    /// The first name identifier or attribute in `text` that is encrypted.
    pub fn part(text: &str) -> Result<Option<Self>, Refused> {
        Self::first(&xml::parse(text, xml::MESSAGE_LIMIT)?, &["EncryptedID", "EncryptedAttribute"])
    }

    fn first(document: &Document<'_>, names: &[&str]) -> Result<Option<Self>, Refused> {
        let found = document.descendants().find(|node| names.iter().any(|name| xml::is(*node, ASSERTION, name)));
        found.map(Self::read).transpose()
    }

    fn read(node: Node<'_, '_>) -> Result<Self, Refused> {
        let data = xml::the(node, XENC, "EncryptedData")?;
        let cipher = match method(data)? {
            "http://www.w3.org/2001/04/xmlenc#aes128-cbc" => Cipher::Aes128Cbc,
            "http://www.w3.org/2001/04/xmlenc#aes256-cbc" => Cipher::Aes256Cbc,
            "http://www.w3.org/2009/xmlenc11#aes128-gcm" => Cipher::Aes128Gcm,
            "http://www.w3.org/2009/xmlenc11#aes256-gcm" => Cipher::Aes256Gcm,
            _ => return Err(Refused::EncryptionAlgorithm),
        };
        // The wrapped key lies in the data's KeyInfo or beside the data (saml-core §2.3.4).
        let info = xml::one(data, DSIG, "KeyInfo")?;
        let within = info.into_iter().flat_map(|info| xml::all(info, XENC, "EncryptedKey"));
        let wrapped: Vec<_> = within.chain(xml::all(node, XENC, "EncryptedKey")).collect();
        if wrapped.is_empty() || wrapped.len() > RECIPIENTS {
            return Err(Refused::Shape("EncryptedKey"));
        }
        let keys = wrapped.into_iter().map(|key| Ok((oaep(key)?, value(key)?))).collect::<Result<_, Refused>>()?;
        Ok(Self { keys, cipher, data: value(data)?, range: node.range() })
    }

    /// `text`, from which this was read, with what was encrypted in its place. `key`: the unwrapped content key.
    pub fn decrypted(&self, text: &str, key: &[u8]) -> Result<String, Refused> {
        let plain = decrypt(self.cipher, key, &self.data).ok_or(Refused::Decryption)?;
        let plain = xml::message(&plain).map_err(|_| Refused::Decryption)?;
        match (text.get(..self.range.start), text.get(self.range.end..)) {
            (Some(before), Some(after)) => Ok([before, &plain, after].concat()),
            _ => Err(Refused::Decryption),
        }
    }
}

/// XML Encryption §5.2: the initialization vector lies in front; GCM's tag lies behind.
fn decrypt(cipher: Cipher, key: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    match cipher {
        Cipher::Aes128Cbc => unpadded(cbc::Decryptor::<Aes128>::new_from_slices(key, data.get(..16)?).ok()?, data),
        Cipher::Aes256Cbc => unpadded(cbc::Decryptor::<Aes256>::new_from_slices(key, data.get(..16)?).ok()?, data),
        Cipher::Aes128Gcm => opened(&Aes128Gcm::new_from_slice(key).ok()?, data),
        Cipher::Aes256Gcm => opened(&Aes256Gcm::new_from_slice(key).ok()?, data),
    }
}

fn opened(cipher: &impl Aead<NonceSize = aes_gcm::aead::consts::U12>, data: &[u8]) -> Option<Vec<u8>> {
    let (nonce, sealed) = data.split_at_checked(12)?;
    cipher.decrypt(Nonce::from_slice(nonce), sealed).ok()
}

/// The padding's last byte says how long it is; its other bytes may be anything, unlike PKCS #7's.
fn unpadded(cipher: impl BlockDecryptMut, data: &[u8]) -> Option<Vec<u8>> {
    let mut plain = cipher.decrypt_padded_vec_mut::<NoPadding>(data.get(16..)?).ok()?;
    let padding = usize::from(*plain.last()?);
    let length = plain.len().checked_sub(padding).filter(|_| (1..=16).contains(&padding))?;
    plain.truncate(length);
    Some(plain)
}

fn method<'a>(node: Node<'a, '_>) -> Result<&'a str, Refused> {
    Ok(xml::attribute(xml::the(node, XENC, "EncryptionMethod")?, "Algorithm").unwrap_or_default())
}

/// The bytes in `CipherData`; a reference to elsewhere is refused.
fn value(node: Node<'_, '_>) -> Result<Vec<u8>, Refused> {
    xml::bytes(xml::the(xml::the(node, XENC, "CipherData")?, XENC, "CipherValue")?)
}

/// What the older name of RSA-OAEP implies.
const MASK1: &str = "http://www.w3.org/2009/xmlenc11#mgf1sha1";

/// RSA-OAEP with one hash for both of its parts (XML Encryption §5.5.2): platforms offer no other.
fn oaep(key: Node<'_, '_>) -> Result<OaepHash, Refused> {
    let method = xml::the(key, XENC, "EncryptionMethod")?;
    let algorithm = |node: Node<'_, '_>| xml::attribute(node, "Algorithm").unwrap_or_default().to_owned();
    let digest = xml::one(method, DSIG, "DigestMethod")?.map_or_else(|| SHA1.to_owned(), algorithm);
    let mask = xml::one(method, XENC11, "MGF")?.map(algorithm);
    let labelled =
        xml::all(method, XENC, "OAEPparams").any(|label| xml::text(label).is_ok_and(|text| !text.is_empty()));
    let mask = match algorithm(method).as_str() {
        "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p" => MASK1.to_owned(),
        "http://www.w3.org/2009/xmlenc11#rsa-oaep" => mask.unwrap_or_else(|| MASK1.to_owned()),
        _ => return Err(Refused::EncryptionAlgorithm),
    };
    match (digest.as_str(), mask.as_str()) {
        _ if labelled => Err(Refused::EncryptionAlgorithm),
        (SHA1, MASK1) => Ok(OaepHash::Sha1),
        (SHA256, "http://www.w3.org/2009/xmlenc11#mgf1sha256") => Ok(OaepHash::Sha256),
        _ => Err(Refused::EncryptionAlgorithm),
    }
}
