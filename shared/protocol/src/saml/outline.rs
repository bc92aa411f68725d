//! A look at a response that nobody verified, for the words in which an administrator is told what is wrong with it. Nothing
//! in an [`Outline`] is true because it stands there: who signs in is read by [`super::Verified`], and by nothing else.

use roxmltree::Node;

use super::uri::{ASSERTION, DSIG, PROTOCOL};
use super::{Attribute, NameId, Refused, assertion, instant, posted, signature, xml};
use crate::time::Timestamp;

/// What a response seems to say. Where it and its assertion both say something, the response's word comes first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline {
    /// When it was issued.
    pub issued_at: Option<Timestamp>,
    /// From when the assertion counts.
    pub starts: Option<Timestamp>,
    /// Which request it answers.
    pub in_response_to: Option<String>,
    /// By whom it is: entity ids.
    pub issuers: Vec<String>,
    /// For which addresses it is: the response's `Destination`, each confirmation's `Recipient`.
    pub addresses: Vec<String>,
    /// For which service providers: each `Audience`.
    pub audiences: Vec<String>,
    /// Its signatures.
    pub signatures: Vec<OutlinedSignature>,
    /// Who it is about.
    pub name_id: Option<NameId>,
    /// What the session is called.
    pub session_index: Option<String>,
    /// How the person signed in.
    pub context: Option<String>,
    /// What else is said of them.
    pub attributes: Vec<Attribute>,
    /// Whether there is an assertion that can be read.
    pub has_assertion: bool,
}

/// A signature, as far as it can be read without verifying it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutlinedSignature {
    /// Why it is no signature that could be verified.
    pub problem: Option<Refused>,
    /// The certificate that its `KeyInfo` names, in DER. Anybody can write one there.
    pub certificate: Option<Vec<u8>>,
}

/// What somebody copied: the value of the form field, or the XML.
pub fn pasted(text: &str) -> Result<String, Refused> {
    if text.trim_start().starts_with('<') { xml::message(text.trim().as_bytes()) } else { posted(text) }
}

impl Outline {
    /// Looks at the response `text`; at its assertion in `assertion`, where that was taken out of it.
    pub fn of(text: &str, assertion: Option<&str>) -> Result<Self, Refused> {
        let document = xml::parse(text, xml::MESSAGE_LIMIT)?;
        let response = document.root_element();
        if !xml::is(response, PROTOCOL, "Response") {
            return Err(Refused::Shape("Response"));
        }
        let mut outline = Self {
            issued_at: time(response, "IssueInstant"),
            in_response_to: xml::attribute(response, "InResponseTo").map(str::to_owned),
            addresses: xml::attribute(response, "Destination").map(str::to_owned).into_iter().collect(),
            ..Self::default()
        };
        outline.named_and_signed(response);
        match assertion {
            Some(text) => outline.assertion(xml::parse(text, xml::MESSAGE_LIMIT)?.root_element()),
            None => xml::all(response, ASSERTION, "Assertion").for_each(|node| outline.assertion(node)),
        }
        Ok(outline)
    }

    /// The issuer and the signature of the response or of its assertion.
    fn named_and_signed(&mut self, node: Node<'_, '_>) {
        self.issuers.extend(xml::all(node, ASSERTION, "Issuer").filter_map(|issuer| xml::text(issuer).ok()));
        if let Some(element) = xml::all(node, DSIG, "Signature").next() {
            let certificate = element.descendants().find(|node| xml::is(*node, DSIG, "X509Certificate"));
            self.signatures.push(OutlinedSignature {
                problem: signature::read(node).err(),
                certificate: certificate.and_then(|node| xml::bytes(node).ok()),
            });
        }
    }

