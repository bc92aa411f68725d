//! What an identity provider that speaks SAML publishes of itself, as far as a test says. Nobody signs with its keys.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use vestibule_protocol::jose::{KeyMaterial, PublicKey};
use vestibule_protocol::saml::{NewCertificate, Subject};
use vestibule_protocol::time::{Seconds, Timestamp};

const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
const BINDINGS: &str = "urn:oasis:names:tc:SAML:2.0:bindings";

/// A certificate in base64 of DER. The number makes its key; of another number, it is another.
#[derive(Debug, Clone, Copy)]
pub struct TestCertificate {
    /// Which one.
    pub number: u8,
    /// Bits of its RSA key.
    pub bits: usize,
    /// From when.
    pub starts: Timestamp,
    /// Until when.
    pub ends: Timestamp,
}

impl TestCertificate {
    /// One that is good for ten years from now on.
    pub fn new(number: u8, now: Timestamp) -> Self {
        Self { number, bits: 2_048, starts: now - Seconds(86_400), ends: now + Seconds(3_650 * 86_400) }
    }

    fn der(&self) -> Vec<u8> {
        let modulus = vec![self.number | 0x81; self.bits / 8];
        let key = PublicKey::new(KeyMaterial::Rsa { n: modulus, e: vec![1, 0, 1] }, None, None);
        let subject =
            Subject { name: "idp.example", serial: [self.number | 1; 16], starts: self.starts, ends: self.ends };
        let certificate = NewCertificate::new(&subject, &key).expect("an RSA key");
        certificate.signed(&[7; 256]).expect("DER")
    }

    /// Base64 of DER, as in metadata.
    pub fn base64(&self) -> String {
        STANDARD.encode(self.der())
    }

    /// Its fingerprint in hexadecimal.
    pub fn sha256(&self) -> String {
        format!("{:x}", Sha256::digest(self.der()))
    }

    /// The same in PEM, with what OpenSSL writes above it.
    pub fn pem(&self) -> String {
        let base64 = self.base64();
        let lines: Vec<&str> =
            base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
        format!("subject=CN=idp\n-----BEGIN CERTIFICATE-----\r\n{}\r\n-----END CERTIFICATE-----\n", lines.join("\r\n"))
    }
}

/// One `EntityDescriptor`.
#[derive(Debug, Clone, Default)]
pub struct TestEntity {
    /// Its entity id.
    pub id: String,
    /// More attributes of its `IDPSSODescriptor`.
    pub attributes: String,
    /// Its signing certificates, in base64.
    pub certificates: Vec<String>,
    /// Where it takes requests: the end of the binding's name (`HTTP-Redirect`) and the address.
    pub single_sign_on: Vec<(&'static str, String)>,
    /// Where it takes logout messages.
    pub single_logout: Vec<(&'static str, String)>,
}

impl TestEntity {
    /// One with a certificate, both bindings and a place to sign out.
    pub fn new(id: &str, certificates: &[TestCertificate]) -> Self {
        Self {
            id: id.to_owned(),
            attributes: String::new(),
            certificates: certificates.iter().map(TestCertificate::base64).collect(),
            single_sign_on: ["HTTP-Redirect", "HTTP-POST"].map(|binding| (binding, format!("{id}/sso"))).into(),
            single_logout: vec![("HTTP-Redirect", format!("{id}/slo"))],
        }
    }

    /// The element.
    pub fn xml(&self) -> String {
        let key = |text: &String| {
            format!(
                "<md:KeyDescriptor use=\"signing\"><ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:X509Data>\
                 <ds:X509Certificate>{text}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
            )
        };
        let place = |name: &'static str| {
            move |(binding, address): &(&str, String)| {
                format!("<md:{name} Binding=\"{BINDINGS}:{binding}\" Location=\"{address}\"/>")
            }
        };
        let Self { id, attributes, .. } = self;
        let keys: String = self.certificates.iter().map(key).collect();
        let logout: String = self.single_logout.iter().map(place("SingleLogoutService")).collect();
        let places: String = self.single_sign_on.iter().map(place("SingleSignOnService")).collect();
        format!(
            "<md:EntityDescriptor xmlns:md=\"{METADATA}\" entityID=\"{id}\"><md:IDPSSODescriptor \
             protocolSupportEnumeration=\"{PROTOCOL}\" {attributes}>{keys}{logout}{places}</md:IDPSSODescriptor></md:EntityDescriptor>"
        )
    }
}

/// Several entities in one document.
pub fn federation(entities: &[TestEntity]) -> String {
    let all: String = entities.iter().map(TestEntity::xml).collect();
    format!(
        "<md:EntitiesDescriptor xmlns:md=\"{METADATA}\"><md:EntitiesDescriptor>{all}</md:EntitiesDescriptor></md:EntitiesDescriptor>"
    )
}

/// The body of a connection with this `saml` member.
pub fn saml_connection(saml: &Value) -> Value {
    json!({ "name": "Corp", "protocol": "saml", "saml": saml })
}
