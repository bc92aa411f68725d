//! What a response says, and how it is written.

use vestibule_protocol::saml::write_instant;
use vestibule_protocol::time::{Seconds, Timestamp};

/// Everything that a response says. A test changes what it likes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Says {
    /// Who says it: of response and assertion.
    pub issuer: String,
    /// For whom.
    pub audience: String,
    /// The response's address.
    pub destination: String,
    /// The assertion's address.
    pub recipient: String,
    /// The request that is answered; none if it comes by itself.
    pub in_response_to: Option<String>,
    /// The assertion's id.
    pub id: String,
    /// When it was issued; from then on it counts.
    pub issued_at: Timestamp,
    /// When it ends.
    pub ends: Timestamp,
    /// When the person signed in.
    pub authenticated_at: Timestamp,
    /// What the provider calls the session.
    pub session_index: Option<String>,
    /// When the session ends at the latest.
    pub session_ends: Option<Timestamp>,
    /// How the person signed in.
    pub context: String,
    /// Who it is.
    pub name: String,
    /// What kind of name that is.
    pub format: Option<String>,
    /// What else is known of them.
    pub attributes: Vec<(String, Vec<String>)>,
    /// The status that is reported in the place of success.
    pub failure: Option<&'static str>,
    /// What is signed.
    pub signs: Signs,
}

/// What a provider signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signs {
    /// The assertion.
    Assertion,
    /// The response around it.
    Response,
    /// Each by itself.
    Both,
    /// Nothing at all.
    Nothing,
}

impl Says {
    /// The same with one attribute more.
    #[must_use]
    pub fn with(mut self, name: &str, values: &[&str]) -> Self {
        self.attributes.push((name.to_owned(), values.iter().map(|value| (*value).to_owned()).collect()));
        self
    }

    /// The same, so many seconds ago; less than nothing for a time to come.
    #[must_use]
    pub fn ago(mut self, seconds: i64) -> Self {
        for time in [&mut self.issued_at, &mut self.ends, &mut self.authenticated_at] {
            *time = *time - Seconds(seconds);
        }
        self
    }

    /// The assertion, unsigned.
    pub fn assertion(&self) -> String {
        let time = |at: Timestamp| Some(write_instant(at));
        let (starts, ends) = (time(self.issued_at), time(self.ends));
        let confirmed = [
            ("InResponseTo", self.in_response_to.clone()),
            ("NotOnOrAfter", ends.clone()),
            ("Recipient", Some(self.recipient.clone())),
        ];
        let bearer = [("Method", Some("urn:oasis:names:tc:SAML:2.0:cm:bearer".to_owned()))];
        let confirmation =
            element("saml:SubjectConfirmation", &bearer, &element("saml:SubjectConfirmationData", &confirmed, ""));
        let name = element("saml:NameID", &[("Format", self.format.clone())], &escaped(&self.name));
        let audience = element("saml:Audience", &[], &escaped(&self.audience));
        let audience = element("saml:AudienceRestriction", &[], &audience);
        let class = element("saml:AuthnContextClassRef", &[], &escaped(&self.context));
        let statement = [
            ("AuthnInstant", time(self.authenticated_at)),
            ("SessionIndex", self.session_index.clone()),
            ("SessionNotOnOrAfter", self.session_ends.map(write_instant)),
        ];
        let parts = [
            element("saml:Issuer", &[], &escaped(&self.issuer)),
            element("saml:Subject", &[], &format!("{name}{confirmation}")),
            element("saml:Conditions", &[("NotBefore", starts), ("NotOnOrAfter", ends)], &audience),
            element("saml:AuthnStatement", &statement, &element("saml:AuthnContext", &[], &class)),
            self.attribute_statement(),
        ];
        element("saml:Assertion", &root("saml", "assertion", &self.id, self.issued_at), &parts.concat())
    }

    fn attribute_statement(&self) -> String {
        let attribute = |(name, values): &(String, Vec<String>)| {
            let values = values.iter().map(|value| element("saml:AttributeValue", &[], &escaped(value)));
            element("saml:Attribute", &[("Name", Some(name.clone()))], &values.collect::<String>())
        };
        let all: String = self.attributes.iter().map(attribute).collect();
        if all.is_empty() { all } else { element("saml:AttributeStatement", &[], &all) }
    }

    /// The response around an assertion, unsigned. One that failed holds none.
    pub(super) fn response(&self, id: &str, assertion: &str) -> String {
        let code = |name: &str, inner: &str| {
            let value = format!("urn:oasis:names:tc:SAML:2.0:status:{name}");
            element("samlp:StatusCode", &[("Value", Some(value))], inner)
        };
        let (status, assertion) = match self.failure {
            Some(failure) => (code("Responder", &code(failure, "")), ""),
            None => (code("Success", ""), assertion),
        };
        let namespace = Some("urn:oasis:names:tc:SAML:2.0:assertion".to_owned());
        let issuer = element("saml:Issuer", &[("xmlns:saml", namespace)], &escaped(&self.issuer));
        let mut attributes = root("samlp", "protocol", id, self.issued_at);
        attributes.push(("Destination", Some(self.destination.clone())));
        attributes.push(("InResponseTo", self.in_response_to.clone()));
        let status = element("samlp:Status", &[], &status);
        element("samlp:Response", &attributes, &format!("{issuer}{status}{assertion}"))
    }
}

/// What the two roots have.
fn root(prefix: &str, namespace: &str, id: &str, at: Timestamp) -> Vec<(&'static str, Option<String>)> {
    let declaration = if prefix == "saml" { "xmlns:saml" } else { "xmlns:samlp" };
    vec![
        (declaration, Some(format!("urn:oasis:names:tc:SAML:2.0:{namespace}"))),
        ("ID", Some(id.to_owned())),
        ("IssueInstant", Some(write_instant(at))),
        ("Version", Some("2.0".to_owned())),
    ]
}

fn element(name: &str, attributes: &[(&str, Option<String>)], content: &str) -> String {
    let attributes = attributes.iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
    let attributes: Vec<_> = attributes.map(|(name, value)| format!(" {name}=\"{}\"", escaped(value))).collect();
    format!("<{name}{}>{content}</{name}>", attributes.concat())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
