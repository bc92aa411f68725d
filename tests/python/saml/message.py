"""Responses of an identity provider, as text, before anything is signed or encrypted."""

from datetime import datetime, timedelta, timezone

from lxml import etree

SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
DS = "http://www.w3.org/2000/09/xmldsig#"
XENC = "http://www.w3.org/2001/04/xmlenc#"
XENC11 = "http://www.w3.org/2009/xmlenc11#"
NAMES = {"samlp": SAMLP, "saml": SAML, "ds": DS, "xenc": XENC}

EVIL = "mallory@corp.example"
"""Whom a forged assertion names. Nobody ever signed that."""

RESPONSE = """<samlp:Response xmlns:samlp="{samlp}" xmlns:saml="{saml}" ID="_response{tag}" Version="{version}"\
 IssueInstant="{now}" Destination="{destination}"{in_response_to}>\
<saml:Issuer>{issuer}</saml:Issuer>{response_signature}\
<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:{status}"/></samlp:Status>\
{assertion}</samlp:Response>"""

ASSERTION = """<saml:Assertion xmlns:saml="{saml}" xmlns:xs="http://www.w3.org/2001/XMLSchema"\
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ID="_assertion{tag}" Version="{assertion_version}"\
 IssueInstant="{now}">\
<saml:Issuer>{assertion_issuer}</saml:Issuer>\
<saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress">{name_id}</saml:NameID>\
{confirmation}</saml:Subject>\
<saml:Conditions NotBefore="{not_before}" NotOnOrAfter="{not_on_or_after}">{conditions}</saml:Conditions>\
{statement}\
<saml:AttributeStatement>\
<saml:Attribute Name="email" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:basic">\
<saml:AttributeValue xsi:type="xs:string">{email}</saml:AttributeValue></saml:Attribute>\
<saml:Attribute Name="groups"><saml:AttributeValue>engineering</saml:AttributeValue>\
<saml:AttributeValue>O'Neil &amp; &lt;S&#246;ns&gt;</saml:AttributeValue></saml:Attribute>{attributes}\
</saml:AttributeStatement></saml:Assertion>"""

CONFIRMATION = """<saml:SubjectConfirmation Method="{method}">\
<saml:SubjectConfirmationData Recipient="{recipient}" NotOnOrAfter="{confirmed_until}"{confirmed_from}{confirmed_request}/>\
</saml:SubjectConfirmation>"""

STATEMENT = """<saml:AuthnStatement AuthnInstant="{now}" SessionIndex="_session{tag}"{session_ends}>\
<saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport\
</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>"""

AUDIENCE = "<saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction>"


def instant(at):
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


class Asked:
    """What the broker expects: where, for whom, in answer to what, by which clock."""

    def __init__(self, asked):
        self.acs = asked["acs"]
        self.audience = asked["audience"]
        self.issuer = asked["issuer"]
        self.request = asked.get("request")
        self.subject = asked["subject"]
        self.tag = asked["tag"]
        self.now = datetime.fromtimestamp(asked["now"], timezone.utc)
        self.encrypt_for = asked.get("encrypt_for")


def response(asked, **changes):
    """A complete response, unsigned. Every part can be changed."""
    after = lambda seconds: instant(asked.now + timedelta(seconds=seconds))
    in_response_to = f' InResponseTo="{asked.request}"' if asked.request else ""
    values = {
        "samlp": SAMLP, "saml": SAML, "tag": asked.tag, "version": "2.0", "assertion_version": "2.0", "now": after(0),
        "destination": asked.acs, "recipient": asked.acs, "issuer": asked.issuer, "assertion_issuer": asked.issuer,
        "audience": asked.audience, "status": "Success", "response_signature": "", "attributes": "",
        "in_response_to": in_response_to, "confirmed_request": in_response_to, "confirmed_from": "",
        "not_before": after(-30), "not_on_or_after": after(300), "confirmed_until": after(300),
        "method": "urn:oasis:names:tc:SAML:2.0:cm:bearer", "session_ends": "",
        "name_id": asked.subject, "email": asked.subject,
        "conditions": AUDIENCE, "statement": STATEMENT, "confirmation": CONFIRMATION, "assertion": ASSERTION,
    }
    values.update(changes)
    if callable(values["not_on_or_after"]):
        raise TypeError("a time is a text")
    for part in ("conditions", "statement", "confirmation", "assertion"):
        values[part] = values[part].format(**values)
    return etree.fromstring(RESPONSE.format(**values))


def assertion_of(root):
    return root.find(".//saml:Assertion", NAMES)


def text(root):
    return etree.tostring(root, encoding="unicode")


def rename(assertion, tag="_evil"):
    """Makes an assertion somebody else's."""
    assertion.set("ID", tag)
    for name in assertion.iter(f"{{{SAML}}}NameID"):
        name.text = EVIL
    for value in assertion.iter(f"{{{SAML}}}AttributeValue"):
        if "@" in (value.text or ""):
            value.text = EVIL
    return assertion
