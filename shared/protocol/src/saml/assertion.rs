//! What a verified assertion says, once every rule of the web browser profile holds (saml-profiles §4.1.4.2, §4.1.4.3).

use roxmltree::Node;

use super::uri::{ASSERTION, BEARER};
use super::{Answer, Expected, Refused, xml};
use crate::time::Timestamp;

/// Longest text of a name identifier, in bytes (saml-core §8.3.7 allows a persistent one 256 characters).
const NAME_LIMIT: usize = 1_024;
const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Who signed in, when, and what the identity provider says of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// The assertion's id, to be used once.
    pub id: String,
    /// Until when it could be used, clocks apart.
    pub ends: Timestamp,
    /// Whether it answers our request.
    pub answer: Answer,
    /// Who it is about.
    pub name_id: NameId,
    /// What the identity provider calls the session.
    pub session_index: Option<String>,
    /// When the person signed in.
    pub authenticated_at: Timestamp,
    /// When the session ends at the latest.
    pub session_ends: Option<Timestamp>,
    /// How the person signed in: a URI.
    pub context: Option<String>,
    /// What else is said, in order; what came under one name is together.
    pub attributes: Vec<Attribute>,
}

/// A name identifier (saml-core §2.2.3). All of its parts are kept: a logout must name it as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameId {
    /// The name.
    pub value: String,
    /// What kind of name: a URI.
    pub format: Option<String>,
    /// Whose name it is.
    pub name_qualifier: Option<String>,
    /// For whom it is.
    pub sp_name_qualifier: Option<String>,
}

/// An attribute and its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its name, often a URI.
    pub name: String,
    /// Its values; none if it is empty.
    pub values: Vec<String>,
}

/// Reads the assertion `node`, of which every byte is signed.
pub(super) fn read(node: Node<'_, '_>, expected: &Expected<'_>) -> Result<Assertion, Refused> {
    if !xml::is(node, ASSERTION, "Assertion") {
        return Err(Refused::Shape("Assertion"));
    }
    if xml::attribute(node, "Version") != Some("2.0") {
        return Err(Refused::Version);
    }
    let id = xml::attribute(node, "ID").filter(|id| !id.is_empty()).ok_or(Refused::Shape("ID"))?;
    if xml::text(xml::the(node, ASSERTION, "Issuer")?)? != expected.issuer {
        return Err(Refused::Issuer);
    }
    let conditions_end = conditions(xml::the(node, ASSERTION, "Conditions")?, expected)?;
    let subject = xml::the(node, ASSERTION, "Subject")?;
    let (confirmed_until, answer) = confirmation(subject, expected)?;
    let name_id = NameId::read(subject)?;
    if name_id.sp_name_qualifier.as_ref().is_some_and(|named| named != expected.audience) {
        return Err(Refused::NameId);
    }
    let statement = xml::all(node, ASSERTION, "AuthnStatement").next().ok_or(Refused::Statement)?;
    let instant = xml::attribute(statement, "AuthnInstant").ok_or(Refused::Statement)?;
    let context = xml::one(statement, ASSERTION, "AuthnContext")?;
    let class = context.map(|context| xml::one(context, ASSERTION, "AuthnContextClassRef")).transpose()?.flatten();
    Ok(Assertion {
        id: id.to_owned(),
        ends: conditions_end.map_or(confirmed_until, |end| end.max(confirmed_until)),
        answer,
        name_id,
        session_index: xml::attribute(statement, "SessionIndex").map(str::to_owned),
        authenticated_at: super::instant::parse(instant)?,
        session_ends: expected.check_end(xml::attribute(statement, "SessionNotOnOrAfter"))?,
        context: class.map(xml::text).transpose()?,
        attributes: attributes(node)?,
    })
}

