//! A SAML identity provider's side, as far as tests need it in hand: its key, its certificate, its metadata.

use base64::{Engine, engine::general_purpose::STANDARD};
use vestibule_core::platform::PrivateKey;
use vestibule_protocol::jose::Algorithm;
use vestibule_protocol::saml::{NewCertificate, Subject, write_instant};
use vestibule_protocol::time::{Seconds, Timestamp};

use crate::platform::crypto;

/// The entity id of the provider.
pub const ENTITY: &str = "https://saml.example/idp";
/// Where its metadata is.
pub const METADATA: &str = "https://saml.example/metadata";

/// What a provider signs with.
pub struct SigningPair {
    /// The key.
    pub key: PrivateKey,
    /// Its certificate: base64 of DER.
    pub certificate: String,
}

impl SigningPair {
    /// A new one on P-256, whose certificate is good from `now` on for so many days.
    pub async fn new(now: Timestamp, days: i64) -> Self {
        let key = crypto().generate(Algorithm::ES256).await.expect("a key");
        let mut serial = [7; 16];
        serial[1..9].copy_from_slice(&now.seconds().to_be_bytes());
        let ends = now + Seconds(days * 86_400);
        let subject = Subject { name: "saml.example", serial, starts: now, ends };
        let certificate = NewCertificate::new(&subject, &key.public).expect("a certificate");
        let signature = crypto().sign(&key, certificate.input()).await.expect("a signature");
        let der = certificate.signed(&signature).expect("a certificate");
        Self { key, certificate: STANDARD.encode(der) }
    }
}

/// Metadata of the provider `entity_id`, with these certificates, perhaps with an end.
pub fn metadata(entity_id: &str, certificates: &[&str], valid_until: Option<Timestamp>) -> String {
    let keys: String = certificates.iter().map(|certificate| key_descriptor(certificate)).collect();
    let end = valid_until.map(|end| format!(" validUntil=\"{}\"", write_instant(end))).unwrap_or_default();
    let service = |name: &str, way: &str| {
        let binding = format!("urn:oasis:names:tc:SAML:2.0:bindings:{way}");
        format!("<{name} Binding=\"{binding}\" Location=\"https://saml.example/{name}\"/>")
    };
    let services = service("SingleLogoutService", "HTTP-Redirect") + &service("SingleSignOnService", "HTTP-Redirect");
    format!(
        "<EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{entity_id}\"{end}>\
         <IDPSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">\
         {keys}{services}</IDPSSODescriptor></EntityDescriptor>"
    )
}

fn key_descriptor(certificate: &str) -> String {
    format!(
        "<KeyDescriptor use=\"signing\"><KeyInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><X509Data>\
         <X509Certificate>{certificate}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>"
    )
}
