use super::*;

const NOW: Timestamp = Timestamp::from_seconds(1_751_094_000);
const SKEW: Seconds = Seconds(60);
const OURS: &str = "https://sso.example/saml/acme/ad/slo";
const THEIRS: &str = "https://idp.example/entity";

fn request() -> LogoutRequest {
    LogoutRequest {
        id: "_1".to_owned(),
        issued_at: NOW,
        destination: OURS.to_owned(),
        issuer: THEIRS.to_owned(),
        name_id: NameId {
            value: "ada & <co>".to_owned(),
            format: Some("urn:oasis:names:tc:SAML:2.0:nameid-format:persistent".to_owned()),
            name_qualifier: Some(THEIRS.to_owned()),
            sp_name_qualifier: Some("https://sso.example/saml/acme/ad".to_owned()),
        },
        session_indexes: vec!["_s1".to_owned(), "_s2".to_owned()],
        ends: Some(NOW + Seconds(300)),
    }
}

fn answer(status: LogoutStatus) -> LogoutAnswer {
    let (destination, issuer) = (OURS.to_owned(), THEIRS.to_owned());
    LogoutAnswer { id: "_2".to_owned(), in_response_to: "_1".to_owned(), issued_at: NOW, destination, issuer, status }
}

fn read(text: &str, now: Timestamp) -> Result<LogoutRequest, Refused> {
    LogoutRequest::read(text, OURS, THEIRS, now, SKEW)
}

/// LO-7: a name comes back with all of its qualifiers, and the sessions with it.
#[test]
fn what_is_written_is_read_again() {
    let xml = request().to_xml();
    assert_eq!(read(&xml, NOW), Ok(request()));
    assert_eq!(crate::saml::canonicalize(&xml, &[], false).unwrap(), xml);
    for status in [LogoutStatus::Success, LogoutStatus::Partial, LogoutStatus::Failure] {
        let xml = answer(status).to_xml();
        assert_eq!(LogoutAnswer::read(&xml, OURS, THEIRS, "_1"), Ok(answer(status)));
        assert_eq!(crate::saml::canonicalize(&xml, &[], false).unwrap(), xml);
    }
}

/// LO-7: for us, from the right party, now.
#[test]
fn a_request_for_somebody_else_or_another_time_is_refused() {
    let xml = request().to_xml();
    for (text, refused) in [
        (xml.replace(OURS, "https://sso.example/saml/acme/other/slo"), Refused::Destination),
        (xml.replace(&format!(" Destination=\"{OURS}\""), ""), Refused::Destination),
        (xml.replacen(THEIRS, "https://evil.example", 1), Refused::Issuer),
        (xml.replace("Version=\"2.0\"", "Version=\"1.1\""), Refused::Version),
        (xml.replace("ID=\"_1\"", "ID=\"\""), Refused::Shape("ID")),
        (xml.replace("LogoutRequest", "LogoutResponse"), Refused::Shape("LogoutRequest")),
        (xml.replace("ada &amp; &lt;co&gt;", " "), Refused::NameId),
        (xml.replace("saml:NameID", "saml:BaseID"), Refused::NameId),
    ] {
        assert_eq!(read(&text, NOW), Err(refused), "{text}");
    }
    assert_eq!(read(&xml, NOW + Seconds(400)), Err(Refused::Expired));
    assert_eq!(read(&xml, NOW - Seconds(100)), Err(Refused::NotYet));
}

/// LO-7: an answer is for its request.
#[test]
fn an_answer_to_another_request_is_refused() {
    let xml = answer(LogoutStatus::Success).to_xml();
    for (text, refused) in [
        (xml.replace("InResponseTo=\"_1\"", "InResponseTo=\"_9\""), Refused::InResponseTo),
        (xml.replace(" InResponseTo=\"_1\"", ""), Refused::InResponseTo),
        (xml.replace(OURS, "https://elsewhere.example/slo"), Refused::Destination),
        (xml.replace(THEIRS, "https://evil.example"), Refused::Issuer),
        (xml.replace("Status>", "Statuses>"), Refused::Shape("Status")),
    ] {
        assert_eq!(LogoutAnswer::read(&text, OURS, THEIRS, "_1"), Err(refused), "{text}");
    }
}

/// LO-7: a message by POST without a signature is not even looked at.
#[test]
fn a_signature_must_be_there() {
    assert_eq!(signed(&request().to_xml()), Err(Refused::Unsigned));
}
