"""Responses that must be accepted: the neighbours of the forged ones."""

from datetime import timedelta

from cryptography.hazmat.primitives import hashes
from lxml import etree
from signxml import DigestAlgorithm, SignatureMethod

from encrypt import encrypted
from message import ASSERTION, CONFIRMATION, NAMES, SAML, assertion_of, instant, response
from sign import ENVELOPED, EXCLUSIVE, canonical_within, replaced, sign, sign_assertion, sign_by_hand

CASES = {}


def case(build):
    CASES[build.__name__.replace("_", " ")] = build
    return build


@case
def a_signed_assertion(asked, keys):
    return sign_assertion(response(asked), keys.idp)


@case
def a_signed_response(asked, keys):
    return sign(response(asked), keys.idp)


@case
def both_signed(asked, keys):
    return sign(sign_assertion(response(asked), keys.idp), keys.idp)


@case
def signed_with_the_next_certificate(asked, keys):
    return sign_assertion(response(asked), keys.next)


@case
def signed_with_a_certificate_that_is_over(asked, keys):
    return sign_assertion(response(asked), keys.over)


def of_algorithm(name, pair, method, digest):
    CASES[f"signed with {name}"] = lambda asked, keys: sign_assertion(
        response(asked), getattr(keys, pair), method=method, digest=digest
    )


of_algorithm("RSA-SHA384", "idp", SignatureMethod.RSA_SHA384, DigestAlgorithm.SHA384)
of_algorithm("RSA-SHA512", "idp", SignatureMethod.RSA_SHA512, DigestAlgorithm.SHA512)
of_algorithm("RSA-PSS-SHA256", "idp", SignatureMethod.SHA256_RSA_MGF1, DigestAlgorithm.SHA256)
of_algorithm("RSA-PSS-SHA384", "idp", SignatureMethod.SHA384_RSA_MGF1, DigestAlgorithm.SHA256)
of_algorithm("RSA-PSS-SHA512", "idp", SignatureMethod.SHA512_RSA_MGF1, DigestAlgorithm.SHA512)
of_algorithm("ECDSA-SHA256", "p256", SignatureMethod.ECDSA_SHA256, DigestAlgorithm.SHA256)
of_algorithm("ECDSA-SHA384", "p384", SignatureMethod.ECDSA_SHA384, DigestAlgorithm.SHA384)


def listing(prefixes):
    return f'<ec:InclusiveNamespaces xmlns:ec="{EXCLUSIVE}" PrefixList="{prefixes}"/>'


def sign_listing(element, keys, prefixes):
    """Signs an element where it stands; `prefixes` are part of its form whether it uses them or not."""
    listed = listing(" ".join(prefixes))
    return sign_by_hand(
        element, keys.idp, c14n_parameter=listed, info_prefixes=prefixes,
        transforms=[ENVELOPED, f'<ds:Transform Algorithm="{EXCLUSIVE}">{listed}</ds:Transform>'],
        octets=lambda it: canonical_within(it, prefixes),
    )


@case
def listed_prefixes(asked, keys):
    root = response(asked)
    sign_listing(assertion_of(root), keys, ["xs", "xsi"])
    return sign_listing(root, keys, ["saml", "xs"])


@case
def listed_prefixes_of_the_response_around(asked, keys):
    """The prefix is declared around the assertion and used nowhere in it: its canonical form holds it all the same."""
    assertion = ASSERTION.replace(' xmlns:xs="http://www.w3.org/2001/XMLSchema"', "").replace(' xsi:type="xs:string"', "")
    text = etree.tostring(response(asked, assertion=assertion), encoding="unicode")
    root = etree.fromstring(text.replace("<samlp:Response", '<samlp:Response xmlns:xs="urn:x"', 1))
    sign_listing(assertion_of(root), keys, ["xs"])
    return root


@case
def comments_in_what_is_signed_with_comments(asked, keys):
    root = response(asked, name_id=asked.subject.replace("@", "<!-- at -->@"))
    return sign_assertion(root, keys.idp, comments=True)


@case
def a_comment_in_the_name(asked, keys):
    """Whoever reads only the first text reads another name. The whole name is signed, and the whole is read."""
    return sign_assertion(response(asked, name_id=asked.subject.replace("@", "@<!-- -->")), keys.idp)


@case
def a_comment_that_was_added_later(asked, keys):
    """The signature does not cover it, so it may come and go; the name stays whole."""
    text = etree.tostring(sign_assertion(response(asked), keys.idp), encoding="unicode")
    return text.replace("@corp", "@<!-- x -->corp", 1)


