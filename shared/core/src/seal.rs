//! Sealing: what must not be read or changed outside. Cookies of logins in progress, and secrets before they reach
//! the store.
//!
//! AES-256-GCM under a key of its own for every message, derived from the sealing key by HMAC-SHA256 over purpose and
//! salt: random nonces then never run out (NIST SP 800-38D §8.3), and a text sealed for one purpose opens for no other.
//! A sealed text is `name.salt‖nonce‖ciphertext`, the name telling which key; where it belongs is authenticated, so it
//! cannot be moved.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::config::SealingKey;
use crate::platform::Random;

const SALT: usize = 16;
const NONCE: usize = 12;

/// What a text is sealed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The cookie of a login in progress.
    LoginCookie,
    /// The cookie of a login that the relay began.
    RelayCookie,
    /// The cookie of an invitation that was opened.
    InvitationCookie,
    /// The cookie of a test login: none of them ever opens as a login.
    TestCookie,
    /// A field of a stored record.
    Record,
    /// The `state` of a sign-out that goes by way of an identity provider.
    SignOut,
    /// A place in a list, in a client's hands.
    Cursor,
}

impl Purpose {
    const fn label(self) -> &'static str {
        match self {
            Self::LoginCookie => "vestibule login cookie",
            Self::RelayCookie => "vestibule relay cookie",
            Self::InvitationCookie => "vestibule invitation cookie",
            Self::TestCookie => "vestibule test cookie",
            Self::Record => "vestibule record",
            Self::SignOut => "vestibule sign-out",
            Self::Cursor => "vestibule cursor",
        }
    }
}

/// A sealed text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(String);

impl Sealed {
    /// A sealed text as it came back from outside.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// It was not sealed by us, not for this, not for here, or with a key that is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sealed text does not open")]
pub struct OpenError;

/// Seals with the first key, opens with any.
#[derive(Debug, Clone)]
pub struct Sealer {
    keys: Vec<SealingKey>,
}

impl Sealer {
    /// A sealer with the deployment's keys.
    pub const fn new(keys: Vec<SealingKey>) -> Self {
        Self { keys }
    }

    /// Seals `plain` for `purpose`, at `place` (a cookie's name, a record's key).
    pub fn seal(&self, random: &dyn Random, purpose: Purpose, place: &str, plain: &[u8]) -> Result<Sealed, OpenError> {
        let key = self.keys.first().ok_or(OpenError)?;
        let mut message = vec![0; SALT + NONCE];
        random.fill(&mut message);
        let (salt, nonce) = message.split_at(SALT);
        let payload = Payload { msg: plain, aad: place.as_bytes() };
        let cipher = cipher(key, purpose, salt)?;
        let sealed = cipher.encrypt(Nonce::from_slice(nonce), payload).map_err(|_| OpenError)?;
        message.extend(sealed);
        Ok(Sealed(format!("{}.{}", key.name, URL_SAFE_NO_PAD.encode(message))))
    }

    /// The same, sealed with the key that seals now; `None` when it is already.
    pub fn renew(
        &self,
        random: &dyn Random,
        purpose: Purpose,
        place: &str,
        sealed: &Sealed,
    ) -> Result<Option<Sealed>, OpenError> {
        let name = sealed.0.split_once('.').map(|(name, _)| name);
        if self.keys.first().is_some_and(|key| Some(key.name.as_str()) == name) {
            return Ok(None);
        }
        let plain = self.open(purpose, place, sealed)?;
        self.seal(random, purpose, place, &plain).map(Some)
    }

    /// A fingerprint of `text`, 128 bits in base64url: the same in every process with the same first key, and no help
    /// in guessing what was in the text.
    pub fn fingerprint(&self, text: &[u8]) -> Result<String, OpenError> {
        let key = self.keys.first().ok_or(OpenError)?;
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(key.key.expose()).map_err(|_| OpenError)?;
        mac.update(b"vestibule entity tag\0");
        mac.update(text);
        let digest = mac.finalize().into_bytes();
        let (short, _) = digest.split_at_checked(16).ok_or(OpenError)?;
        Ok(URL_SAFE_NO_PAD.encode(short))
    }

