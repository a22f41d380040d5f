"""Certificates that nobody signed but themselves, as PEM files, and a client that takes them."""

from __future__ import annotations

import datetime
import ipaddress
import os
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from zope.interface import implementer

_DAY = datetime.timedelta(days=1)


def makeCertificate(path: Path, serial: int, *names: str) -> None:
    """
    A key and its certificate for 127.0.0.1 and for names, in one file, which takes the place of one that is there.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0] if names else "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    hosts = [x509.DNSName(each) for each in names or ("localhost",)]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
        .add_extension(x509.SubjectAlternativeName([*hosts, x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    unfinished = path.with_suffix(".new")
    unfinished.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    os.replace(unfinished, path)


@implementer(IOpenSSLClientConnectionCreator)
class Trusting:
    """A client that takes any certificate."""

    def __init__(self, name: str = "") -> None:
        self._name = name

    def clientConnectionForTLS(self, protocol: Any) -> SSL.Connection:
        connection = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), None)
        if self._name:
            connection.set_tlsext_host_name(self._name.encode())
        return connection
