"""Signatures: by signxml where they are to be accepted, by hand where they are to be odd."""

import base64
import hashlib
import hmac
from copy import deepcopy

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from lxml import etree
from signxml import DigestAlgorithm, SignatureConstructionMethod, SignatureMethod, XMLSigner

from message import DS, NAMES, SAML

EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = DS + "enveloped-signature"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"


def sign(element, pair, method=SignatureMethod.RSA_SHA256, digest=DigestAlgorithm.SHA256, prefixes=None, comments=False):
    """Signs `element`, of which a new tree is returned, and puts the signature after its issuer."""
    c14n = EXCLUSIVE + ("WithComments" if comments else "")
    signer = XMLSigner(SignatureConstructionMethod.enveloped, method, digest, c14n)
    element = deepcopy(element)
    signed = signer.sign(
        element, key=pair.key, cert=[pair.certificate], reference_uri=element.get("ID"), id_attribute="ID",
        inclusive_ns_prefixes=prefixes,
    )
    place(signed, signed.find("ds:Signature", NAMES))
    return signed


def place(element, signature):
    element.remove(signature)
    issuer = element.find("saml:Issuer", NAMES)
    element.insert(0 if issuer is None else element.index(issuer) + 1, signature)


def replaced(root, old, new):
    """`root` with `new` in the place of `old`."""
    parent = old.getparent()
    parent.replace(old, new)
    return root


def sign_assertion(root, pair, **how):
    assertion = root.find(".//saml:Assertion", NAMES)
    return replaced(root, assertion, sign(assertion, pair, **how))


def canonical(element, exclusive=True, comments=False):
    return etree.tostring(element, method="c14n", exclusive=exclusive, with_comments=comments)


def sign_by_hand(element, pair, **odd):
    """Signs with whatever is asked for: algorithms, transforms, a reference to something else, more of anything.

    The signature is right for what it says; a verifier that follows every word of it accepts it.
    """
    method = odd.get("method", RSA_SHA256)
    digest_method = odd.get("digest_method", SHA256)
    hashing = odd.get("hashing", hashlib.sha256)
    content = odd.get("content", element)
    octets = odd.get("octets", canonical)(content)
    digest = base64.b64encode(hashing(octets).digest()).decode()
    transforms = odd.get("transforms", [ENVELOPED, EXCLUSIVE])
    uri = odd.get("uri", "#" + content.get("ID", ""))
    reference = (
        f'<ds:Reference URI="{uri}"><ds:Transforms>'
        + "".join(t if t.startswith("<") else f'<ds:Transform Algorithm="{t}"/>' for t in transforms)
        + f'</ds:Transforms><ds:DigestMethod Algorithm="{digest_method}"/>'
        f'<ds:DigestValue>{odd.get("digest_prefix", "")}{digest}</ds:DigestValue></ds:Reference>'
    )
    text = (
        f'<ds:Signature xmlns:ds="{DS}">{odd.get("before_info", "")}<ds:SignedInfo>'
        f'<ds:CanonicalizationMethod Algorithm="{odd.get("c14n", EXCLUSIVE)}">{odd.get("c14n_parameter", "")}'
        f'</ds:CanonicalizationMethod>'
        f'<ds:SignatureMethod Algorithm="{method}">{odd.get("method_parameter", "")}</ds:SignatureMethod>'
        + reference * odd.get("references", 1)
        + f'</ds:SignedInfo>{odd.get("after_info", "")}<ds:SignatureValue/>{odd.get("after_value", "")}</ds:Signature>'
    )
    signature = etree.fromstring(text)
    holder = element.getparent()
    signed = deepcopy(element)
    if holder is not None:
        holder.replace(element, signed)
    signed.append(signature)
    place(signed, signature)
    # Canonical where it stands: declarations around it may belong to its form.
    infos = [info for info in signature.findall("ds:SignedInfo", NAMES) if len(info)]
    info = canonical_within(infos[0], odd.get("info_prefixes"))
    value = odd.get("signer", rsa(hashes.SHA256()))(pair, info)
    signature.find("ds:SignatureValue", NAMES).text = base64.b64encode(value).decode()
    return signed


def rsa(hashing):
    return lambda pair, octets: pair.key.sign(octets, padding.PKCS1v15(), hashing)


def hmac_with_certificate(pair, octets):
    """The classic confusion: the public certificate as the secret."""
    return hmac.new(pair.der, octets, hashlib.sha256).digest()


def canonical_within(element, prefixes=None):
    """The canonical form of an element where it stands, with prefixes that are declared around it."""
    return etree.tostring(element, method="c14n", exclusive=True, inclusive_ns_prefixes=prefixes)