    fn assertion(&mut self, node: Node<'_, '_>) {
        self.has_assertion = true;
        self.named_and_signed(node);
        for conditions in xml::all(node, ASSERTION, "Conditions") {
            self.starts = self.starts.or(time(conditions, "NotBefore"));
            let audiences = conditions.descendants().filter(|node| xml::is(*node, ASSERTION, "Audience"));
            self.audiences.extend(audiences.filter_map(|audience| xml::text(audience).ok()));
        }
        for subject in xml::all(node, ASSERTION, "Subject") {
            self.name_id = NameId::read(subject).ok();
            let data = subject.descendants().filter(|node| xml::is(*node, ASSERTION, "SubjectConfirmationData"));
            for data in data {
                self.addresses.extend(xml::attribute(data, "Recipient").map(str::to_owned));
                let answered = xml::attribute(data, "InResponseTo").map(str::to_owned);
                self.in_response_to = self.in_response_to.take().or(answered);
            }
        }
        if let Some(statement) = xml::all(node, ASSERTION, "AuthnStatement").next() {
            self.session_index = xml::attribute(statement, "SessionIndex").map(str::to_owned);
            let class = statement.descendants().find(|node| xml::is(*node, ASSERTION, "AuthnContextClassRef"));
            self.context = class.and_then(|class| xml::text(class).ok());
        }
        self.attributes.extend(assertion::attributes(node).unwrap_or_default());
    }
}

fn time(node: Node<'_, '_>, name: &str) -> Option<Timestamp> {
    instant::parse(xml::attribute(node, name)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESPONSE: &str = "<p:Response xmlns:p='urn:oasis:names:tc:SAML:2.0:protocol' \
        xmlns:a='urn:oasis:names:tc:SAML:2.0:assertion' Destination='https://sso.example/acs' \
        IssueInstant='2025-06-28T07:00:00Z' InResponseTo='_1'><a:Issuer>urn:idp</a:Issuer><a:Assertion ID='_2'>\
        <a:Issuer>urn:other</a:Issuer><s:Signature xmlns:s='http://www.w3.org/2000/09/xmldsig#'><s:KeyInfo><s:X509Data>\
        <s:X509Certificate>AAAA</s:X509Certificate></s:X509Data></s:KeyInfo></s:Signature><a:Subject><a:NameID>ada</a:NameID>\
        <a:SubjectConfirmation><a:SubjectConfirmationData Recipient='https://sso.example/x'/></a:SubjectConfirmation></a:Subject>\
        <a:Conditions NotBefore='2025-06-28T06:55:00Z'><a:AudienceRestriction><a:Audience>urn:us</a:Audience>\
        </a:AudienceRestriction></a:Conditions><a:AttributeStatement><a:Attribute Name='groups'><a:AttributeValue>x\
        </a:AttributeValue></a:Attribute></a:AttributeStatement></a:Assertion></p:Response>";

    #[test]
    fn what_both_parts_say_is_seen() {
        let outline = Outline::of(RESPONSE, None).unwrap();
        assert_eq!(outline.issuers, ["urn:idp", "urn:other"]);
        assert_eq!(outline.addresses, ["https://sso.example/acs", "https://sso.example/x"]);
        assert_eq!(
            (outline.audiences.as_slice(), outline.in_response_to.as_deref()),
            (&["urn:us".to_owned()][..], Some("_1"))
        );
        let at = Timestamp::from_seconds;
        assert_eq!((outline.issued_at, outline.starts), (Some(at(1_751_094_000)), Some(at(1_751_093_700))));
        assert_eq!(outline.name_id.map(|name| name.value).as_deref(), Some("ada"));
        assert!(
            matches!(&outline.signatures[..], [one] if one.problem.is_some() && one.certificate == Some(vec![0; 3]))
        );
        assert_eq!(outline.attributes, [Attribute { name: "groups".to_owned(), values: vec!["x".to_owned()] }]);
    }

    #[test]
    fn what_is_no_response_is_refused() {
        for text in ["<a/>", "<!DOCTYPE a><a/>", "a", ""] {
            assert!(Outline::of(text, None).is_err(), "{text}");
        }
    }

    #[test]
    fn a_form_field_and_xml_are_taken() {
        for text in ["<a/>", "\n <a/>\r\n", "PGEvPg==", "PGEv\nPg=="] {
            assert_eq!(pasted(text).as_deref(), Ok("<a/>"), "{text}");
        }
        assert!(pasted("%3Ca%3E").is_err());
    }
}
