"""Keys and self-signed certificates, new in every run."""

from datetime import datetime, timedelta, timezone

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID


class Pair:
    """A private key and its certificate, for ten years or long over."""

    def __init__(self, name, key, over=False):
        self.key = key
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        start = datetime(2001, 1, 1, tzinfo=timezone.utc) if over else datetime(2024, 1, 1, tzinfo=timezone.utc)
        builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(start).not_valid_after(start + timedelta(days=3650))
        self.certificate = builder.sign(key, hashes.SHA256())
        self.der = self.certificate.public_bytes(serialization.Encoding.DER)
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM).decode()


def new_rsa(name, bits=2048, over=False):
    return Pair(name, rsa.generate_private_key(65537, bits), over)


def new_ec(name, curve):
    return Pair(name, ec.generate_private_key(curve))
