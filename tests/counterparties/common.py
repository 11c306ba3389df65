"""What counterparties share: keys of their own, a server on a free port, faults that a test orders beforehand."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from flask import Flask
from werkzeug.serving import make_server


@cache
def key(name: str) -> rsa.RSAPrivateKey:
    """One RSA key per name and test run; real, 2048 bits."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def private_pem(path: Path, name: str) -> str:
    """Write a key where the mall reads it."""
    path.write_bytes(
        key(name).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return str(path)


def public_pem(path: Path, name: str) -> str:
    """Write a public key."""
    path.write_bytes(
        key(name).public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return str(path)


def certificate(path: Path, name: str, issuer: str = "") -> str:
    """Write a certificate of a key, signed by its issuer's key."""
    subject = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"), x509.NameAttribute(NameOID.COMMON_NAME, name)])
    by = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test Authority"),
            x509.NameAttribute(NameOID.COMMON_NAME, issuer or name),
        ]
    )
    now = datetime.now(tz=UTC)
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(by).public_key(key(name).public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
    signed = made.not_valid_after(now + timedelta(days=30)).sign(key(issuer or name), hashes.SHA256())
    path.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    return str(path)


class Faults:
    """What goes wrong next, one entry a request; empty = nothing."""

    def __init__(self) -> None:
        self.queue: list[str] = []
        self.seen: list[str] = []

    def order(self, *names: str) -> None:
        """Let the next requests go wrong in this way."""
        self.queue += names

    def take(self) -> str:
        """The fault of this request."""
        fault = self.queue.pop(0) if self.queue else ""
        self.seen.append(fault)
        return fault


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """The application on a free port, in a thread."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(timeout=5)
