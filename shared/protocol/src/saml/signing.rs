//! Signing what we send by POST: the same form of signature that we demand of others.

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use super::uri::{DSIG, ECDSA_SHA256, ENVELOPED, EXCLUSIVE, RSA_SHA256, SHA256};
use super::write::Writer;
use crate::jose::Algorithm;

/// A message of ours that waits for its signature.
#[derive(Debug)]
pub struct ToSign {
    xml: String,
    info: String,
}

impl ToSign {
    /// `xml`: canonical, as this module writes it, with the id `id` and an issuer. `None` for an algorithm that SAML's peers
    /// do not know: it takes RSA or ECDSA with SHA-256.
    pub fn new(xml: String, id: &str, algorithm: Algorithm) -> Option<Self> {
        let method = method(algorithm)?;
        let mut info = Writer::default();
        info.open("ds:SignedInfo", &[("xmlns:ds", Some(DSIG))]);
        info.empty("ds:CanonicalizationMethod", &[("Algorithm", Some(EXCLUSIVE))]);
        info.empty("ds:SignatureMethod", &[("Algorithm", Some(method))]);
        info.open("ds:Reference", &[("URI", Some(&format!("#{id}")))]);
        info.open("ds:Transforms", &[]);
        info.empty("ds:Transform", &[("Algorithm", Some(ENVELOPED))]);
        info.empty("ds:Transform", &[("Algorithm", Some(EXCLUSIVE))]);
        info.close();
        info.empty("ds:DigestMethod", &[("Algorithm", Some(SHA256))]);
        info.text("ds:DigestValue", &[], &STANDARD.encode(Sha256::digest(&xml)));
        Some(Self { xml, info: info.finish() })
    }

    /// What to sign.
    pub const fn input(&self) -> &[u8] {
        self.info.as_bytes()
    }

    /// The signed message. No key is named in it: the other side has our certificate, and AD FS stumbles over names.
    pub fn signed(self, signature: &[u8]) -> String {
        const AFTER: &str = "</saml:Issuer>";
        let at = self.xml.find(AFTER).map_or(self.xml.len(), |at| at + AFTER.len());
        let (before, after) = self.xml.split_at_checked(at).unwrap_or((&self.xml, ""));
        let value = STANDARD.encode(signature);
        let open = format!("<ds:Signature xmlns:ds=\"{DSIG}\">");
        let close = "<ds:SignatureValue>";
        [before, &open, &self.info, close, &value, "</ds:SignatureValue></ds:Signature>", after].concat()
    }
}

/// The name of an algorithm that we sign with.
pub(super) const fn method(algorithm: Algorithm) -> Option<&'static str> {
    match algorithm {
        Algorithm::RS256 => Some(RSA_SHA256),
        Algorithm::ES256 => Some(ECDSA_SHA256),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saml::signature;
    use crate::saml::xml::{self, MESSAGE_LIMIT};

    const XML: &str = r#"<a xmlns="u" ID="_1"><saml:Issuer xmlns:saml="v">x</saml:Issuer><b></b></a>"#;

    #[test]
    fn what_is_signed_is_found_by_whoever_verifies() {
        let message = ToSign::new(XML.to_owned(), "_1", Algorithm::RS256).unwrap();
        let input = message.input().to_vec();
        let signed = message.signed(b"signature");
        let document = xml::parse(&signed, MESSAGE_LIMIT).unwrap();
        let found = signature::read(document.root_element()).unwrap().unwrap();
        assert_eq!((found.input(), found.signature()), (&*input, &b"signature"[..]));
        assert_eq!(found.algorithm(), Algorithm::RS256);
        assert_eq!(found.into_content(), XML);
    }

    #[test]
    fn peers_do_not_know_other_algorithms() {
        for algorithm in [Algorithm::EdDSA, Algorithm::PS256, Algorithm::ES384] {
            assert!(ToSign::new(XML.to_owned(), "_1", algorithm).is_none());
        }
    }
}
