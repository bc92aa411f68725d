//! Single logout (saml-core §3.7, saml-profiles §4.4): the request and its answer, both ways. The caller has verified a
//! signature over what is read here: over the element ([`signed`]) by POST, over the query by redirect.

use super::assertion::NameId;
use super::uri::{ASSERTION, PARTIAL_LOGOUT, PROTOCOL, RESPONDER, SUCCESS};
use super::write::Writer;
use super::{Refused, Signed, instant, signature, xml};
use crate::time::{Seconds, Timestamp};

/// That somebody signs out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogoutRequest {
    /// The request's id, to be used once.
    pub id: String,
    /// When it was written.
    pub issued_at: Timestamp,
    /// The address that it is for.
    pub destination: String,
    /// Who sends it: an entity id.
    pub issuer: String,
    /// Who signs out, named as at the sign-in.
    pub name_id: NameId,
    /// Which sessions; all if none is named.
    pub session_indexes: Vec<String>,
    /// Until when it means something.
    pub ends: Option<Timestamp>,
}

/// How a logout went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogoutStatus {
    /// Everywhere.
    Success,
    /// Here, but perhaps not everywhere.
    Partial,
    /// Not at all.
    Failure,
}

/// The answer to a [`LogoutRequest`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogoutAnswer {
    /// The answer's id.
    pub id: String,
    /// The request's id.
    pub in_response_to: String,
    /// When it was written.
    pub issued_at: Timestamp,
    /// The address that it is for.
    pub destination: String,
    /// Who sends it: an entity id.
    pub issuer: String,
    /// How it went.
    pub status: LogoutStatus,
}

/// The signature of a logout message that came by POST; its digest is right.
pub fn signed(text: &str) -> Result<Signed, Refused> {
    let document = xml::parse(text, xml::MESSAGE_LIMIT)?;
    signature::read(document.root_element())?.ok_or(Refused::Unsigned)
}

impl LogoutRequest {
    /// Reads a request that is for `destination`, from `issuer`, now. A name that is encrypted was decrypted before.
    pub fn read(text: &str, destination: &str, issuer: &str, now: Timestamp, skew: Seconds) -> Result<Self, Refused> {
        let document = xml::parse(text, xml::MESSAGE_LIMIT)?;
        let root = document.root_element();
        let (id, issued_at) = envelope(root, "LogoutRequest", destination, issuer)?;
        let ends = xml::attribute(root, "NotOnOrAfter").map(instant::parse).transpose()?;
        if ends.is_some_and(|end| (end + skew).has_passed(now)) {
            return Err(Refused::Expired);
        }
        if issued_at > now + skew {
            return Err(Refused::NotYet);
        }
        Ok(Self {
            id,
            issued_at,
            destination: destination.to_owned(),
            issuer: issuer.to_owned(),
            name_id: NameId::read(root)?,
            session_indexes: xml::all(root, PROTOCOL, "SessionIndex").map(xml::text).collect::<Result<_, _>>()?,
            ends,
        })
    }

    /// The request, in canonical form.
    pub fn to_xml(&self) -> String {
        let mut writer = Writer::default();
        writer.open(
            "samlp:LogoutRequest",
            &[
                ("xmlns:samlp", Some(PROTOCOL)),
                ("Destination", Some(&self.destination)),
                ("ID", Some(&self.id)),
                ("IssueInstant", Some(&instant::write(self.issued_at))),
                ("NotOnOrAfter", self.ends.map(instant::write).as_deref()),
                ("Version", Some("2.0")),
            ],
        );
        writer.text("saml:Issuer", &[("xmlns:saml", Some(ASSERTION))], &self.issuer);
        let name = &self.name_id;
        writer.text(
            "saml:NameID",
            &[
                ("xmlns:saml", Some(ASSERTION)),
                ("Format", name.format.as_deref()),
                ("NameQualifier", name.name_qualifier.as_deref()),
                ("SPNameQualifier", name.sp_name_qualifier.as_deref()),
            ],
            &name.value,
        );
        for index in &self.session_indexes {
            writer.text("samlp:SessionIndex", &[], index);
        }
        writer.finish()
    }
}

impl LogoutAnswer {
    /// Reads the answer to the request `request`, for `destination`, from `issuer`.
    pub fn read(text: &str, destination: &str, issuer: &str, request: &str) -> Result<Self, Refused> {
        let document = xml::parse(text, xml::MESSAGE_LIMIT)?;
        let root = document.root_element();
        let (id, issued_at) = envelope(root, "LogoutResponse", destination, issuer)?;
        if xml::attribute(root, "InResponseTo") != Some(request) {
            return Err(Refused::InResponseTo);
        }
        let code = xml::the(xml::the(root, PROTOCOL, "Status")?, PROTOCOL, "StatusCode")?;
        let inner = xml::one(code, PROTOCOL, "StatusCode")?.and_then(|inner| xml::attribute(inner, "Value"));
        let status = match (xml::attribute(code, "Value"), inner) {
            (_, Some(PARTIAL_LOGOUT)) => LogoutStatus::Partial,
            (Some(SUCCESS), _) => LogoutStatus::Success,
            _ => LogoutStatus::Failure,
        };
        let (destination, issuer) = (destination.to_owned(), issuer.to_owned());
        Ok(Self { id, in_response_to: request.to_owned(), issued_at, destination, issuer, status })
    }

    /// The answer, in canonical form.
    pub fn to_xml(&self) -> String {
        let mut writer = Writer::default();
        writer.open(
            "samlp:LogoutResponse",
            &[
                ("xmlns:samlp", Some(PROTOCOL)),
                ("Destination", Some(&self.destination)),
                ("ID", Some(&self.id)),
                ("InResponseTo", Some(&self.in_response_to)),
                ("IssueInstant", Some(&instant::write(self.issued_at))),
                ("Version", Some("2.0")),
            ],
        );
        writer.text("saml:Issuer", &[("xmlns:saml", Some(ASSERTION))], &self.issuer);
        writer.open("samlp:Status", &[]);
        let (code, inner) = match self.status {
            LogoutStatus::Success => (SUCCESS, None),
            LogoutStatus::Partial => (SUCCESS, Some(PARTIAL_LOGOUT)),
            LogoutStatus::Failure => (RESPONDER, None),
        };
        writer.open("samlp:StatusCode", &[("Value", Some(code))]);
        if inner.is_some() {
            writer.empty("samlp:StatusCode", &[("Value", inner)]);
        }
        writer.finish()
    }
}

/// Id and time of a message that is for `destination`, from `issuer`.
fn envelope(
    root: roxmltree::Node<'_, '_>,
    name: &'static str,
    destination: &str,
    issuer: &str,
) -> Result<(String, Timestamp), Refused> {
    if !xml::is(root, PROTOCOL, name) {
        return Err(Refused::Shape(name));
    }
    if xml::attribute(root, "Version") != Some("2.0") {
        return Err(Refused::Version);
    }
    if xml::attribute(root, "Destination") != Some(destination) {
        return Err(Refused::Destination);
    }
    if xml::text(xml::the(root, ASSERTION, "Issuer")?)? != issuer {
        return Err(Refused::Issuer);
    }
    let id = xml::attribute(root, "ID").filter(|id| !id.is_empty()).ok_or(Refused::Shape("ID"))?;
    let issued_at = instant::parse(xml::attribute(root, "IssueInstant").ok_or(Refused::Instant)?)?;
    Ok((id.to_owned(), issued_at))
}

#[cfg(test)]
mod tests;
