//! SAML: what is parsed and written again, and messages that were changed after they were signed.

use async_trait::async_trait;
use futures_util::FutureExt;
use sha2::{Digest, Sha256};
use vestibule_core::platform::{Crypto, CryptoError, PrivateKey};
use vestibule_core::saml::verify::Keys;
use vestibule_core::secret::Secret;
use vestibule_protocol::jose::{Algorithm, KeyMaterial, PublicKey};
use vestibule_protocol::saml::{
    Assertion, Expected, IdpMetadata, Message, OaepHash, RedirectMessage, ToSign, canonicalize, posted,
};
use vestibule_protocol::time::{Seconds, Timestamp};

use crate::changed;

const NOW: Timestamp = Timestamp::from_seconds(1_751_094_000);
const ACS: &str = "https://sso.example/saml/acme/ad/acs";
const AUDIENCE: &str = "https://sso.example/saml/acme/ad";
const ISSUER: &str = "https://idp.example";

const ASSERTION: &str = concat!(
    r#"<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a" Version="2.0">"#,
    "<saml:Issuer>https://idp.example</saml:Issuer><saml:Subject><saml:NameID>ada@corp.example</saml:NameID>",
    r#"<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData "#,
    r#"InResponseTo="_r" NotOnOrAfter="2025-06-28T07:05:00Z" Recipient="https://sso.example/saml/acme/ad/acs">"#,
    "</saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject><saml:Conditions><saml:AudienceRestriction>",
    "<saml:Audience>https://sso.example/saml/acme/ad</saml:Audience></saml:AudienceRestriction></saml:Conditions>",
    r#"<saml:AuthnStatement AuthnInstant="2025-06-28T06:59:58Z"></saml:AuthnStatement><saml:AttributeStatement>"#,
    r#"<saml:Attribute Name="groups"><saml:AttributeValue>engineering</saml:AttributeValue></saml:Attribute>"#,
    "</saml:AttributeStatement></saml:Assertion>",
);

/// No bytes break the readers; a canonical form is its own canonical form; and of a message that was signed and then
/// changed, nothing else is ever read than what was signed.
pub fn saml(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        parsed(text);
    }
    let (whole, part) = (whole_signed(), assertion_signed());
    let said = said(&whole).expect("a good message");
    assert_eq!(Some(&said), self::said(&part).as_ref());
    for text in [whole, part].iter().filter_map(|message| changed(message, data)) {
        if let Some(other) = self::said(&text) {
            assert_eq!(said, other, "{text}");
        }
    }
}

fn parsed(text: &str) {
    let _ = posted(text);
    let _ = RedirectMessage::read(text);
    let _ = IdpMetadata::read(text, None, NOW);
    let _ = Message::read(text);
    if let Ok(canonical) = canonicalize(text, &[], true) {
        assert_eq!(canonicalize(&canonical, &[], true), Ok(canonical));
    }
}

/// What is read of a message once its signatures were verified.
fn said(text: &str) -> Option<Assertion> {
    let signing = [PublicKey::new(KeyMaterial::Rsa { n: vec![0xc5; 256], e: vec![1, 0, 1] }, None, None)];
    let keys = Keys { crypto: &Digests, signing: &signing, encryption: &[] };
    let verified = keys.verified(text).now_or_never().expect("digests do not wait").ok()?;
    let (request, unsolicited, skew) = (Some("_r"), false, Seconds(60));
    let expected = Expected { issuer: ISSUER, audience: AUDIENCE, acs: ACS, request, unsolicited, now: NOW, skew };
    verified.read(&expected).ok()
}

fn response(assertion: &str) -> String {
    format!(
        "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" Destination=\"{ACS}\" ID=\"_1\" \
         InResponseTo=\"_r\" Version=\"2.0\"><saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">{ISSUER}\
         </saml:Issuer><samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\">\
         </samlp:StatusCode></samlp:Status>{assertion}</samlp:Response>"
    )
}

fn whole_signed() -> String {
    signed(response(ASSERTION), "_1")
}

fn assertion_signed() -> String {
    response(&signed(ASSERTION.to_owned(), "_a"))
}

fn signed(xml: String, id: &str) -> String {
    let message = ToSign::new(xml, id, Algorithm::RS256).expect("RSA");
    let signature = signature(message.input());
    message.signed(&signature)
}

/// As long as an RSA signature, and as hard to guess as a digest.
fn signature(input: &[u8]) -> Vec<u8> {
    Sha256::digest(input).repeat(8)
}

struct Digests;

#[async_trait]
impl Crypto for Digests {
    async fn generate(&self, algorithm: Algorithm) -> Result<PrivateKey, CryptoError> {
        Err(CryptoError::Unsupported(algorithm))
    }

    async fn sign(&self, _: &PrivateKey, input: &[u8]) -> Result<Vec<u8>, CryptoError> {
        Ok(signature(input))
    }

    async fn verify(&self, _: &PublicKey, _: Algorithm, input: &[u8], given: &[u8]) -> Result<(), CryptoError> {
        if signature(input) == given { Ok(()) } else { Err(CryptoError::BadSignature) }
    }

    async fn decrypt(&self, _: &PrivateKey, _: OaepHash, _: &[u8]) -> Result<Secret<Vec<u8>>, CryptoError> {
        Err(CryptoError::BadCiphertext)
    }
}
