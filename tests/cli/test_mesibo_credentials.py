"""`messenger-api mesibo pushupload`: a credential is read before it leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from tests.cli.commands import Cli
from tests.gateways.mesibo_stub import Stub, serving

KEY = ec.generate_private_key(ec.SECP256R1())
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
SANDBOX, PRODUCTION = "1.2.840.113635.100.6.3.1", "1.2.840.113635.100.6.3.2"
ACCOUNT = {"type": "service_account", "project_id": "acme-chat", "client_email": "x@y", "private_key": PEM}


@pytest.fixture
def stub(cli: Cli) -> Iterator[Stub]:
    with serving() as stub:
        cli.environment["MESSENGER_MESIBO_API_URL"] = stub.url
        cli.environment["MESSENGER_MESIBO_APP_TOKEN"] = "app0token"
        yield stub


def p12(
    *marks: str, days: int = 90, bundle: str = "com.acme.chat", key: bool = True, password: str = ""
) -> bytes:
    names = [x509.NameAttribute(NameOID.COMMON_NAME, f"Apple Push Services: {bundle}")]
    if bundle:
        names.insert(0, x509.NameAttribute(NameOID.USER_ID, bundle))
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(x509.Name(names), x509.Name(names), KEY.public_key(), 1)
    made = made.not_valid_before(now - timedelta(200)).not_valid_after(now + timedelta(days))
    for mark in marks:
        oid = x509.ObjectIdentifier(mark)
        made = made.add_extension(x509.UnrecognizedExtension(oid, b"\x05\x00"), critical=False)
    sealed = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    certificate = made.sign(KEY, hashes.SHA256())
    return pkcs12.serialize_key_and_certificates(b"push", KEY if key else None, certificate, None, sealed)


GOOD = [
    ("a.json", json.dumps(ACCOUNT).encode(), [], "Firebase project acme-chat"),
    ("a.p12", p12(SANDBOX), [], "Apple bundle com.acme.chat, sandbox, until "),
    ("a.p12", p12(PRODUCTION, SANDBOX), [], "Apple bundle com.acme.chat, sandbox and production, until "),
    ("a.txt", json.dumps(ACCOUNT).encode(), ["--type", "fcm"], "Firebase project acme-chat"),
    ("a.txt", p12(PRODUCTION), ["--type", "apn"], "Apple bundle com.acme.chat, production, until "),
]
BAD = [
    ("a.json", b"{", "no service account of Firebase"),
    ("a.json", b"[]", "no service account of Firebase"),
    ("a.json", b'{"type":"authorized_user"}', "no service account of Firebase"),
    ("a.json", json.dumps({**ACCOUNT, "project_id": ""}).encode(), "it lacks project_id"),
    ("a.json", json.dumps({**ACCOUNT, "private_key": "x"}).encode(), "its private_key is no key"),
    ("a.p12", b"x", "no .p12 file"),
    ("a.p12", p12(PRODUCTION, password="secret"), "has a password"),
    ("a.p12", p12(PRODUCTION, key=False), "it lacks the key"),
    ("a.p12", p12(), "not Apple's for push notifications"),
    ("a.p12", p12(PRODUCTION, bundle=""), "not Apple's for push notifications"),
    ("a.p12", p12(PRODUCTION, days=-1), "its certificate ended on "),
    ("a.txt", b"x", "say --type"),
]


@pytest.mark.parametrize(("name", "content", "more", "says"), GOOD)
def test_whose_a_credential_is_and_until_when_is_told(
    cli: Cli, stub: Stub, tmp_path: Path, name: str, content: bytes, more: list[str], says: str
) -> None:
    (tmp_path / name).write_bytes(content)
    result = cli.run("mesibo", "pushupload", "--file", name, *more)
    assert (result.exit_code, result.stdout) == (0, "Done.\n")
    assert result.stderr.startswith(says)
    assert content in stub.seen[0].body


@pytest.mark.parametrize(("name", "content", "says"), BAD)
def test_what_no_push_can_be_sent_with_is_not_sent_unless_that_is_meant(
    cli: Cli, stub: Stub, tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    (tmp_path / name).write_bytes(content)
    result = cli.run("mesibo", "pushupload", "--file", name)
    assert result.exit_code == 1
    assert says in result.stderr
    assert "PRIVATE KEY" not in result.output
    assert stub.seen == []
    cli.ok("mesibo", "pushupload", "--file", name, "--unread")
    assert len(stub.seen) == 1
