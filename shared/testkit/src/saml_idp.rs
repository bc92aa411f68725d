//! An identity provider that speaks SAML. It reads requests as they arrive, and its responses are signed with a real key. What
//! a response says is a plain value, [`Says`], so that a test can let it say anything before it is signed.

mod asked;
mod leaving;
mod says;

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use vestibule_core::platform::{Clock, Crypto, CryptoError, PrivateKey, Random};
use vestibule_protocol::jose::Algorithm;
use vestibule_protocol::saml::{NewCertificate, Subject, ToSign, canonicalize};
use vestibule_protocol::time::Seconds;

pub use asked::Asked;
pub use says::{Says, Signs};

use crate::idp::random_text;

/// How long an assertion of it can be used.
const ASSERTION_LIFE: Seconds = Seconds(300);
const UNUSABLE: CryptoError = CryptoError::BadKey("it does not sign certificates and messages");

/// The provider.
pub struct FakeSamlIdp {
    entity_id: String,
    crypto: Arc<dyn Crypto>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    key: PrivateKey,
    certificate: String,
}

impl FakeSamlIdp {
    /// A provider with a new RSA key.
    pub async fn new(
        entity_id: &str,
        crypto: Arc<dyn Crypto>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, CryptoError> {
        let key = crypto.generate(Algorithm::RS256).await?;
        let now = clock.now();
        let day = Seconds(86_400);
        let subject = Subject { name: "a provider", serial: [7; 16], starts: now - day, ends: now + day };
        let certificate = NewCertificate::new(&subject, &key.public).ok_or(UNUSABLE)?;
        let signature = crypto.sign(&key, certificate.input()).await?;
        let certificate = STANDARD.encode(certificate.signed(&signature).ok_or(UNUSABLE)?);
        Ok(Self { entity_id: entity_id.to_owned(), crypto, clock, random, key, certificate })
    }

    /// Its name.
    pub fn entity_id(&self) -> &str {
        &self.entity_id
    }

    /// Its certificate: base64 of DER.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// The honest answer to a request: whom it names, just now signed in.
    pub fn says(&self, asked: &Asked, name: &str) -> Says {
        let now = self.clock.now();
        Says {
            issuer: self.entity_id.clone(),
            audience: asked.issuer.clone(),
            destination: asked.acs.clone(),
            recipient: asked.acs.clone(),
            in_response_to: Some(asked.id.clone()),
            id: format!("_{}", random_text(&*self.random)),
            issued_at: now,
            ends: now + ASSERTION_LIFE,
            authenticated_at: now,
            session_index: Some(format!("_{}", random_text(&*self.random))),
            session_ends: None,
            context: "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport".to_owned(),
            name: name.to_owned(),
            format: None,
            attributes: Vec::new(),
            failure: None,
            signs: Signs::Assertion,
        }
    }

    /// The response that says so, as XML.
    pub async fn response(&self, says: &Says) -> Result<String, CryptoError> {
        let assertion = says.assertion();
        let assertion = match says.signs {
            Signs::Assertion | Signs::Both => self.signed(&assertion, &says.id).await?,
            Signs::Response | Signs::Nothing => assertion,
        };
        self.enclose(says, &assertion).await
    }

    /// The response around an assertion that is written, and perhaps encrypted, already.
    pub async fn enclose(&self, says: &Says, assertion: &str) -> Result<String, CryptoError> {
        let id = format!("_{}", random_text(&*self.random));
        let response = says.response(&id, assertion);
        match says.signs {
            Signs::Response | Signs::Both => self.signed(&response, &id).await,
            Signs::Assertion | Signs::Nothing => Ok(response),
        }
    }

    /// `xml` with a signature about the element of this id.
    pub async fn signed(&self, xml: &str, id: &str) -> Result<String, CryptoError> {
        let canonical = canonicalize(xml, &[], false).map_err(|_| UNUSABLE)?;
        let message = ToSign::new(canonical, id, self.key.algorithm).ok_or(UNUSABLE)?;
        let signature = self.crypto.sign(&self.key, message.input()).await?;
        Ok(message.signed(&signature))
    }

    /// A message as a form carries it.
    pub fn posted(xml: &str) -> String {
        STANDARD.encode(xml)
    }
}