    /// Opens what was sealed for `purpose` at `place`.
    pub fn open(&self, purpose: Purpose, place: &str, sealed: &Sealed) -> Result<Vec<u8>, OpenError> {
        let (name, encoded) = sealed.0.split_once('.').ok_or(OpenError)?;
        let key = self.keys.iter().find(|key| key.name == name).ok_or(OpenError)?;
        let message = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| OpenError)?;
        let (salt, rest) = message.split_at_checked(SALT).ok_or(OpenError)?;
        let (nonce, sealed) = rest.split_at_checked(NONCE).ok_or(OpenError)?;
        let payload = Payload { msg: sealed, aad: place.as_bytes() };
        cipher(key, purpose, salt)?.decrypt(Nonce::from_slice(nonce), payload).map_err(|_| OpenError)
    }
}

fn cipher(key: &SealingKey, purpose: Purpose, salt: &[u8]) -> Result<Aes256Gcm, OpenError> {
    let mut derive = <Hmac<Sha256> as Mac>::new_from_slice(key.key.expose()).map_err(|_| OpenError)?;
    derive.update(purpose.label().as_bytes());
    derive.update(&[0]);
    derive.update(salt);
    Aes256Gcm::new_from_slice(&derive.finalize().into_bytes()).map_err(|_| OpenError)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    struct Ascending;
    impl Random for Ascending {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.iter_mut().zip(1..).for_each(|(byte, value)| *byte = value);
        }
    }

    fn sealer(names: &[(&str, u8)]) -> Sealer {
        let key = |(name, byte): &(&str, u8)| SealingKey { name: (*name).to_owned(), key: Secret::new([*byte; 32]) };
        Sealer::new(names.iter().map(key).collect())
    }

    #[test]
    fn what_was_sealed_opens_at_its_place() {
        let sealer = sealer(&[("a", 1)]);
        let text = sealer.seal(&Ascending, Purpose::Record, "here", b"secret").unwrap();
        assert_eq!(sealer.open(Purpose::Record, "here", &text).as_deref(), Ok(&b"secret"[..]));
    }

    /// CK-10
    #[test]
    fn nothing_else_opens() {
        let sealer = sealer(&[("a", 1)]);
        let text = sealer.seal(&Ascending, Purpose::Record, "here", b"secret").unwrap();
        assert_eq!(sealer.open(Purpose::LoginCookie, "here", &text), Err(OpenError));
        assert_eq!(sealer.open(Purpose::Record, "there", &text), Err(OpenError));
        let text = text.as_str();
        for at in [0, 2, 20, 30, 45, text.len() - 1] {
            let mut changed = text.to_owned().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = Sealed::from_text(String::from_utf8(changed).unwrap());
            assert_eq!(sealer.open(Purpose::Record, "here", &changed), Err(OpenError), "{at}");
        }
        for cut in ["", "a", "a.", "a.AAAA", &text[..40]] {
            assert_eq!(sealer.open(Purpose::Record, "here", &Sealed::from_text(cut)), Err(OpenError), "{cut}");
        }
    }

    /// CK-9
    #[test]
    fn keys_rotate_with_overlap() {
        let sealed = sealer(&[("old", 1)]).seal(&Ascending, Purpose::Record, "here", b"x").unwrap();
        let both = sealer(&[("new", 2), ("old", 1)]);
        assert!(both.open(Purpose::Record, "here", &sealed).is_ok());
        let renew = |sealed: &Sealed| both.renew(&Ascending, Purpose::Record, "here", sealed);
        let renewed = renew(&sealed).unwrap().unwrap();
        assert_eq!(sealer(&[("new", 2)]).open(Purpose::Record, "here", &renewed).as_deref(), Ok(&b"x"[..]));
        assert_eq!(renew(&renewed), Ok(None));
        assert_eq!(renew(&Sealed::from_text("gone.AAAA")), Err(OpenError));
        assert_eq!(sealer(&[("new", 2)]).open(Purpose::Record, "here", &sealed), Err(OpenError));
    }
}
