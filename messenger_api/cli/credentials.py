"""Credentials for push notifications, read before they are handed over: what they are for, and until when."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509.oid import NameOID

# Apple's marks of a certificate's purpose.
_SANDBOX = x509.ObjectIdentifier("1.2.840.113635.100.6.3.1")
_PRODUCTION = x509.ObjectIdentifier("1.2.840.113635.100.6.3.2")
_NEEDED = ("project_id", "client_email", "private_key")


class Unusable(ValueError):
    """A credential that no push can be sent with, and why."""


@dataclass(frozen=True)
class Credential:
    """What a credential says of itself.

    `kind` is `fcm` or `apn`, `app` Firebase's project or Apple's bundle id, `place` `sandbox`, `production`
    or both, `ends` the last moment of a certificate; a service account has none. `fingerprint`: SHA-256 of
    the certificate, or of a service account's public key.
    """

    kind: str
    app: str
    fingerprint: bytes
    place: str = ""
    ends: datetime | None = None

    def __str__(self) -> str:
        until = f", until {self.ends:%Y-%m-%d}" if self.ends else ""
        named = "Firebase project" if self.kind == "fcm" else "Apple bundle"
        return f"{named} {self.app}" + (f", {self.place}" if self.place else "") + until


def read_credential(name: str, content: bytes, kind: str = "") -> Credential:
    """Read a service account of Firebase (.json) or a certificate of Apple (.p12), as kind or name say.

    Raises:
        Unusable: it is none, lacks something, has a password, or is over.
    """
    ending = name.rpartition(".")[2].lower()
    if kind == "fcm" or (not kind and ending == "json"):
        return _firebase(content)
    if kind == "apn" or (not kind and ending == "p12"):
        return _apple(content)
    raise Unusable("its name ends neither in .json nor in .p12: say --type fcm or --type apn")


def _firebase(content: bytes) -> Credential:
    try:
        found = json.loads(content)
    except ValueError:
        found = None
    if not isinstance(found, dict) or found.get("type") != "service_account":
        raise Unusable("it is no service account of Firebase")
    missing = [name for name in _NEEDED if not isinstance(found.get(name), str) or not found[name]]
    if missing:
        raise Unusable(f"it lacks {', '.join(missing)}")
    try:
        key = load_pem_private_key(found["private_key"].encode(), None).public_key()
    except ValueError:
        raise Unusable("its private_key is no key") from None
    public = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return Credential("fcm", found["project_id"], hashlib.sha256(public).digest())


def _apple(content: bytes) -> Credential:
    try:
        key, certificate, _ = pkcs12.load_key_and_certificates(content, None)
    except ValueError:
        raise Unusable("it is no .p12 file, or has a password, which mesibo does not take") from None
    if key is None or certificate is None:
        raise Unusable("it lacks the key or the certificate: export both together")
    bundles = certificate.subject.get_attributes_for_oid(NameOID.USER_ID)
    places = list(_places(certificate))
    if not bundles or not places:
        raise Unusable("its certificate is not Apple's for push notifications")
    ends = certificate.not_valid_after_utc
    if ends < datetime.now(UTC):
        raise Unusable(f"its certificate ended on {ends:%Y-%m-%d}")
    fingerprint = certificate.fingerprint(hashes.SHA256())
    return Credential("apn", str(bundles[0].value), fingerprint, " and ".join(places), ends)


def _places(certificate: x509.Certificate) -> Iterator[str]:
    marks = {extension.oid for extension in certificate.extensions}
    if _SANDBOX in marks:
        yield "sandbox"
    if _PRODUCTION in marks:
        yield "production"
