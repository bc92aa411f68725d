"""XML Encryption of an element for a service provider."""

import base64
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lxml import etree

from message import DS, SAML, XENC, XENC11

OAEP = XENC + "rsa-oaep-mgf1p"
OAEP11 = XENC11 + "rsa-oaep"


def gcm(key, plain):
    nonce = os.urandom(12)
    return nonce + AESGCM(key).encrypt(nonce, plain, None)


def cbc(key, plain):
    """The padding's bytes are random but for the last, as XML Encryption allows."""
    count = 16 - len(plain) % 16
    padded = plain + os.urandom(count - 1) + bytes([count])
    start = os.urandom(16)
    encryptor = Cipher(algorithms.AES(key), modes.CBC(start)).encryptor()
    return start + encryptor.update(padded) + encryptor.finalize()


CIPHERS = {
    "aes128-gcm": (XENC11 + "aes128-gcm", 16, gcm),
    "aes256-gcm": (XENC11 + "aes256-gcm", 32, gcm),
    "aes128-cbc": (XENC + "aes128-cbc", 16, cbc),
    "aes256-cbc": (XENC + "aes256-cbc", 32, cbc),
}


def encrypted(element, certificate, wrapper="EncryptedAssertion", cipher="aes256-gcm", **how):
    """`element` encrypted, in `wrapper`."""
    octets = how.get("octets") or etree.tostring(element)
    algorithm, length, encrypt = CIPHERS[cipher]
    key = os.urandom(length)
    data = how.get("damage", lambda it: it)(encrypt(key, octets))
    public = x509.load_pem_x509_certificate(certificate.encode()).public_key()
    if how.get("pkcs1"):
        wrapped, method = public.encrypt(key, padding.PKCS1v15()), f'<xenc:EncryptionMethod Algorithm="{XENC}rsa-1_5"/>'
    else:
        digest, mask = how.get("digest", hashes.SHA1), how.get("mask", hashes.SHA1)
        wrapped = public.encrypt(key, padding.OAEP(padding.MGF1(mask()), digest(), how.get("label")))
        method = oaep_method(digest, mask, how)
    text = base64.b64encode
    encrypted_key = (
        f'<xenc:EncryptedKey xmlns:xenc="{XENC}" xmlns:ds="{DS}">{method}<xenc:CipherData><xenc:CipherValue>'
        f"{text(wrapped).decode()}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey>"
    )
    beside = how.get("beside", False)
    info = f'<ds:KeyInfo xmlns:ds="{DS}">{encrypted_key}</ds:KeyInfo>' if not beside else ""
    return etree.fromstring(
        f'<saml:{wrapper} xmlns:saml="{SAML}"><xenc:EncryptedData xmlns:xenc="{XENC}" Type="{XENC}Element">'
        f'<xenc:EncryptionMethod Algorithm="{how.get("named", algorithm)}"/>{info}<xenc:CipherData><xenc:CipherValue>'
        f"{text(data).decode()}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData>"
        f"{encrypted_key if beside else ''}</saml:{wrapper}>"
    )


def oaep_method(digest, mask, how):
    names = {hashes.SHA1: DS + "sha1", hashes.SHA256: XENC + "sha256"}
    masks = {hashes.SHA1: XENC11 + "mgf1sha1", hashes.SHA256: XENC11 + "mgf1sha256"}
    plain = digest is hashes.SHA1 and mask is hashes.SHA1
    inside = "" if plain else f'<ds:DigestMethod Algorithm="{names[digest]}"/>'
    inside += "" if plain else f'<xenc11:MGF xmlns:xenc11="{XENC11}" Algorithm="{masks[mask]}"/>'
    if how.get("label"):
        inside += f"<xenc:OAEPparams>{base64.b64encode(how['label']).decode()}</xenc:OAEPparams>"
    return f'<xenc:EncryptionMethod Algorithm="{OAEP if plain else OAEP11}">{inside}</xenc:EncryptionMethod>'
