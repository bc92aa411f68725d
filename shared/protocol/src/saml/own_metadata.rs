//! Our own metadata for a connection: what its identity provider's administrator uploads (saml-metadata §2.4.4).

use super::certificate;
use super::uri::{DSIG, METADATA, POST, PROTOCOL, REDIRECT};
use super::write::Writer;

/// What we are to an identity provider.
#[derive(Debug, Clone, Copy)]
pub struct OwnMetadata<'a> {
    /// Our entity id for the connection.
    pub entity_id: &'a str,
    /// Our assertion consumer service, by POST.
    pub acs: &'a str,
    /// Our single logout service, by redirect and by POST.
    pub slo: &'a str,
    /// What we sign with, in DER: the present certificate, and the next or the last while they overlap.
    pub signing: &'a [Vec<u8>],
    /// What to encrypt for, in DER. Some identity providers encrypt as soon as they see it.
    pub encryption: Option<&'a [u8]>,
    /// Whether our requests are signed.
    pub signs_requests: bool,
}

impl OwnMetadata<'_> {
    /// The document. It is not signed: it is fetched from where it says it is from.
    pub fn to_xml(&self) -> String {
        let mut writer = Writer::default();
        writer.open("md:EntityDescriptor", &[("xmlns:md", Some(METADATA)), ("entityID", Some(self.entity_id))]);
        writer.open(
            "md:SPSSODescriptor",
            &[
                ("AuthnRequestsSigned", Some(if self.signs_requests { "true" } else { "false" })),
                ("WantAssertionsSigned", Some("true")),
                ("protocolSupportEnumeration", Some(PROTOCOL)),
            ],
        );
        for der in self.signing {
            key(&mut writer, "signing", der);
        }
        if let Some(der) = self.encryption {
            key(&mut writer, "encryption", der);
        }
        for binding in [REDIRECT, POST] {
            let place = [("Binding", Some(binding)), ("Location", Some(self.slo))];
            writer.empty("md:SingleLogoutService", &place);
        }
        let place =
            [("Binding", Some(POST)), ("Location", Some(self.acs)), ("index", Some("0")), ("isDefault", Some("true"))];
        writer.empty("md:AssertionConsumerService", &place);
        writer.finish()
    }
}

fn key(writer: &mut Writer, usage: &str, der: &[u8]) {
    writer.open("md:KeyDescriptor", &[("use", Some(usage))]);
    writer.open("ds:KeyInfo", &[("xmlns:ds", Some(DSIG))]);
    writer.open("ds:X509Data", &[]);
    writer.text("ds:X509Certificate", &[], &certificate::base64(der));
    writer.close().close();
    if usage == "encryption" {
        // What we prefer, first (saml-metadata §2.4.1.1).
        for algorithm in [
            "http://www.w3.org/2009/xmlenc11#aes256-gcm",
            "http://www.w3.org/2009/xmlenc11#aes128-gcm",
            "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
        ] {
            writer.empty("md:EncryptionMethod", &[("Algorithm", Some(algorithm))]);
        }
    }
    writer.close();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saml::xml;

    #[test]
    fn it_has_what_an_identity_provider_needs() {
        let signing = [vec![1, 2, 3], vec![4, 5, 6]];
        let metadata = OwnMetadata {
            entity_id: "https://sso.example/saml/acme/ad?a&b",
            acs: "https://sso.example/saml/acme/ad/acs",
            slo: "https://sso.example/saml/acme/ad/slo",
            signing: &signing,
            encryption: Some(&[7, 8, 9]),
            signs_requests: true,
        };
        let text = metadata.to_xml();
        let document = xml::parse(&text, xml::METADATA_LIMIT).unwrap();
        assert_eq!(xml::attribute(document.root_element(), "entityID"), Some(metadata.entity_id));
        let certificates: Vec<_> = document
            .descendants()
            .filter(|node| xml::is(*node, DSIG, "X509Certificate"))
            .map(|node| xml::bytes(node).unwrap())
            .collect();
        assert_eq!(certificates, [vec![1, 2, 3], vec![4, 5, 6], vec![7, 8, 9]]);
        let without = OwnMetadata { encryption: None, ..metadata }.to_xml();
        assert!(!without.contains("encryption"));
    }
}
