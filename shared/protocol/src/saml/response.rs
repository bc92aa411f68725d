//! A response as it arrives: where its one assertion is, and which signatures must be verified before it is believed
//! (saml-core §3.3.3, saml-profiles §4.1.4).

use roxmltree::{Document, Node};

use super::uri::{ASSERTION, DSIG, PROTOCOL, SUCCESS};
use super::{Assertion, Expected, Refused, Signed, assertion, signature, xml};

/// The message in a form that was posted (saml-bindings §3.5.4): base64 of UTF-8.
pub fn posted(field: &str) -> Result<String, Refused> {
    // Base64 takes four characters for three bytes; its line ends are few.
    if field.len() / 2 > xml::MESSAGE_LIMIT {
        return Err(Refused::TooLarge);
    }
    xml::message(&xml::base64(field)?)
}

/// What an identity provider answers that did not sign the person in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The request that it answers, if it names one.
    pub in_response_to: Option<String>,
    /// The innermost status that it reports (saml-core §3.2.2.2), if it is a registered one.
    pub status: &'static str,
}

/// The failure that a response reports, if it is one. Identity providers do not sign these.
pub fn failure(text: &str) -> Option<Failure> {
    const REGISTERED: [&str; 22] = [
        "Requester",
        "Responder",
        "VersionMismatch",
        "AuthnFailed",
        "InvalidAttrNameOrValue",
        "InvalidNameIDPolicy",
        "NoAuthnContext",
        "NoAvailableIDP",
        "NoPassive",
        "NoSupportedIDP",
        "ProxyCountExceeded",
        "RequestDenied",
        "RequestUnsupported",
        "RequestVersionDeprecated",
        "RequestVersionTooHigh",
        "RequestVersionTooLow",
        "ResourceNotRecognized",
        "TooManyResponses",
        "UnknownAttrProfile",
        "UnknownPrincipal",
        "UnsupportedBinding",
        "PartialLogout",
    ];
    let document = xml::parse(text, xml::MESSAGE_LIMIT).ok()?;
    if root(&document) != Err(Refused::Status) {
        return None;
    }
    let response = document.root_element();
    let mut codes = response.descendants().filter(|node| xml::is(*node, PROTOCOL, "StatusCode"));
    let code = codes.next_back().and_then(|code| xml::attribute(code, "Value")).unwrap_or_default();
    let name = code.strip_prefix("urn:oasis:names:tc:SAML:2.0:status:");
    let registered = REGISTERED.into_iter().find(|registered| Some(*registered) == name);
    Some(Failure {
        in_response_to: xml::attribute(response, "InResponseTo").map(str::to_owned),
        status: registered.unwrap_or("a status that is not registered"),
    })
}

/// What a response holds. Nothing of it is believed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The response, if it is signed.
    pub response: Option<Signed>,
    /// The assertion, if it is signed. An encrypted one shows this when it was decrypted.
    pub assertion: Option<Signed>,
    /// Whether the assertion is encrypted.
    pub is_encrypted: bool,
}

impl Message {
    /// Reads a response whose status is success. It has one assertion, in its place; every signature in it is about the
    /// response or the assertion, and its digest is right.
    pub fn read(text: &str) -> Result<Self, Refused> {
        let document = xml::parse(text, xml::MESSAGE_LIMIT)?;
        let response = root(&document)?;
        let assertion = only_assertion(response)?;
        let mut signatures = document.descendants().filter(|node| xml::is(*node, DSIG, "Signature"));
        if signatures.any(|node| node.parent() != Some(response) && node.parent() != Some(assertion)) {
            return Err(Refused::SignatureShape("directly in the response or in its assertion"));
        }
        let is_encrypted = assertion.tag_name().name() == "EncryptedAssertion";
        Ok(Self {
            response: signature::read(response)?,
            assertion: if is_encrypted { None } else { signature::read(assertion)? },
            is_encrypted,
        })
    }
}

/// The root, if it is a response that reports success. Identity providers do not sign failures, so that comes first.
fn root<'a, 'input>(document: &'a Document<'input>) -> Result<Node<'a, 'input>, Refused> {
    let response = document.root_element();
    if !xml::is(response, PROTOCOL, "Response") {
        return Err(Refused::Shape("Response"));
    }
    let code = xml::the(xml::the(response, PROTOCOL, "Status")?, PROTOCOL, "StatusCode")?;
    if xml::attribute(code, "Value") != Some(SUCCESS) {
        return Err(Refused::Status);
    }
    Ok(response)
}

/// The one assertion. One that lies anywhere else (in `Advice`, `Extensions`, `StatusDetail`, an `Object`) refuses the message.
fn only_assertion<'a, 'input>(response: Node<'a, 'input>) -> Result<Node<'a, 'input>, Refused> {
    let is_one =
        |node: &Node<'_, '_>| xml::is(*node, ASSERTION, "Assertion") || xml::is(*node, ASSERTION, "EncryptedAssertion");
    let mut all = response.descendants().filter(is_one);
    match (all.next(), all.next()) {
        (Some(assertion), None) if assertion.parent() == Some(response) => Ok(assertion),
        _ => Err(Refused::Shape("one Assertion, directly in the Response")),
    }
}

/// What signatures vouch for, verified by the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The response: the signed content of it, or what arrived if only its assertion is signed.
    pub response: String,
    /// Whether the response's signature was verified.
    pub response_is_signed: bool,
    /// The signed content of the assertion, if its own signature was verified.
    pub assertion: Option<String>,
}

impl Verified {
    /// The assertion, if everything in it and around it is as `expected`.
    pub fn read(&self, expected: &Expected<'_>) -> Result<Assertion, Refused> {
        let document = xml::parse(&self.response, xml::MESSAGE_LIMIT)?;
        let response = root(&document)?;
        let within = only_assertion(response)?;
        self.envelope(response, expected)?;
        match &self.assertion {
            Some(content) => {
                let signed = xml::parse(content, xml::MESSAGE_LIMIT)?;
                assertion::read(signed.root_element(), expected)
            }
            None if self.response_is_signed => assertion::read(within, expected),
            None => Err(Refused::Unsigned),
        }
    }

    /// What stands around the assertion. It must not contradict even where it is not signed.
    fn envelope(&self, response: Node<'_, '_>, expected: &Expected<'_>) -> Result<(), Refused> {
        if xml::attribute(response, "Version") != Some("2.0") {
            return Err(Refused::Version);
        }
        match xml::attribute(response, "Destination") {
            Some(destination) if destination == expected.acs => {}
            None if !self.response_is_signed => {}
            _ => return Err(Refused::Destination),
        }
        match xml::one(response, ASSERTION, "Issuer")? {
            Some(issuer) if xml::text(issuer)? == expected.issuer => {}
            None if !self.response_is_signed => {}
            _ => return Err(Refused::Issuer),
        }
        expected.check_answer(xml::attribute(response, "InResponseTo"))?;
        Ok(())
    }
}
