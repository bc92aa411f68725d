"""Signature wrapping, in the eight forms of Somorovsky et al. (USENIX Security 2012), and hostile XML."""

from copy import deepcopy

from lxml import etree

from message import DS, EVIL, NAMES, SAMLP, assertion_of, rename, response, text
from sign import sign, sign_assertion

CASES = {}


def refused(reason):
    def add(build):
        CASES[build.__name__.replace("_", " ")] = (reason, build)
        return build

    return add


def evil_response(root):
    evil = deepcopy(root)
    evil.set("ID", "_evil_response")
    rename(assertion_of(evil))
    return evil


def without_signature(element):
    element = deepcopy(element)
    for signature in element.findall("ds:Signature", NAMES):
        element.remove(signature)
    return element


@refused("shape")
def wrapping_1(asked, keys):
    """The signed response in the signature of a forged one."""
    signed = sign(response(asked), keys.idp)
    evil = evil_response(signed)
    evil.find("ds:Signature", NAMES).append(without_signature(signed))
    return evil


@refused("shape")
def wrapping_2(asked, keys):
    """The signed response before the signature of a forged one."""
    signed = sign(response(asked), keys.idp)
    evil = evil_response(signed)
    signature = evil.find("ds:Signature", NAMES)
    evil.insert(evil.index(signature), without_signature(signed))
    return evil


@refused("shape")
def wrapping_3(asked, keys):
    """A forged assertion before the signed one."""
    root = sign_assertion(response(asked), keys.idp)
    signed = assertion_of(root)
    signed.addprevious(without_signature(rename(deepcopy(signed))))
    return root


@refused("shape")
def wrapping_4(asked, keys):
    """The signed assertion in a forged one."""
    root = sign_assertion(response(asked), keys.idp)
    signed = assertion_of(root)
    evil = without_signature(rename(deepcopy(signed)))
    root.replace(signed, evil)
    evil.append(signed)
    return root


@refused("shape")
def wrapping_5(asked, keys):
    """A forged assertion with the signature, and the signed one without it at the end."""
    root = sign_assertion(response(asked), keys.idp)
    signed = assertion_of(root)
    original = without_signature(signed)
    rename(signed)
    root.append(original)
    return root


@refused("shape")
def wrapping_6(asked, keys):
    """The signed assertion in the signature of a forged one."""
    root = sign_assertion(response(asked), keys.idp)
    signed = assertion_of(root)
    original = without_signature(signed)
    rename(signed)
    signed.find("ds:Signature", NAMES).append(original)
    return root


@refused("shape")
def wrapping_7(asked, keys):
    """A forged assertion in the extensions."""
    root = sign_assertion(response(asked), keys.idp)
    extensions = etree.SubElement(root, f"{{{SAMLP}}}Extensions")
    root.insert(1, extensions)
    extensions.append(rename(deepcopy(assertion_of(root))))
    return root


@refused("shape")
def wrapping_8(asked, keys):
    """The signed assertion in an object of the forged one's signature."""
    root = sign_assertion(response(asked), keys.idp)
    signed = assertion_of(root)
    original = without_signature(signed)
    rename(signed)
    holder = etree.SubElement(signed.find("ds:Signature", NAMES), f"{{{DS}}}Object")
    holder.append(original)
    return root


@refused("shape")
def an_assertion_in_the_advice(asked, keys):
    root = sign_assertion(response(asked), keys.idp)
    signed = assertion_of(root)
    advice = etree.SubElement(signed, "{urn:oasis:names:tc:SAML:2.0:assertion}Advice")
    advice.append(rename(deepcopy(signed)))
    return root


@refused("shape")
def two_assertions_both_signed(asked, keys):
    root = sign_assertion(response(asked), keys.idp)
    other = deepcopy(assertion_of(root))
    other.set("ID", "_other")
    root.append(sign(without_signature(other), keys.idp))
    return root


@refused("shape")
def no_assertion(asked, keys):
    root = response(asked)
    root.remove(assertion_of(root))
    return sign(root, keys.idp)


@refused("shape")
def a_request_in_the_place_of_a_response(asked, keys):
    return text(sign(response(asked), keys.idp)).replace("samlp:Response", "samlp:AuthnRequest")


@refused("duplicate_id")
def an_id_twice(asked, keys):
    root = sign_assertion(response(asked), keys.idp)
    extensions = etree.SubElement(root, f"{{{SAMLP}}}Extensions")
    etree.SubElement(extensions, "x").set("Id", assertion_of(root).get("ID"))
    return root


@refused("signature_shape")
def a_signature_elsewhere(asked, keys):
    root = sign_assertion(response(asked), keys.idp)
    extensions = etree.SubElement(root, f"{{{SAMLP}}}Extensions")
    extensions.append(deepcopy(root.find(".//ds:Signature", NAMES)))
    return root


# Hostile XML around a good message.
@refused("doctype")
def a_document_type(asked, keys):
    return "<!DOCTYPE x>" + text(sign_assertion(response(asked), keys.idp))


@refused("doctype")
def an_entity(asked, keys):
    return f'<!DOCTYPE x [<!ENTITY e "{EVIL}">]>' + text(sign_assertion(response(asked), keys.idp)).replace(asked.subject, "&e;")


@refused("doctype")
def an_external_entity(asked, keys):
    return '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + text(sign_assertion(response(asked), keys.idp))


@refused("doctype")
def entities_that_multiply(asked, keys):
    more = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    return f'<!DOCTYPE x [<!ENTITY e0 "x">{more}]>' + text(sign_assertion(response(asked), keys.idp))


@refused("processing_instruction")
def a_processing_instruction(asked, keys):
    return text(sign_assertion(response(asked), keys.idp)).replace("@corp", "@<?x y?>corp", 1)


@refused("too_complex")
def a_deep_message(asked, keys):
    deep = "<x>" * 500 + "</x>" * 500
    return text(sign_assertion(response(asked), keys.idp)).replace("<samlp:Status>", f"{deep}<samlp:Status>", 1)


@refused("too_complex")
def a_wide_message(asked, keys):
    return text(sign_assertion(response(asked), keys.idp)).replace("<samlp:Status>", "<x/>" * 25_000 + "<samlp:Status>", 1)


@refused("too_large")
def a_large_message(asked, keys):
    return text(sign_assertion(response(asked), keys.idp)).replace("<samlp:Status>", " " * 400_000 + "<samlp:Status>", 1)


@refused("malformed")
def a_broken_message(asked, keys):
    return text(sign_assertion(response(asked), keys.idp))[:-20]
