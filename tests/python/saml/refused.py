"""Responses that must be refused, each with the reason's name."""

import hashlib
from copy import deepcopy
from datetime import timedelta

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree

import sign as signing
from encrypt import encrypted
from message import AUDIENCE, DS, EVIL, NAMES, assertion_of, instant, rename, response, text
from sign import ENVELOPED, EXCLUSIVE, replaced, sign, sign_assertion, sign_by_hand

CASES = {}


def refused(reason):
    def add(build):
        CASES[build.__name__.replace("_", " ")] = (reason, build)
        return build

    return add


def changed(name, reason, **parts):
    """A response that an identity provider signed as it is, with something wrong in it."""
    CASES[name] = (reason, lambda asked, keys: sign_assertion(
        response(asked, **{key: value(asked) if callable(value) else value for key, value in parts.items()}), keys.idp
    ))


def at(seconds):
    return lambda asked: instant(asked.now + timedelta(seconds=seconds))


# What a signed message says.
changed("another version", "version", version="1.1")
changed("an assertion of another version", "version", assertion_version="1.1")
changed("a failure", "status", status="Responder")
changed("another issuer of the response", "issuer", issuer="https://evil.example/idp", assertion_issuer=lambda a: a.issuer)
changed("another issuer of the assertion", "issuer", assertion_issuer="https://evil.example/idp")
changed("an issuer that only begins alike", "issuer", assertion_issuer=lambda a: a.issuer + ".evil.example")
changed("another destination", "destination", destination="https://elsewhere.example/acs")
changed("another recipient", "destination", recipient="https://elsewhere.example/acs")
changed("another audience", "audience", audience="https://elsewhere.example/sp")
changed("an audience in another case", "audience", audience=lambda a: a.audience.upper())
changed("no audience", "audience", conditions="")
changed("two restrictions of which one is not ours", "audience", conditions=AUDIENCE + "<saml:AudienceRestriction><saml:Audience>urn:x</saml:Audience></saml:AudienceRestriction>")
changed("an unknown condition", "condition", conditions=AUDIENCE + '<saml:Condition/>')
changed("a foreign condition", "condition", conditions=AUDIENCE + '<x:OneTimeUse xmlns:x="urn:x"/>')
changed("not yet valid", "not_yet", not_before=at(200))
changed("expired", "expired", not_on_or_after=at(-200))
changed("expired in its confirmation", "expired", confirmed_until=at(-200))
changed("a session that is over", "expired", session_ends=lambda a: f' SessionNotOnOrAfter="{at(-200)(a)}"')
changed("a confirmation that is not yet", "confirmation", confirmed_from=lambda a: f' NotBefore="{at(-10)(a)}"')
changed("a confirmation of another method", "confirmation", method="urn:oasis:names:tc:SAML:2.0:cm:holder-of-key")
changed("no confirmation", "confirmation", confirmation="")
changed("a time that is none", "instant", not_on_or_after="tomorrow")
changed("no statement", "statement", statement="")
changed("no name", "name_id", name_id=" ")
changed("a name with a control character", "name_id", name_id="ada&#x85;@corp.example")
changed("an element in the name", "shape", name_id="ada<x/>@corp.example")
changed("an attribute with an element", "attribute", attributes='<saml:Attribute Name="x"><saml:AttributeValue><y/></saml:AttributeValue></saml:Attribute>')
changed("another request", "in_response_to", in_response_to=' InResponseTo="_other"', confirmed_request=' InResponseTo="_other"')
changed("another request in the confirmation", "in_response_to", confirmed_request=' InResponseTo="_other"')


# Signatures that are none.
@refused("unsigned")
def nothing_signed(asked, keys):
    return response(asked)


@refused("signature")
def signed_by_another_tenants_provider(asked, keys):
    return sign_assertion(response(asked), keys.foreign)


@refused("signature")
def a_certificate_of_its_own_in_the_key_info(asked, keys):
    """signxml puts the signer's certificate in. It is not believed."""
    return sign(sign_assertion(response(asked), keys.foreign), keys.foreign)


@refused("signature")
def one_signature_good_and_one_foreign(asked, keys):
    return sign(sign_assertion(response(asked), keys.idp), keys.foreign)


@refused("digest")
def a_changed_name(asked, keys):
    return text(sign_assertion(response(asked), keys.idp)).replace(asked.subject, EVIL)


@refused("digest")
def a_changed_response_around_a_signed_assertion(asked, keys):
    return text(sign(sign_assertion(response(asked), keys.idp), keys.idp)).replace("StatusCode", 'StatusCode Also="x"', 1)


@refused("unsigned")
def the_signature_removed(asked, keys):
    root = sign_assertion(response(asked), keys.idp)
    signature = root.find(".//ds:Signature", NAMES)
    signature.getparent().remove(signature)
    return root


def by_hand(name, reason, **odd):
    """A signature that is right for what it says, in a form that is not accepted."""
    def build(asked, keys):
        root = response(asked)
        sign_by_hand(assertion_of(root), keys.idp, **odd)
        return root

    CASES[name] = (reason, build)


