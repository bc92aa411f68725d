use super::*;
use crate::saml::xml::{MESSAGE_LIMIT, parse};
use crate::time::Seconds;

const EXPECTED: Expected<'_> = Expected {
    issuer: "https://idp.example",
    audience: "https://sso.example/saml/acme/ad",
    acs: "https://sso.example/saml/acme/ad/acs",
    request: Some("_request"),
    unsolicited: false,
    now: Timestamp::from_seconds(1_751_094_000),
    skew: Seconds(60),
};

/// An assertion that is good for five minutes from 07:00, with these attributes; `answers` is an attribute or nothing.
fn assertion(answers: &str, attributes: &str) -> String {
    format!(
        "<Assertion xmlns='{ASSERTION}' xmlns:i='{XSI}' ID='_1' Version='2.0'><Issuer>https://idp.example</Issuer>\
         <Subject><NameID>ada</NameID><SubjectConfirmation Method='{BEARER}'><SubjectConfirmationData \
         Recipient='https://sso.example/saml/acme/ad/acs' NotOnOrAfter='2025-06-28T07:05:00Z'{answers}/>\
         </SubjectConfirmation></Subject><Conditions NotOnOrAfter='2025-06-28T07:10:00Z'><AudienceRestriction>\
         <Audience>https://sso.example/saml/acme/ad</Audience></AudienceRestriction></Conditions>\
         <AuthnStatement AuthnInstant='2025-06-28T06:59:58Z' SessionIndex='_s' SessionNotOnOrAfter='2025-06-28T15:00:00Z'/>\
         <AttributeStatement>{attributes}</AttributeStatement></Assertion>"
    )
}

fn read_as(text: &str, expected: &Expected<'_>) -> Result<Assertion, Refused> {
    read(parse(text, MESSAGE_LIMIT)?.root_element(), expected)
}

const ANSWERS: &str = " InResponseTo='_request'";

/// SA-13, SA-14: what must be remembered of an assertion is as long as anybody could use it; the session's end is told.
#[test]
fn its_ends_are_known() {
    let found = read_as(&assertion(ANSWERS, ""), &EXPECTED).unwrap();
    assert_eq!(found.ends, EXPECTED.now + Seconds(600));
    assert_eq!(found.session_ends, Some(EXPECTED.now + Seconds(8 * 3_600)));
    assert_eq!(found.authenticated_at, EXPECTED.now - Seconds(2));
    assert_eq!((found.session_index.as_deref(), found.context), (Some("_s"), None));
}

/// SA-13: there is one way to use an assertion here, so what is remembered of it is all that there is. Ways for others do not
/// count.
#[test]
fn one_confirmation_is_for_us() {
    let one = assertion(ANSWERS, "");
    let (before, rest) = one.split_once("<SubjectConfirmation ").unwrap();
    let (confirmation, after) = rest.split_once("</SubjectConfirmation>").unwrap();
    let confirmation = format!("<SubjectConfirmation {confirmation}</SubjectConfirmation>");
    let others = confirmation.replace("/acs", "/other");
    let unasked = confirmation.replace(ANSWERS, "");
    let later = confirmation.replace("07:05", "07:50");
    let with = |all: &[&str]| read_as(&[before, &all.concat(), after].concat(), &EXPECTED).map(|found| found.answer);
    assert_eq!(with(&[&confirmation, &others]), Ok(Answer::Requested));
    assert_eq!(with(&[&others, &confirmation]), Ok(Answer::Requested));
    for second in [&confirmation, &unasked, &later] {
        assert_eq!(with(&[&confirmation, second]), Err(Refused::Confirmation));
        assert_eq!(with(&[second, &confirmation]), Err(Refused::Confirmation));
    }
    assert_eq!(with(&[&others]), Err(Refused::Destination));
    assert_eq!(with(&[]), Err(Refused::Confirmation));
}

/// SA-12: whether a response may come by itself is the connection's to say, and one that does names no request.
#[test]
fn a_response_answers_this_browsers_request_or_none() {
    let waits = Expected { unsolicited: true, ..EXPECTED };
    let open = Expected { request: None, unsolicited: true, ..EXPECTED };
    let strict = Expected { request: None, ..EXPECTED };
    for (answers, expected, outcome) in [
        (ANSWERS, EXPECTED, Ok(Answer::Requested)),
        (ANSWERS, waits, Ok(Answer::Requested)),
        (ANSWERS, strict, Err(Refused::InResponseTo)),
        (ANSWERS, open, Err(Refused::DummyInResponseTo)),
        (" InResponseTo='_other'", EXPECTED, Err(Refused::InResponseTo)),
        (" InResponseTo='_other'", waits, Err(Refused::InResponseTo)),
        (" InResponseTo=''", EXPECTED, Err(Refused::InResponseTo)),
        ("", EXPECTED, Err(Refused::Unsolicited)),
        ("", strict, Err(Refused::Unsolicited)),
        ("", waits, Ok(Answer::Unsolicited)),
        ("", open, Ok(Answer::Unsolicited)),
    ] {
        let found = read_as(&assertion(answers, ""), &expected).map(|found| found.answer);
        assert_eq!(found, outcome, "{answers} {expected:?}");
    }
}

#[test]
fn values_under_one_name_are_together() {
    let attribute = |name: &str, values: &str| format!("<Attribute Name='{name}'>{values}</Attribute>");
    let value = |text: &str| format!("<AttributeValue>{text}</AttributeValue>");
    let attributes = [
        attribute("Role", &value("admin")),
        attribute("urn:oid:1.3.6.1.4.1.5923.1.1.1.10", &value("<NameID NameQualifier='q'>opaque</NameID>")),
        attribute("Role", &(value("auditor") + &value(" a<!-- -->b "))),
        attribute("nothing", "<AttributeValue i:nil='true'/>"),
        attribute("empty", &value("")),
    ];
    let found = read_as(&assertion(ANSWERS, &attributes.concat()), &EXPECTED).unwrap().attributes;
    let found: Vec<_> = found.iter().map(|found| (found.name.as_str(), found.values.join("|"))).collect();
    let wanted =
        [("Role", "admin|auditor|ab"), ("urn:oid:1.3.6.1.4.1.5923.1.1.1.10", "opaque"), ("nothing", ""), ("empty", "")];
    assert_eq!(found, wanted.map(|(name, values)| (name, values.to_owned())));
}

#[test]
fn attributes_without_a_name_or_with_elements_are_refused() {
    for attributes in [
        "<Attribute><AttributeValue>x</AttributeValue></Attribute>",
        "<Attribute Name=''/>",
        "<Attribute Name='a'><AttributeValue><x xmlns=''>y</x></AttributeValue></Attribute>",
        "<Attribute Name='a'><AttributeValue><NameID>x</NameID><NameID>y</NameID></AttributeValue></Attribute>",
    ] {
        assert_eq!(read_as(&assertion(ANSWERS, attributes), &EXPECTED), Err(Refused::Attribute), "{attributes}");
    }
}