@case
def a_name_in_a_section(asked, keys):
    return sign_assertion(response(asked, name_id=f"<![CDATA[{asked.subject}]]>"), keys.idp)


@case
def other_prefixes(asked, keys):
    text = etree.tostring(response(asked), encoding="unicode")
    for old, new in [("xmlns:samlp=", "xmlns="), ("samlp:", ""), ("xmlns:saml=", "xmlns:a="), ("saml:", "a:")]:
        text = text.replace(old, new)
    return sign_assertion_of(etree.fromstring(text), keys)


def sign_assertion_of(root, keys):
    assertion = root.find(".//{%s}Assertion" % SAML)
    return replaced(root, assertion, sign(assertion, keys.idp))


@case
def white_space_between_elements(asked, keys):
    from message import AUDIENCE, STATEMENT

    assertion = ASSERTION.replace("><saml:", ">\n  <saml:")
    root = response(asked, assertion=assertion, conditions=f"\n {AUDIENCE} \n", statement=f"\n{STATEMENT}\n")
    return sign(sign_assertion(root, keys.idp), keys.idp)


@case
def line_ends_of_Windows(asked, keys):
    text = etree.tostring(sign_assertion(response(asked), keys.idp), encoding="unicode")
    return text.replace("><saml:Subject>", "\r\n><saml:Subject\r\n>").replace("<ds:SignatureValue>", "<ds:SignatureValue>&#13;\r\n")


@case
def times_as_Entra_and_node_write_them(asked, keys):
    soon = asked.now + timedelta(minutes=5)
    root = response(
        asked, not_on_or_after=soon.strftime("%Y-%m-%dT%H:%M:%S.1234567Z"),
        confirmed_until=instant(soon).replace("Z", "+00:00"),
    )
    return sign_assertion(root, keys.idp)


@case
def clocks_that_differ_a_minute(asked, keys):
    before, after = asked.now - timedelta(seconds=40), asked.now + timedelta(seconds=40)
    root = response(asked, not_before=instant(after), not_on_or_after=instant(before), confirmed_until=instant(before))
    return sign_assertion(root, keys.idp)


@case
def a_second_confirmation_that_holds(asked, keys):
    wrong = CONFIRMATION.replace("{recipient}", "https://elsewhere.example/acs")
    return sign_assertion(response(asked, confirmation=wrong + CONFIRMATION), keys.idp)


@case
def several_audiences_of_which_one_is_ours(asked, keys):
    two = "<saml:AudienceRestriction><saml:Audience>urn:x</saml:Audience><saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction>"
    return sign_assertion(response(asked, conditions=two + "<saml:OneTimeUse/>"), keys.idp)


def of_encryption(name, **how):
    def build(asked, keys):
        signed = how.pop("sign_response", None)
        root = sign_assertion(response(asked), keys.idp)
        assertion = assertion_of(root)
        replaced(root, assertion, encrypted(assertion, asked.encrypt_for, **how))
        return sign(root, keys.idp) if signed else root

    CASES[f"encrypted with {name}"] = build


of_encryption("AES-256-GCM")
of_encryption("AES-128-GCM, its key beside it", cipher="aes128-gcm", beside=True)
of_encryption("AES-256-GCM and RSA-OAEP with SHA-256", digest=hashes.SHA256, mask=hashes.SHA256)


def in_a_signed_response(cipher):
    def build(asked, keys):
        root = response(asked)
        assertion = assertion_of(root)
        replaced(root, assertion, encrypted(assertion, asked.encrypt_for, cipher=cipher))
        return sign(root, keys.idp)

    CASES[f"{cipher} in a signed response"] = build


for cipher in ("aes128-cbc", "aes256-cbc", "aes128-gcm", "aes256-gcm"):
    in_a_signed_response(cipher)


@case
def signed_encrypted_and_signed_again(asked, keys):
    root = sign_assertion(response(asked), keys.idp)
    assertion = assertion_of(root)
    return sign(replaced(root, assertion, encrypted(assertion, asked.encrypt_for, cipher="aes256-cbc")), keys.idp)


@case
def an_encrypted_name(asked, keys):
    root = response(asked)
    name = root.find(".//saml:NameID", NAMES)
    replaced(root, name, encrypted(name, asked.encrypt_for, "EncryptedID", "aes128-cbc"))
    return sign_assertion(root, keys.idp)


@case
def encrypted_attributes(asked, keys):
    root = response(asked)
    for attribute in root.findall(".//saml:Attribute", NAMES):
        replaced(root, attribute, encrypted(attribute, asked.encrypt_for, "EncryptedAttribute"))
    return sign_assertion(root, keys.idp)