XPATH = '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>self::*</ds:XPath></ds:Transform>'
XSLT = '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"/>'
INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
by_hand("RSA with SHA-1", "sha1", method=DS + "rsa-sha1", signer=signing.rsa(hashes.SHA1()))
by_hand("a digest by SHA-1", "sha1", digest_method=DS + "sha1", hashing=hashlib.sha1)
by_hand("a digest by MD5", "signature_algorithm", digest_method="http://www.w3.org/2001/04/xmldsig-more#md5", hashing=hashlib.md5)
by_hand("HMAC with the certificate", "signature_algorithm", method="http://www.w3.org/2001/04/xmldsig-more#hmac-sha256", signer=signing.hmac_with_certificate)
by_hand("a truncated HMAC", "signature_shape", method=DS + "hmac-sha1", method_parameter="<ds:HMACOutputLength>8</ds:HMACOutputLength>", signer=signing.hmac_with_certificate)
by_hand("ECDSA named for an RSA key", "signature", method="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256")
by_hand("no algorithm", "signature_algorithm", method="")
by_hand("inclusive canonicalization", "signature_shape", c14n=INCLUSIVE)
by_hand("an inclusive transform", "transform", transforms=[ENVELOPED, INCLUSIVE], octets=lambda it: signing.canonical(it, exclusive=False))
by_hand("an XPath transform", "transform", transforms=[ENVELOPED, XPATH])
by_hand("a third transform", "transform", transforms=[ENVELOPED, XPATH, EXCLUSIVE])
by_hand("an XSLT transform", "transform", transforms=[ENVELOPED, XSLT])
by_hand("no transforms", "transform", transforms=[])
by_hand("the transforms the other way", "transform", transforms=[EXCLUSIVE, ENVELOPED])
by_hand("two references", "signature_shape", references=2)
by_hand("a reference to everything", "reference", uri="")
by_hand("a reference to elsewhere", "reference", uri="https://evil.example/x.xml")
by_hand("a reference by XPointer", "reference", uri="#xpointer(/)")
by_hand("an object", "signature_shape", after_value=f'<ds:Object xmlns:ds="{DS}"/>')
by_hand("a manifest", "signature_shape", after_value=f'<ds:Object xmlns:ds="{DS}"><ds:Manifest/></ds:Object>')
by_hand("two SignedInfo", "signature_shape", before_info=f'<ds:SignedInfo xmlns:ds="{DS}"/>')
by_hand("a SignedInfo after the first", "signature_shape", after_info=f'<ds:SignedInfo xmlns:ds="{DS}"/>')
by_hand("something before SignedInfo", "signature_shape", before_info="<x/>")
by_hand("a comment in the digest", "shape", digest_prefix="<!-- AAAA -->")
by_hand("another digest in front", "encoding", digest_prefix="AAAA=")


@refused("signature")
def ECDSA_on_a_curve_of_another_strength(asked, keys):
    to_sign = lambda pair, octets: keys.p384.key.sign(octets, ec.ECDSA(hashes.SHA256()))
    root = response(asked)
    method = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
    sign_by_hand(assertion_of(root), keys.p384, method=method, signer=to_sign)
    return root


@refused("shape")
def two_signatures(asked, keys):
    root = sign_assertion(response(asked), keys.idp)
    assertion = assertion_of(root)
    assertion.append(deepcopy(assertion.find("ds:Signature", NAMES)))
    return root


@refused("reference")
def an_assertion_with_the_signature_of_another(asked, keys):
    root = sign_assertion(response(asked), keys.idp)
    signed = assertion_of(root)
    evil = rename(deepcopy(signed))
    return replaced(root, signed, evil)


# Encryption.
def sealed(name, reason, sign_inside=True, change=None, **how):
    def build(asked, keys):
        root = response(asked)
        if sign_inside:
            root = sign_assertion(root, keys.idp)
        assertion = assertion_of(root)
        return replaced(root, assertion, encrypted(assertion, asked.encrypt_for, **how))

    CASES[name] = (reason, build)


flipped = lambda data: data[:-1] + bytes([data[-1] ^ 1])
sealed("CBC in an unsigned response", "unauthenticated_cipher", cipher="aes256-cbc")
sealed("encrypted and never signed", "unsigned", sign_inside=False)
sealed("RSA 1.5", "encryption_algorithm", pkcs1=True)
sealed("3DES", "encryption_algorithm", named="http://www.w3.org/2001/04/xmlenc#tripledes-cbc")
sealed("one hash for the label and another for the mask", "encryption_algorithm", digest=hashes.SHA256)
sealed("a label", "encryption_algorithm", label=b"label", digest=hashes.SHA256, mask=hashes.SHA256)
sealed("a changed ciphertext", "decryption", damage=flipped)
sealed("a ciphertext that is too short", "decryption", damage=lambda data: data[:20])
sealed("a key of another length", "decryption", cipher="aes128-gcm", named="http://www.w3.org/2009/xmlenc11#aes256-gcm")
sealed("bytes that are no text", "decryption", octets=b"\xff\xfe")
sealed("text that is no XML", "malformed", octets=b"<a>")
sealed("an element that is no assertion", "shape", octets=b"<a/>")


@refused("decryption")
def encrypted_for_somebody_else(asked, keys):
    root = sign_assertion(response(asked), keys.idp)
    assertion = assertion_of(root)
    return replaced(root, assertion, encrypted(assertion, keys.foreign.pem))


@refused("shape")
def two_assertions_in_one_ciphertext(asked, keys):
    root = sign_assertion(response(asked), keys.idp)
    assertion = assertion_of(root)
    both = etree.tostring(assertion) + etree.tostring(rename(deepcopy(assertion)))
    return replaced(root, assertion, encrypted(assertion, asked.encrypt_for, octets=both))


@refused("decryption")
def an_encrypted_name_for_somebody_else(asked, keys):
    root = response(asked)
    name = root.find(".//saml:NameID", NAMES)
    replaced(root, name, encrypted(name, keys.foreign.pem, "EncryptedID"))
    return sign_assertion(root, keys.idp)