/// Checks when and for whom the assertion is; says until when.
fn conditions(node: Node<'_, '_>, expected: &Expected<'_>) -> Result<Option<Timestamp>, Refused> {
    expected.check_start(xml::attribute(node, "NotBefore"))?;
    let end = expected.check_end(xml::attribute(node, "NotOnOrAfter"))?;
    let mut restricted = false;
    for condition in xml::elements(node) {
        match condition.tag_name().name() {
            _ if condition.tag_name().namespace() != Some(ASSERTION) => return Err(Refused::Condition),
            "AudienceRestriction" => {
                let mut audiences = xml::all(condition, ASSERTION, "Audience");
                let is_ours = |audience| Ok::<_, Refused>(xml::text(audience)? == expected.audience);
                if !audiences.try_fold(false, |found, audience| Ok::<_, Refused>(found | is_ours(audience)?))? {
                    return Err(Refused::Audience);
                }
                restricted = true;
            }
            // Every assertion is used once, and none is passed on.
            "OneTimeUse" | "ProxyRestriction" => {}
            _ => return Err(Refused::Condition),
        }
    }
    if restricted { Ok(end) } else { Err(Refused::Audience) }
}

/// Until when the bearer is the subject. One confirmation at most is for our address: what it answers and when it ends is what
/// is remembered of the assertion, so there must not be another by which it could be used again.
fn confirmation(subject: Node<'_, '_>, expected: &Expected<'_>) -> Result<(Timestamp, Answer), Refused> {
    let mut ours = None;
    let bearers = xml::all(subject, ASSERTION, "SubjectConfirmation");
    let mut problem = Refused::Confirmation;
    for bearer in bearers.filter(|node| xml::attribute(*node, "Method") == Some(BEARER)) {
        let data = xml::the(bearer, ASSERTION, "SubjectConfirmationData")?;
        if xml::attribute(data, "Recipient") != Some(expected.acs) {
            problem = Refused::Destination;
        } else if ours.replace(data).is_some() {
            return Err(Refused::Confirmation);
        }
    }
    let data = ours.ok_or(problem)?;
    // The profile forbids NotBefore and demands an end.
    if xml::attribute(data, "NotBefore").is_some() {
        return Err(Refused::Confirmation);
    }
    let end = expected.check_end(xml::attribute(data, "NotOnOrAfter"))?.ok_or(Refused::Confirmation)?;
    Ok((end, expected.check_answer(xml::attribute(data, "InResponseTo"))?))
}

impl NameId {
    /// The one name identifier directly in `node`.
    pub(super) fn read(node: Node<'_, '_>) -> Result<Self, Refused> {
        let name = xml::one(node, ASSERTION, "NameID")?.ok_or(Refused::NameId)?;
        let value = xml::text(name)?;
        if value.is_empty() || value.len() > NAME_LIMIT || value.chars().any(char::is_control) {
            return Err(Refused::NameId);
        }
        let part = |attribute| xml::attribute(name, attribute).map(str::to_owned);
        Ok(Self {
            value,
            format: part("Format"),
            name_qualifier: part("NameQualifier"),
            sp_name_qualifier: part("SPNameQualifier"),
        })
    }
}

/// All attributes. Some identity providers write an attribute of several values several times.
pub(super) fn attributes(node: Node<'_, '_>) -> Result<Vec<Attribute>, Refused> {
    let mut found: Vec<Attribute> = Vec::new();
    for statement in xml::all(node, ASSERTION, "AttributeStatement") {
        for attribute in xml::all(statement, ASSERTION, "Attribute") {
            let name = xml::attribute(attribute, "Name").filter(|name| !name.is_empty()).ok_or(Refused::Attribute)?;
            let mut values = Vec::new();
            for value in xml::all(attribute, ASSERTION, "AttributeValue") {
                let is_nil = matches!(value.attribute((XSI, "nil")), Some("true" | "1"));
                if !is_nil {
                    values.push(attribute_value(value)?);
                }
            }
            match found.iter_mut().find(|known| known.name == name) {
                Some(known) => known.values.extend(values),
                None => found.push(Attribute { name: name.to_owned(), values }),
            }
        }
    }
    Ok(found)
}

/// A text, or the text of the name identifier that `eduPersonTargetedID` has in the place of one.
fn attribute_value(value: Node<'_, '_>) -> Result<String, Refused> {
    let name = xml::one(value, ASSERTION, "NameID").map_err(|_| Refused::Attribute)?;
    xml::text(name.unwrap_or(value)).map_err(|_| Refused::Attribute)
}

#[cfg(test)]
mod tests;
