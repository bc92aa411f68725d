//! The request to sign somebody in (saml-core §3.4.1).

use super::instant;
use super::uri::{ASSERTION, POST, PROTOCOL};
use super::write::{Writer, flag};
use crate::time::Timestamp;

/// An authentication request. What a connection does not set is left out: many identity providers refuse what they do
/// not expect.
#[derive(Debug, Clone, Copy)]
pub struct AuthnRequest<'a> {
    /// Unpredictable; begins with a letter or an underscore, for it is an XML id.
    pub id: &'a str,
    /// The present.
    pub issued_at: Timestamp,
    /// The identity provider's address.
    pub destination: &'a str,
    /// Our assertion consumer service.
    pub acs: &'a str,
    /// Our entity id.
    pub issuer: &'a str,
    /// Whether the person must sign in again.
    pub force_authn: bool,
    /// Whether nothing may be asked of the person.
    pub is_passive: bool,
    /// The format of the name that we ask for.
    pub name_id_format: Option<&'a str>,
    /// How the person should sign in; any of these classes will do.
    pub contexts: &'a [String],
}

impl AuthnRequest<'_> {
    /// The request, in canonical form.
    pub fn to_xml(&self) -> String {
        let mut writer = Writer::default();
        writer.open(
            "samlp:AuthnRequest",
            &[
                ("xmlns:samlp", Some(PROTOCOL)),
                ("AssertionConsumerServiceURL", Some(self.acs)),
                ("Destination", Some(self.destination)),
                ("ForceAuthn", flag(self.force_authn)),
                ("ID", Some(self.id)),
                ("IsPassive", flag(self.is_passive)),
                ("IssueInstant", Some(&instant::write(self.issued_at))),
                ("ProtocolBinding", Some(POST)),
                ("Version", Some("2.0")),
            ],
        );
        writer.text("saml:Issuer", &[("xmlns:saml", Some(ASSERTION))], self.issuer);
        if let Some(format) = self.name_id_format {
            writer.empty("samlp:NameIDPolicy", &[("AllowCreate", Some("true")), ("Format", Some(format))]);
        }
        if !self.contexts.is_empty() {
            writer.open("samlp:RequestedAuthnContext", &[("Comparison", Some("exact"))]);
            for context in self.contexts {
                writer.text("saml:AuthnContextClassRef", &[("xmlns:saml", Some(ASSERTION))], context);
            }
        }
        writer.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saml::canonicalize;

    const PLAIN: AuthnRequest<'_> = AuthnRequest {
        id: "_1",
        issued_at: Timestamp::from_seconds(1_751_094_000),
        destination: "https://idp.example/sso?a=1&b=2",
        acs: "https://sso.example/saml/acme/ad/acs",
        issuer: "https://sso.example/saml/acme/ad",
        force_authn: false,
        is_passive: false,
        name_id_format: None,
        contexts: &[],
    };

    #[test]
    fn what_is_not_set_is_not_sent() {
        let xml = PLAIN.to_xml();
        for absent in ["NameIDPolicy", "RequestedAuthnContext", "ForceAuthn", "IsPassive"] {
            assert!(!xml.contains(absent), "{absent}");
        }
        assert!(xml.contains(r#" Destination="https://idp.example/sso?a=1&amp;b=2" ID="_1" "#), "{xml}");
        assert!(xml.contains(r#"IssueInstant="2025-06-28T07:00:00Z""#), "{xml}");
    }

    #[test]
    fn it_is_canonical_as_written() {
        let contexts = ["urn:oasis:names:tc:SAML:2.0:ac:classes:X509".to_owned(), "urn:x<y".to_owned()];
        let format = Some("urn:oasis:names:tc:SAML:2.0:nameid-format:persistent");
        let full =
            AuthnRequest { force_authn: true, is_passive: true, name_id_format: format, contexts: &contexts, ..PLAIN };
        for xml in [PLAIN.to_xml(), full.to_xml()] {
            assert_eq!(canonicalize(&xml, &[], false).unwrap(), xml);
        }
    }
}
