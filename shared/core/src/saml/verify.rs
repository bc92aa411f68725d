//! From a response as it arrived to the bytes that a signature vouches for.
//!
//! The order is the safety: a signature is verified before anything in its element is read, an encrypted assertion is
//! decrypted out of signed bytes where there are any, and what was decrypted goes through the same reader again.

use vestibule_protocol::jose::{Algorithm, PublicKey};
use vestibule_protocol::saml::{Encrypted, Message, Refused, Signed, Verified, fits};

use crate::error::Error;
use crate::platform::{Crypto, CryptoError, PrivateKey};

/// Most encrypted names and attributes of one assertion. Each costs a private operation.
const PARTS: usize = 8;

/// What a connection's messages are verified and opened with.
pub struct Keys<'a> {
    /// The platform's.
    pub crypto: &'a dyn Crypto,
    /// The identity provider's, from its certificates.
    pub signing: &'a [PublicKey],
    /// Ours, for which it may encrypt: the present one, and the last.
    pub encryption: &'a [PrivateKey],
}

/// Why there is nothing to read: the message's fault, or ours.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The message is refused.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The platform failed.
    #[error("crypto")]
    Crypto(#[from] CryptoError),
}

impl From<VerifyError> for Error {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Refused(refused) => crate::error::LoginError::Saml(refused).into(),
            VerifyError::Crypto(error) => error.into(),
        }
    }
}

impl Keys<'_> {
    /// What signatures vouch for in the response `text`. Nothing in it was compared with what is expected yet.
    pub async fn verified(&self, text: &str) -> Result<Verified, VerifyError> {
        let message = Message::read(text)?;
        let response_is_signed = message.response.is_some();
        let mut response = match message.response {
            Some(signed) => self.content(signed).await?,
            None => text.to_owned(),
        };
        let mut signed = message.assertion;
        if let Some(encrypted) = Encrypted::assertion(&response)? {
            response = self.decrypted(&encrypted, &response, response_is_signed).await?;
            let opened = Message::read(&response)?;
            if opened.is_encrypted || opened.response.is_some() {
                return Err(Refused::Shape("one Assertion, directly in the Response").into());
            }
            signed = opened.assertion;
        }
        let mut assertion = match signed {
            Some(signed) => Some(self.content(signed).await?),
            None if response_is_signed => None,
            None => return Err(Refused::Unsigned.into()),
        };
        // Everything from here on is signed.
        let content = assertion.as_mut().unwrap_or(&mut response);
        *content = self.opened(std::mem::take(content)).await?;
        Ok(Verified { response, response_is_signed, assertion })
    }

    /// `content`, which is signed, with the names and attributes that are encrypted in it opened.
    pub async fn opened(&self, mut content: String) -> Result<String, VerifyError> {
        let mut parts = 0;
        while let Some(encrypted) = Encrypted::part(&content)? {
            parts += 1;
            if parts > PARTS {
                return Err(Refused::TooComplex.into());
            }
            content = self.decrypted(&encrypted, &content, true).await?;
        }
        Ok(content)
    }

    /// The element that is signed, if one of the provider's keys signed it.
    pub async fn content(&self, signed: Signed) -> Result<String, VerifyError> {
        self.signed(signed.algorithm(), signed.input(), signed.signature()).await?;
        Ok(signed.into_content())
    }

    /// One of the provider's keys made this signature over `input`.
    pub async fn signed(&self, algorithm: Algorithm, input: &[u8], signature: &[u8]) -> Result<(), VerifyError> {
        for key in self.signing.iter().filter(|key| fits(key, algorithm, signature)) {
            match self.crypto.verify(key, algorithm, input, signature).await {
                Ok(()) => return Ok(()),
                Err(CryptoError::BadSignature) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Refused::Signature.into())
    }

    /// `text` with what is encrypted in it opened. Whatever goes wrong is told in the same words.
    async fn decrypted(&self, encrypted: &Encrypted, text: &str, is_signed: bool) -> Result<String, VerifyError> {
        if !is_signed && !encrypted.cipher.is_authenticated() {
            return Err(Refused::UnauthenticatedCipher.into());
        }
        for key in self.encryption {
            for (hash, wrapped) in &encrypted.keys {
                let content_key = match self.crypto.decrypt(key, *hash, wrapped).await {
                    Ok(content_key) => content_key,
                    Err(CryptoError::BadCiphertext) => continue,
                    Err(error) => return Err(error.into()),
                };
                return Ok(encrypted.decrypted(text, content_key.expose())?);
            }
        }
        Err(Refused::Decryption.into())
    }
}
